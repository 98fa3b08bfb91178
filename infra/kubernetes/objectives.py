"""The objective of the state API, 99.9 % of requests answered without an error of ours, and how fast a breach is told of."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

OBJECTIVE = 0.999
_JOB = 'job="state-api"'
_SLO = "vanta-availability"
_REQUESTS = f"vanta_http_requests_total{{{_JOB}}}"
_ERRORS = f'vanta_http_requests_total{{{_JOB},status=~"5.."}}'
RUNBOOK = "docs/adr/0026-workload.md"

Rule = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class BurnRate:
    """An alert: the error budget of 30 days is spent ``factor`` times too fast over both windows.

    The short window ends the alert soon after the trouble ends.
    """

    factor: float
    long: str
    short: str
    severity: str


# The Site Reliability Workbook, chapter 5, "Multiwindow, Multi-Burn-Rate Alerts": 2 % of the budget in an hour, 5 % in six
# hours, 10 % in a day, 10 % in three days.
BURN_RATES = (
    BurnRate(factor=14.4, long="1h", short="5m", severity="page"),
    BurnRate(factor=6, long="6h", short="30m", severity="page"),
    BurnRate(factor=3, long="1d", short="2h", severity="ticket"),
    BurnRate(factor=1, long="3d", short="6h", severity="ticket"),
)


def rule_groups() -> list[dict[str, Any]]:
    """The groups of a PrometheusRule: the share of errors in each window, and all alerts."""
    windows = sorted({window for rate in BURN_RATES for window in (rate.long, rate.short)}, key=_seconds)
    return [
        {"name": "state-api-shares", "interval": "30s", "rules": [_share(window) for window in windows]},
        {"name": "state-api-objective", "rules": [_burning(rate) for rate in BURN_RATES]},
        {"name": "state-api-symptoms", "rules": list(_symptoms())},
    ]


def _share(window: str) -> Rule:
    return {
        "record": f"slo:errors:ratio_rate{window}",
        # Without requests there is no share, and nothing to be told of.
        "expr": f"sum(rate({_ERRORS}[{window}])) / sum(rate({_REQUESTS}[{window}]))",
        "labels": {"slo": _SLO},
    }


def _burning(rate: BurnRate) -> Rule:
    bound = f"({rate.factor:g} * {1 - OBJECTIVE:.3f})"
    over = [f'slo:errors:ratio_rate{window}{{slo="{_SLO}"}} > {bound}' for window in (rate.long, rate.short)]
    return {
        "alert": "VantaErrorBudgetBurns",
        "expr": " and ".join(over),
        "labels": {"severity": rate.severity, "slo": _SLO, "window": rate.long},
        "annotations": {
            "summary": f"Errors spend the budget {rate.factor:g} times too fast",
            "description": f"Over {rate.long}, {{{{ $value | humanizePercentage }}}} of requests failed; 0.1 % may.",
            "runbook": RUNBOOK,
        },
    }


def _symptoms() -> Sequence[Rule]:
    return (
        _alert(
            "VantaAbsent",
            f"absent(up{{{_JOB}}} == 1)",
            "5m",
            "page",
            "No pod of the state API answers Prometheus",
        ),
        _alert(
            "VantaEventsLate",
            f"max(vanta_relay_lag_seconds{{{_JOB}}}) > 300",
            "10m",
            "ticket",
            "Events wait for more than five minutes: audit and webhooks are late",
        ),
        _alert(
            "VantaCacheLost",
            f"min(vanta_cache_connected{{{_JOB}}}) == 0",
            "5m",
            "ticket",
            "A pod has no cache: requests succeed, slower",
        ),
        _alert(
            "VantaKeysRefused",
            f'sum(rate(vanta_kms_calls_total{{{_JOB},result!="ok"}}[5m])) > 0',
            "15m",
            "ticket",
            "KMS refuses calls: secrets cannot be opened or sealed",
        ),
    )


def _alert(name: str, expression: str, lasting: str, severity: str, summary: str) -> Rule:
    return {
        "alert": name,
        "expr": expression,
        "for": lasting,
        "labels": {"severity": severity},
        "annotations": {"summary": summary, "runbook": RUNBOOK},
    }


def _seconds(window: str) -> int:
    return int(window[:-1]) * {"m": 60, "h": 3600, "d": 86_400}[window[-1]]
