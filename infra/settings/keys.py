"""What a stack file says of its keys."""

from dataclasses import dataclass

from infra.settings.limits import within

# AWS KMS API: ScheduleKeyDeletion, PendingWindowInDays, and EnableKeyRotation, RotationPeriodInDays.
KEY_DELETION_DAYS = range(7, 31)
KEY_ROTATION_DAYS = range(90, 2561)


@dataclass(frozen=True, kw_only=True)
class KeysSettings:
    """How long a deleted key can still be brought back, and how often each is rotated; in days."""

    deletion_days: int
    rotation_days: int


def check_keys(keys: "KeysSettings") -> None:
    """The ranges of AWS KMS."""
    within("keys.deletionDays", keys.deletion_days, KEY_DELETION_DAYS)
    within("keys.rotationDays", keys.rotation_days, KEY_ROTATION_DAYS)
