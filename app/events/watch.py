"""One watch: the events of a tenant from a revision on, in order, each once, until its end."""

import asyncio
from collections.abc import Awaitable, Callable
from uuid import UUID

from app.events.event import Filter
from app.events.hub import Hub
from app.events.outbox import GoneError
from app.events.position import Position

#: Seconds without an event after which a watch says that it is still there, and up to which revision it has come.
HEARTBEAT_SECONDS = 15.0
#: Bytes that one connection carries. The server keeps what a client does not take, without a bound and without a word, so a
#: watch ends here and its client resumes: one that never reads costs no more than one that never reads a document.
CONNECTION_BYTES = 1024 * 1024
#: Seconds after which it is asked again whether the client still may watch.
ASK_SECONDS = 15.0

Send = Callable[[bytes], Awaitable[None]]
Allowed = Callable[[], Awaitable[bool]]


class Watch:
    """Sends server-sent events; a client that resumes from the last ``id`` misses none.

    ``allowed`` is asked now and then, and the watch ends when it no longer is.
    """

    def __init__(self, hub: Hub, tenant: UUID, wanted: Filter, allowed: Allowed) -> None:
        self._hub = hub
        self._tenant = tenant
        self._wanted = wanted
        self._allowed = allowed
        self._position = Position(0)
        self._waker = asyncio.Event()
        self._sent = 0
        self._closed = False

    async def begin(self, after: Position | None) -> None:
        """Take a place, after ``after`` or now; raises what :meth:`Hub.join` raises, and :class:`GoneError`."""
        self._tail = await self._hub.join(self._tenant, self._waker)
        try:
            if after is None:
                # The tail may be older than a write that the caller has made; what is newer than this is sent.
                self._position = await self._hub.head(self._tenant)
            elif after in self._tail:
                self._position = after
            else:
                self._position = (await self._hub.page(self._tenant, after)).after
        except BaseException:
            self.end()
            raise

    def end(self) -> None:
        """Give the place back."""
        self._hub.leave(self._tenant, self._tail, self._waker)

    def close(self) -> None:
        """The client has gone."""
        self._closed = True
        self._waker.set()

    async def run(self, send: Send) -> None:
        """Send what comes, until the client has gone or has had enough for one connection, or the process drains."""
        loop = asyncio.get_running_loop()
        ask_at = loop.time() + ASK_SECONDS
        await self._send(send, b": watching\nretry: 1000\n" + self._bookmark())
        while not (self._closed or self._tail.lost or self._hub.draining):
            if self._sent > CONNECTION_BYTES:
                # Nothing is wrong, so the client need not wait before it comes again.
                await self._send(send, b"retry: 0\n" + self._bookmark())
                return
            if loop.time() >= ask_at:
                if not await self._allowed():
                    break
                ask_at = loop.time() + ASK_SECONDS
            self._waker.clear()
            try:
                if await self._advance(send):
                    continue
            except GoneError:
                # Overtaken by retention, or lost: the client is told when it resumes.
                return
            try:
                async with asyncio.timeout(HEARTBEAT_SECONDS):
                    await self._waker.wait()
            except TimeoutError:
                await self._send(send, b": heartbeat\n" + self._bookmark())
        if not self._closed:
            await self._send(send, self._bookmark())

    async def _advance(self, send: Send) -> bool:
        """Send the next events; whether there were any."""
        floor = self._tail.floor
        events = self._tail.since(self._position.revision)
        if events is None:
            events = (await self._hub.page(self._tenant, self._position)).events
            # Nothing up to the floor: revisions of which nobody has told.
            through = events[-1].position if events else floor
        elif events:
            through = events[-1].position
        else:
            return False
        messages = b"".join(event.message for event in events if self._wanted.wants(event))
        if messages:
            await self._send(send, messages)
        self._position = through
        return True

    async def _send(self, send: Send, data: bytes) -> None:
        self._sent += len(data)
        await send(data)

    def _bookmark(self) -> bytes:
        """An id without data, which clients remember and pass to nobody: filtered watches resume from there too."""
        return b"id: %b\n\n" % str(self._position).encode()
