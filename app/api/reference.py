"""What the API says of itself: its description and its metrics."""

from importlib.metadata import version

import msgspec
from prometheus_client import REGISTRY
from prometheus_client.exposition import choose_encoder

from app.api import openapi
from app.api.messages import Request, Response, header
from app.api.routes import ROUTES


class ReferenceHandlers:
    """The handlers of the reference routes."""

    def __init__(self) -> None:
        self._openapi = msgspec.json.encode(openapi.document(ROUTES, version("vanta")))

    async def openapi(self, request: Request) -> Response:  # noqa: ARG002 - handlers share one signature
        """The OpenAPI document."""
        return Response(status=200, headers=[("content-type", "application/json")], body=self._openapi)

    async def metrics(self, request: Request) -> Response:
        """The metrics of this process, with exemplars for whoever accepts OpenMetrics."""
        encode, content_type = choose_encoder(header(request.headers, "accept") or "")
        return Response(
            status=200,
            headers=[("content-type", content_type)],
            body=encode(REGISTRY),
        )
