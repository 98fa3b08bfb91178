"""What operators and machines ask: health, metrics, the description."""

from app.api import problems
from app.api.health import Health, Readiness
from app.api.routes.route import Answer, Route

ROUTES = (
    Route(
        method="GET",
        path="/healthz",
        handler="health.live",
        summary="Is the process alive?",
        description="Asks no dependency: restarting this process would not mend one.",
        answers={200: Answer(description="It is.", body=Health)},
        problems=(problems.INVALID_QUERY, problems.INTERNAL),
    ),
    Route(
        method="GET",
        path="/readyz",
        handler="health.ready",
        summary="Will requests succeed here?",
        description="Names each dependency. Without the cache requests still succeed: degraded, 200.",
        answers={
            200: Answer(description="Ready, or degraded.", body=Readiness),
            503: Answer(description="Unready, or draining before the process ends.", body=Readiness),
        },
        problems=(problems.INVALID_QUERY, problems.INTERNAL),
    ),
    Route(
        method="GET",
        path="/metrics",
        handler="reference.metrics",
        summary="Metrics",
        description="Prometheus text format.",
        answers={200: Answer(description="All metrics of this process.", body="text")},
        problems=(problems.INVALID_QUERY, problems.INTERNAL),
    ),
    Route(
        method="GET",
        path="/openapi.json",
        handler="reference.openapi",
        summary="This description",
        description="OpenAPI 3.1, made from the same table the requests are routed by.",
        answers={200: Answer(description="The OpenAPI document.", body="document")},
        problems=(problems.INVALID_QUERY, problems.INTERNAL),
    ),
)
