"""What the API says of itself: its description and its metrics."""

from importlib.metadata import version

import msgspec
import prometheus_client

from app.api import openapi
from app.api.messages import Request, Response
from app.api.routes import ROUTES


class ReferenceHandlers:
    """The handlers of the reference routes."""

    def __init__(self) -> None:
        self._openapi = msgspec.json.encode(openapi.document(ROUTES, version("vanta")))

    async def openapi(self, request: Request) -> Response:  # noqa: ARG002 - handlers share one signature
        """The OpenAPI document."""
        return Response(status=200, headers=[("content-type", "application/json")], body=self._openapi)

    async def metrics(self, request: Request) -> Response:  # noqa: ARG002 - handlers share one signature
        """The metrics of this process."""
        return Response(
            status=200,
            headers=[("content-type", prometheus_client.CONTENT_TYPE_PLAIN_0_0_4)],
            body=prometheus_client.generate_latest(),
        )
