"""What a stack file says of the evidence that AWS itself collects."""

from dataclasses import dataclass

from infra.settings.limits import check_log_retention


@dataclass(frozen=True, kw_only=True)
class EvidenceSettings:
    """Whether calls are recorded, whether the stack owns what an account has once in a region, and how long logs stay searchable."""

    trail: bool
    account: bool
    log_days: int


def check_evidence(evidence: EvidenceSettings) -> None:
    """A retention that CloudWatch Logs offers."""
    check_log_retention("evidence.logDays", evidence.log_days)
