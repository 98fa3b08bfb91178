"""What a stack file says of the rotation of its secrets."""

from dataclasses import dataclass

from infra.refusal import refusal
from infra.settings.database import DatabaseSettings
from infra.settings.limits import within
from infra.settings.recovery import RecoverySettings

# AWS Secrets Manager API: RotationRulesType, AutomaticallyAfterDays; 0 is ours, for never.
ROTATION_DAYS = range(1001)


@dataclass(frozen=True, kw_only=True)
class SecretsSettings:
    """Days between two rotations of the app's database role and of the cache's token; 0 rotates nothing."""

    rotation_days: int


def check_secrets(
    secrets: SecretsSettings, *, database: DatabaseSettings, recovery: RecoverySettings
) -> None:
    """A period that Secrets Manager knows, and a database that the rotation can reach.

    Source: Amazon Aurora User Guide, "Limitations for the Amazon RDS Data API".
    """
    days = secrets.rotation_days
    within("secrets.rotationDays", days, ROTATION_DAYS)
    if days and recovery.standby:
        raise refusal(
            "secrets.rotationDays",
            days,
            "but vanta:recovery.role is standby, whose secrets are copies of its primary's",
            "Set it in the primary",
        )
    if days and database.capacity == "provisioned" and database.instance_class.startswith("db.t"):
        raise refusal(
            "secrets.rotationDays",
            days,
            f"but the RDS Data API, through which it works, does not know {database.instance_class}",
            "Use another instance class, serverless capacity, or 0",
        )
