"""The dashboard of the state API: what clients feel, what stands behind it, what waits."""

from infra.kubernetes.objectives import OBJECTIVE
from infra.kubernetes.panels import Dashboard, Line, Panel

_JOB = 'job="state-api"'
# DESIGN: an answer of the API takes less than 50 ms.
_SLOW_SECONDS = 0.05


def _rate(metric: str, by: str, labels: str = "") -> str:
    return f"sum by ({by}) (rate({metric}{{{_JOB}{labels}}}[5m]))"


def _quantile(share: float) -> str:
    return f"histogram_quantile({share}, {_rate('vanta_http_request_seconds_bucket', 'le')})"


STATE_API = Dashboard(
    uid="vanta-state-api",
    title="VANTA: state API",
    panels=[
        Panel(
            title="Requests",
            description="Answered a second, by class of status.",
            unit="reqps",
            lines=[
                Line(
                    expression=(
                        f'sum by (class) (label_replace(rate(vanta_http_requests_total{{{_JOB}}}[5m]), "class", "${{1}}xx", '
                        '"status", "(.).."))'
                    ),
                    legend="{{class}}",
                )
            ],
        ),
        Panel(
            title="Errors",
            description="Share of requests that failed by our fault, in an hour; the line is what the objective allows.",
            unit="percentunit",
            lines=[Line(expression="slo:errors:ratio_rate1h", legend="errors")],
            limit=round(1 - OBJECTIVE, 6),
        ),
        Panel(
            title="Time to answer",
            description="Half, 95 % and 99 % of requests were answered within this time.",
            unit="s",
            lines=[Line(expression=_quantile(share), legend=f"{share:.0%}") for share in (0.5, 0.95, 0.99)],
            limit=_SLOW_SECONDS,
        ),
        Panel(
            title="Slowest routes",
            description="99 % of requests of the five slowest routes were answered within this time.",
            unit="s",
            lines=[
                Line(
                    expression=(
                        "topk(5, histogram_quantile(0.99, "
                        f"{_rate('vanta_http_request_seconds_bucket', 'le, method, route')}))"
                    ),
                    legend="{{method}} {{route}}",
                )
            ],
        ),
        Panel(
            title="Cache",
            description="Reads a second, by how the cache served them.",
            unit="reqps",
            lines=[Line(expression=_rate("vanta_cache_reads_total", "result"), legend="{{result}}")],
        ),
        Panel(
            title="Pods with a cache",
            description="How many pods are connected to Redis, of those that answer.",
            unit="short",
            lines=[
                Line(expression=f"sum(vanta_cache_connected{{{_JOB}}})", legend="connected"),
                Line(expression=f"sum(up{{{_JOB}}})", legend="pods"),
            ],
        ),
        Panel(
            title="Connections to PostgreSQL",
            description="Of all pods, by pool and by what they do.",
            unit="short",
            lines=[
                Line(
                    expression=f"sum by (pool, state) (vanta_pool_connections{{{_JOB}}})",
                    legend="{{pool}} {{state}}",
                )
            ],
        ),
        Panel(
            title="Waiting for a batch",
            description="Operations that wait for a statement, by kind.",
            unit="short",
            lines=[Line(expression=f"sum by (kind) (vanta_batch_waiting{{{_JOB}}})", legend="{{kind}}")],
        ),
        Panel(
            title="Events that wait",
            description="Events that are not in Redis Streams yet.",
            unit="short",
            lines=[Line(expression=f"max(vanta_relay_lag_events{{{_JOB}}})", legend="events")],
        ),
        Panel(
            title="Age of the oldest event that waits",
            description="How late audit, webhooks and watches are.",
            unit="s",
            lines=[Line(expression=f"max(vanta_relay_lag_seconds{{{_JOB}}})", legend="age")],
            limit=300,
        ),
        Panel(
            title="Webhooks",
            description="Attempts to deliver an event a second, by result.",
            unit="ops",
            lines=[Line(expression=_rate("vanta_webhook_deliveries_total", "result"), legend="{{result}}")],
        ),
        Panel(
            title="Calls of KMS",
            description="A second, by operation and result.",
            unit="ops",
            lines=[
                Line(
                    expression=_rate("vanta_kms_calls_total", "operation, result"),
                    legend="{{operation}} {{result}}",
                )
            ],
        ),
    ],
)
