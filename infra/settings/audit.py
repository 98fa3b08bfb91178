"""What a stack file says of its audit bucket."""

import re
from dataclasses import dataclass
from typing import Literal

from infra.refusal import refusal
from infra.settings.lifetime import Lifetime

# Amazon S3 User Guide, "Managing Object Lock": at most 100 years, or 36,500 days.
LOCK_DAYS = range(1, 36_501)
# PCI DSS v4.0.1, requirement 10.5.1: the history of audit logs is kept for at least 12 months.
LEAST_DAYS = 365
_PERIOD = re.compile(r"([0-9]{1,5}) (day|year)s?")
_DAYS_PER_YEAR = 365


@dataclass(frozen=True, kw_only=True)
class AuditSettings:
    """The lock on every audit object; ``lock_period`` is text such as ``7 years`` or ``1 day``."""

    lock_mode: Literal["GOVERNANCE", "COMPLIANCE"]
    lock_period: str
    access_log_days: int


def check_audit(audit: "AuditSettings", *, lifetime: Lifetime, stack: str, locks: bool) -> None:
    """A lock that S3 accepts and that the stack's own lifetime can bear, if the stack ``locks`` anything itself."""
    days = lock_days(audit.lock_period)
    if days not in LOCK_DAYS:
        raise refusal(
            "audit.lockPeriod", audit.lock_period, "but S3 locks for 1 day to 100 years", "Use 7 years"
        )
    if audit.lock_mode == "COMPLIANCE" and not lifetime.kept:
        raise refusal(
            "audit.lockMode",
            audit.lock_mode,
            f'but stack "{stack}" is throw-away: its bucket could not be deleted for {audit.lock_period}',
            "Use GOVERNANCE, or set vanta:lifetime to permanent",
        )
    if lifetime.protected and locks:
        _check_evidence_is_kept(audit, days)
    if audit.access_log_days < 1:
        raise refusal(
            "audit.accessLogDays",
            audit.access_log_days,
            "but logs that nobody keeps prove nothing",
            "Use 400",
        )


def _check_evidence_is_kept(audit: AuditSettings, days: int) -> None:
    """What a permanent stack owes its auditors."""
    if audit.lock_mode == "GOVERNANCE":
        raise refusal(
            "audit.lockMode",
            audit.lock_mode,
            "but vanta:lifetime is permanent: an administrator could delete the stack's evidence",
            "Use COMPLIANCE",
        )
    if days < LEAST_DAYS:
        raise refusal(
            "audit.lockPeriod",
            audit.lock_period,
            f"but vanta:lifetime is permanent, and auditors ask for {LEAST_DAYS} days at least",
            "Use 7 years",
        )


def lock_days(period: str) -> int:
    """``7 years`` or ``1 day`` in days, a year counted as S3 counts it for the limits: 365 days.

    Raises:
        SettingsError: the text is no period.
    """
    return lock_period(period)[0] * (_DAYS_PER_YEAR if lock_period(period)[1] == "years" else 1)


def lock_period(period: str) -> tuple[int, str]:
    """``7 years`` as ``(7, "years")``; the unit is ``days`` or ``years``, which S3 keeps apart.

    Raises:
        SettingsError: the text is no period.
    """
    match = _PERIOD.fullmatch(period)
    if match is None:
        raise refusal("audit.lockPeriod", period, "which is no period", "Write it like 7 years or 1 day")
    return int(match[1]), f"{match[2]}s"
