"""What a stack file says of its archive."""

from dataclasses import dataclass

from infra.refusal import refusal
from infra.settings.limits import within

# Amazon S3 User Guide, "Transitioning objects using Amazon S3 Lifecycle": an object stays 30 days in STANDARD before
# STANDARD_IA. The S3 API reference has since allowed any age, that of the regions in China has not: 30 is right in both.
STANDARD_DAYS = 30
# Amazon S3 User Guide, "Comparing the Amazon S3 storage classes": minimum storage durations of STANDARD_IA and
# GLACIER_IR, which are paid for whether used or not.
WARM_DAYS = 30
COLD_DAYS = 90


@dataclass(frozen=True, kw_only=True)
class ArchiveSettings:
    """Ages in days, counted from an object's creation, at which it moves to the next tier or goes."""

    warm_after_days: int
    cold_after_days: int
    expire_after_days: int
    noncurrent_days: int
    multipart_days: int


def check_archive(archive: "ArchiveSettings") -> None:
    """The order of the tiers, what S3 refuses, and what it would charge for without giving it."""
    hot, warm, expiry = archive.warm_after_days, archive.cold_after_days, archive.expire_after_days
    if hot < STANDARD_DAYS:
        raise refusal(
            "archive.warmAfterDays",
            hot,
            f"but not every S3 moves objects to STANDARD_IA before {STANDARD_DAYS} days",
            f"Use {STANDARD_DAYS} or more",
        )
    if warm < hot + WARM_DAYS:
        raise refusal(
            "archive.coldAfterDays",
            warm,
            f"but objects are paid for {WARM_DAYS} days in STANDARD_IA after vanta:archive.warmAfterDays ({hot})",
            f"Use {hot + WARM_DAYS} or more",
        )
    if expiry < warm + COLD_DAYS:
        raise refusal(
            "archive.expireAfterDays",
            expiry,
            f"but objects are paid for {COLD_DAYS} days in GLACIER_IR after vanta:archive.coldAfterDays ({warm})",
            f"Use {warm + COLD_DAYS} or more",
        )
    within("archive.noncurrentDays", archive.noncurrent_days, range(1, 3651))
    within("archive.multipartDays", archive.multipart_days, range(1, 31))
