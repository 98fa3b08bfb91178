"""A worker that is about to end: each answer asks its client to connect anew, to somebody who stays."""

from collections.abc import Awaitable

from app.api.messages import Outgoing, Transport

_CLOSE = ("connection", "close")


class Leaving:
    """``transport``, whose answer is the last of its connection.

    Without it, connections that are kept open end when the process does, and a request that is just then sent on one of them
    is lost: its client cannot know whether it was read.

    Source: RFC 9112, section 9.6, "Tear-down".
    """

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def __call__(self) -> Awaitable[bytes]:
        """The body of the request."""
        return self._transport()

    def __aiter__(self) -> Transport:
        """The body of the request, part by part."""
        return self._transport.__aiter__()

    async def __anext__(self) -> bytes:
        """The next part of the body."""
        return await self._transport.__anext__()

    def response_empty(self, status: int, headers: list[tuple[str, str]]) -> None:
        """An answer without a body."""
        self._transport.response_empty(status, [*headers, _CLOSE])

    def response_bytes(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
        """An answer with its body."""
        self._transport.response_bytes(status, [*headers, _CLOSE], body)

    def response_stream(self, status: int, headers: list[tuple[str, str]]) -> Outgoing:
        """The beginning of an answer."""
        return self._transport.response_stream(status, [*headers, _CLOSE])

    async def client_disconnect(self) -> None:
        """Return when the client has left."""
        await self._transport.client_disconnect()
