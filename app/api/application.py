"""The RSGI application: one request in, one answer out, counted and logged.

There is no framework in between: docs/adr/0006-http-server.md has what each would cost.
"""

import time
from functools import cache
from typing import Any

import structlog

from app import metrics
from app.api import problems, query
from app.api.messages import Request, Response, Scope, Transport
from app.api.problems import ProblemError
from app.api.router import Router
from app.db.postgres import UNREACHABLE
from app.logs import RequestLog
from app.tenancy.authenticator import Authenticator

log = structlog.get_logger()

# What a client may call a method is up to the client; a metric's labels are not.
_NO_ROUTE = "none"


class Application:
    """Answers requests through ``router``; routes that need a tenant get it from ``authenticator``, ``requests`` is told of each."""

    def __init__(self, router: Router, authenticator: Authenticator, requests: RequestLog) -> None:
        self._router = router
        self._authenticator = authenticator
        self._requests = requests

    async def __call__(self, scope: Scope, transport: Transport) -> None:
        """Answer one request; never raises."""
        started = time.perf_counter()
        request = Request(scope, transport)
        route = method = _NO_ROUTE
        try:
            served, request.parameters = self._router.find(request.method, request.path)
            route, method = served.route.plain_path, served.route.method
            if served.route.verb:
                await self._authenticate(request)
            if request.query_string or served.route.query:
                request.query = query.parse(request.query_string, served.route.query)
            response = await served.handler(request)
        except ProblemError as error:
            response = problems.response(error, request.request_id)
        except UNREACHABLE as error:
            log.warning("database.unreachable", request_id=request.request_id, error=type(error).__name__)
            detail = "PostgreSQL did not answer. If this was a write, whether it happened is not known: read, then try again."
            refusal = ProblemError(problems.UNAVAILABLE, detail, (("retry-after", "1"),))
            response = problems.response(refusal, request.request_id)
        except Exception:  # whatever it is, the client gets an answer and the log the cause
            log.exception("request.failed", request_id=request.request_id)
            refusal = ProblemError(problems.INTERNAL, "It was logged under this request id.")
            response = problems.response(refusal, request.request_id)
        _answer(request, response, transport)
        seconds = time.perf_counter() - started
        count, observe = _series(method, route, response.status)
        count()
        observe(seconds)
        self._requests.add(
            method=method,
            route=route,
            status=response.status,
            seconds=seconds,
            tenant=request.tenant,
            request_id=request.request_id,
            traceparent=request.traceparent,
        )

    async def _authenticate(self, request: Request) -> None:
        request.tenant = await self._authenticator.tenant(request.headers.get("authorization"))
        if request.tenant is None:
            raise ProblemError(
                problems.UNAUTHENTICATED,
                "Send Authorization: Bearer with an API key of your tenant.",
                (("www-authenticate", 'Bearer realm="vanta"'),),
            )


def _answer(request: Request, response: Response, transport: Transport) -> None:
    headers = response.headers
    headers.append(("x-request-id", request.request_id))
    if response.body is None:
        # Without it a client would wait for a body that ends with the connection.
        if response.status not in {204, 304}:
            headers.append(("content-length", "0"))
        transport.response_empty(response.status, headers)
    elif request.method == "HEAD":
        headers.append(("content-length", str(len(response.body))))
        transport.response_empty(response.status, headers)
    else:
        transport.response_bytes(response.status, headers, response.body)


@cache
def _series(method: str, route: str, status: int) -> tuple[Any, Any]:
    """The two series of a kind of answer; looking them up by label costs more than counting."""
    return (
        metrics.REQUESTS.labels(method, route, status).inc,
        metrics.REQUEST_SECONDS.labels(method, route).observe,
    )
