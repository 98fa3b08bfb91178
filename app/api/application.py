"""The RSGI application: one request in, one answer out, counted and logged.

There is no framework in between: docs/adr/0006-http-server.md has what each would cost.
"""

import time
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any
from uuid import UUID

import structlog

from app import metrics
from app.api import access, problems, query, sealing
from app.api.limits import Limits
from app.api.messages import Outgoing, Request, Response, Scope, Transport
from app.api.problems import ProblemError
from app.api.router import Router
from app.db.postgres import UNREACHABLE
from app.logs import RequestLog
from app.secrets.errors import SealingError
from app.tenancy.authenticator import Authenticator
from app.tenancy.rates import Rates
from app.tracing import Tracing

log = structlog.get_logger()

# What a client may call a method is up to the client; a metric's labels are not.
_NO_ROUTE = "none"
_WRITING = frozenset({"write", "admin"})


class Application:
    """Answers requests through ``router``; ``authenticator`` says who sends them, ``rates`` whether they
    may so soon, ``limits`` what there is for them, ``requests`` is told of each.

    ``wrote`` is told of the tenant of each that may have written and was not refused, ``tracing`` of each where there is one.
    """

    def __init__(
        self,
        router: Router,
        authenticator: Authenticator,
        rates: Rates,
        limits: Limits,
        requests: RequestLog,
        wrote: Callable[[UUID], None],
        tracing: Tracing | None = None,
    ) -> None:
        self._router = router
        self._authenticator = authenticator
        self._rates = rates
        self._limits = limits
        self._requests = requests
        self._wrote = wrote
        self._tracing = tracing

    async def __call__(self, scope: Scope, transport: Transport) -> None:
        """Answer one request; never raises."""
        started = time.perf_counter()
        request = Request(scope, transport)
        route = method = _NO_ROUTE
        try:
            served, request.parameters = self._router.find(request.method, request.path)
            route, method = served.path, served.route.method
            if served.route.verb:
                await self._authenticate(request)
                access.check_rate(request.principal, self._rates, started)
                access.check(request.principal, served.route, request.parameters)
            if served.route.unread:
                access.check_headers(request.headers, served.route)
            if request.query_string or served.route.query:
                request.query = query.parse(request.query_string, served.route.query)
            response = await served.handler(request)
            if served.route.verb in _WRITING and request.tenant is not None:
                self._wrote(request.tenant)
        except ProblemError as error:
            if error.kind is problems.QUOTA_EXCEEDED:
                error.detail = await self._limits.detail(error, request)
            response = problems.response(error, request.request_id)
        except SealingError as error:
            response = problems.response(sealing.refusal(error, request.request_id), request.request_id)
        except UNREACHABLE as error:
            log.warning("database.unreachable", request_id=request.request_id, error=type(error).__name__)
            detail = "PostgreSQL did not answer. If this was a write, whether it happened is not known: read, then try again."
            refusal = ProblemError(problems.UNAVAILABLE, detail, (("retry-after", "1"),))
            response = problems.response(refusal, request.request_id)
        except Exception:  # whatever it is, the client gets an answer and the log the cause
            log.exception("request.failed", request_id=request.request_id)
            refusal = ProblemError(problems.INTERNAL, "It was logged under this request id.")
            response = problems.response(refusal, request.request_id)
        outgoing = _answer(request, response, transport)
        seconds = time.perf_counter() - started
        count, observe = _series(method, route, response.status)
        count()
        observe(
            seconds,
            None if self._tracing is None else self._traced(method, route, response.status, seconds, request),
        )
        self._requests.add(
            method=method,
            route=route,
            status=response.status,
            seconds=seconds,
            tenant=request.tenant,
            principal=request.principal.id,
            request_id=request.request_id,
            traceparent=request.traceparent,
        )
        if outgoing is not None:
            await _stream(request, response, outgoing)

    def _traced(
        self, method: str, route: str, status: int, seconds: float, request: Request
    ) -> Mapping[str, str] | None:
        assert self._tracing is not None  # noqa: S101 - asked before
        return self._tracing.request(
            method=None if method == _NO_ROUTE else method,
            route=None if route == _NO_ROUTE else route,
            status=status,
            seconds=seconds,
            request_id=request.request_id,
            traceparent=request.traceparent,
        )

    async def _authenticate(self, request: Request) -> None:
        principal = await self._authenticator.principal(request.headers.get("authorization"))
        if principal is None:
            raise ProblemError(
                problems.UNAUTHENTICATED,
                "Send Authorization: Bearer with an API key of your tenant, or a token of an issuer it trusts.",
                (("www-authenticate", 'Bearer realm="vanta"'),),
            )
        request.principal = principal
        request.tenant = principal.tenant


def _answer(request: Request, response: Response, transport: Transport) -> Outgoing | None:
    """Send ``response``; what is left to do is where the pieces of its stream go, if it has one."""
    headers = response.headers
    headers.append(("x-request-id", request.request_id))
    if response.stream is not None:
        return transport.response_stream(response.status, headers)
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
    return None


async def _stream(request: Request, response: Response, outgoing: Outgoing) -> None:
    """Send the pieces; its status has gone out, so all that can be done about a failure is to end."""
    assert response.stream is not None  # noqa: S101 - there is where to send it
    try:
        await response.stream(outgoing)
    except UNREACHABLE as error:
        log.warning("stream.ended", request_id=request.request_id, error=type(error).__name__)
    except Exception:  # whatever it is, the client sees the end and the log the cause
        log.exception("stream.failed", request_id=request.request_id)


@cache
def _series(method: str, route: str, status: int) -> tuple[Any, Any]:
    """The two series of a kind of answer; looking them up by label costs more than counting."""
    return (
        metrics.REQUESTS.labels(method, route, status).inc,
        metrics.REQUEST_SECONDS.labels(method, route).observe,
    )
