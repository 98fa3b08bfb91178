"""A request and its answer, as handlers see them."""

import asyncio
import random
import re
from collections.abc import Awaitable, Callable
from typing import Any, Protocol
from uuid import UUID

import msgspec
from granian.rsgi import ProtocolClosed

from app.tenancy.principal import NOBODY, Principal

_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
# W3C Trace Context, version 00.
_TRACEPARENT = re.compile(r"00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")


class Headers(Protocol):
    """The part of granian's headers used here; names are lower case."""

    def __contains__(self, key: str) -> bool: ...

    def get(self, key: str, default: str | None = None) -> str | None: ...

    def get_all(self, key: str) -> list[str]: ...


class Scope(Protocol):
    """The part of RSGI's scope used here; ``path`` is percent-decoded."""

    method: str
    path: str
    query_string: str
    headers: Headers


class Transport(Protocol):
    """The part of RSGI's HTTP protocol used here."""

    def __call__(self) -> Awaitable[bytes]: ...

    def __aiter__(self) -> "Transport": ...

    async def __anext__(self) -> bytes: ...

    def response_empty(self, status: int, headers: list[tuple[str, str]]) -> None: ...

    def response_bytes(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None: ...

    def response_stream(self, status: int, headers: list[tuple[str, str]]) -> "Outgoing": ...

    async def client_disconnect(self) -> None: ...


class Outgoing(Protocol):
    """The part of RSGI's stream transport used here; sending waits until the client has taken what was sent before."""

    async def send_bytes(self, data: bytes) -> None: ...


# What stands for a value that is not ASCII: granian leaves such out, and nothing here accepts this one. A condition
# that cannot be read must not become no condition.
_UNREADABLE = "\N{REPLACEMENT CHARACTER}"


def header(headers: Headers, name: str) -> str | None:
    """The value of ``name``, None only if it was not sent."""
    # Most that are looked for are not there, and one question is enough for those.
    if name not in headers:
        return None
    value = headers.get(name)
    return _UNREADABLE if value is None else value


def header_lines(headers: Headers, name: str) -> list[str]:
    """All values of ``name``, empty only if it was not sent."""
    return (headers.get_all(name) or [_UNREADABLE]) if name in headers else []


class BodyTooLargeError(Exception):
    """More bytes came, or were announced, than are read."""


class BodyIncompleteError(Exception):
    """The client left, or said no more, before all of it had come."""


class Request:
    """One request on its way; ``parameters`` are those of its route's path, in order, ``query`` is of the route's schema."""

    __slots__ = (
        "headers",
        "method",
        "parameters",
        "path",
        "principal",
        "query",
        "query_string",
        "request_id",
        "tenant",
        "traceparent",
        "transport",
    )

    def __init__(self, scope: Scope, transport: Transport) -> None:
        self.method = scope.method
        self.path = scope.path
        self.query_string = scope.query_string
        self.headers = scope.headers
        self.transport = transport
        self.parameters: tuple[str, ...] = ()
        self.query: Any = None
        self.principal: Principal = NOBODY
        self.tenant: UUID | None = None
        given = self.headers.get("x-request-id")
        # It guards nothing, and the system's random source would cost a twentieth of a read.
        self.request_id = (
            given if given and _REQUEST_ID.fullmatch(given) else f"{random.getrandbits(64):016x}"
        )
        trace = self.headers.get("traceparent")
        self.traceparent = trace if trace and _TRACEPARENT.fullmatch(trace) else None

    @property
    def announced(self) -> int | None:
        """How many bytes the body was announced to have: the server reads no more and knows when there is less. None: nobody said."""
        length = self.headers.get("content-length")
        if length is None or not length.isdigit() or "transfer-encoding" in self.headers:
            return None
        return int(length)

    async def body(self, limit: int, seconds: float) -> bytes:
        """All of the body; raises :class:`BodyTooLargeError` beyond ``limit`` bytes, TimeoutError after ``seconds``.

        Raises :class:`BodyIncompleteError` for less than was announced. One in chunks ends where the client leaves, unseen.
        """
        announced = self.announced
        if announced is not None and announced > limit:
            raise BodyTooLargeError
        parts: list[bytes] = []
        size = 0
        async with asyncio.timeout(seconds):
            # Each piece would be a way through another thread.
            if announced is not None:
                try:
                    return await self.transport()
                except ProtocolClosed:
                    raise BodyIncompleteError from None
            async for part in self.transport:
                size += len(part)
                if size > limit:
                    raise BodyTooLargeError
                parts.append(part)
        return b"".join(parts)


def callers_tenant(request: Request) -> UUID:
    """The caller's tenant, for the handlers of routes whose verbs only the callers of a tenant have."""
    assert request.tenant is not None  # noqa: S101 - the operators, who have none, have no such verb
    return request.tenant


def caller_of(request: Request) -> tuple[UUID, str]:
    """The caller's tenant and own id, for what is remembered of who did it."""
    assert request.principal.id is not None  # noqa: S101 - who is known has an id
    return callers_tenant(request), request.principal.id


class Response(msgspec.Struct, kw_only=True):
    """An answer; a body of None is none at all, with no Content-Type either, unless ``stream`` sends it piece by piece."""

    status: int
    headers: list[tuple[str, str]] = []
    body: bytes | None = None
    stream: Callable[[Outgoing], Awaitable[None]] | None = None
