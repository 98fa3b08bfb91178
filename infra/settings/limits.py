"""What more than one check asks of a value, and says when it does not hold."""

from infra.refusal import refusal

# Amazon CloudWatch Logs API: PutRetentionPolicy, retentionInDays.
LOG_RETENTION_DAYS = frozenset(
    {1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653}
)


def check_log_retention(key: str, days: int) -> None:
    """A retention that CloudWatch Logs offers."""
    if days not in LOG_RETENTION_DAYS:
        raise refusal(
            key,
            days,
            "which CloudWatch Logs does not offer as a retention",
            f"Use {nearest(days, LOG_RETENTION_DAYS)}",
        )


def within(
    key: str, number: int, limits: range, *, shown: str | None = None, noun: str = "{} to {} days"
) -> None:
    """A number within ``limits``, which ``noun`` turns into words; ``shown`` is what a message quotes instead of it."""
    if number not in limits:
        allowed = noun.format(limits.start, limits.stop - 1)
        raise refusal(key, number if shown is None else shown, "which is out of range", f"Use {allowed}")


def nearest(number: int, allowed: frozenset[int]) -> int:
    """The smallest allowed number that is not less; the largest when all are."""
    return min((each for each in allowed if each >= number), default=max(allowed))
