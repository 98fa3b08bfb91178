"""What a stack file says of the firewall before its API."""

from dataclasses import dataclass

from infra.settings.limits import check_log_retention, within

# AWS WAF API: RateBasedStatement, Limit, of which the largest has more digits than a number here may have.
REQUESTS = range(10, 1_000_000_000)


@dataclass(frozen=True, kw_only=True)
class FirewallSettings:
    """How much one address may ask for, and for how many days it is known what was blocked."""

    requests_per_minute: int
    log_days: int


def check_firewall(firewall: FirewallSettings) -> None:
    """The ranges of AWS WAF and CloudWatch Logs."""
    within("firewall.requestsPerMinute", firewall.requests_per_minute, REQUESTS, noun="{} to {} requests")
    check_log_retention("firewall.logDays", firewall.log_days)
