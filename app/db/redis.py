"""One pipelined connection to Redis: all commands of a moment leave as one write, and nothing waits for a timeout each.

redis-py opens a connection per concurrent operation; here thousands share one, which costs a future per command.
"""

import asyncio
import secrets
from collections import deque
from typing import Any, cast

import hiredis
import structlog

from app import metrics
from app.db import tls
from app.settings import Settings, SettingsError

#: A server that was emptied is another one: this key of it has no expiry, so it goes only with everything else.
LIFE_KEY = "vanta:life"

#: A command unanswered for so long (seconds) means that Redis is lost; callers go on without it.
PATIENCE_SECONDS = 0.25
_CONNECT_SECONDS = 2.0
_RETRY_SECONDS = (0.05, 0.1, 0.25, 0.5, 1.0)

log = structlog.get_logger()


class RedisLostError(Exception):
    """There is no connection, or it was lost before the reply; whether the command ran is unknown."""


class _Protocol(asyncio.Protocol):
    """Replies come in the order of the commands, so a queue of futures is all the bookkeeping."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._reader = hiredis.Reader()
        self._unsent: list[bytes] = []
        self._pending: deque[tuple[float, asyncio.Future[Any]]] = deque()
        self._transport: asyncio.Transport | None = None
        self.closed = self._loop.create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # What TLS over TCP gives; uvloop's does not descend from asyncio's.
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        self._reader.feed(data)
        try:
            while (reply := self._reader.gets()) is not False:
                _, future = self._pending.popleft()
                if future.done():
                    continue
                if isinstance(reply, hiredis.ReplyError):
                    future.set_exception(reply)
                else:
                    future.set_result(reply)
        except hiredis.ProtocolError:
            self.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        for _, future in self._pending:
            if not future.done():
                future.set_exception(RedisLostError("the connection was lost"))
                # Whoever gave up waiting is no reason for a warning.
                future.exception()
        self._pending.clear()
        if not self.closed.done():
            self.closed.set_result(exc)

    def send(self, *command: str | bytes | int) -> asyncio.Future[Any]:
        future = self._loop.create_future()
        if self._transport is None:
            future.set_exception(RedisLostError("there is no connection"))
            future.exception()
            return future
        if not self._unsent:
            self._loop.call_soon(self._flush)
        self._unsent.append(hiredis.pack_command(command))  # ty: ignore[invalid-argument-type] - the stub allows only one argument
        self._pending.append((self._loop.time(), future))
        return future

    def overdue(self) -> bool:
        return bool(self._pending) and self._loop.time() - self._pending[0][0] > PATIENCE_SECONDS

    def ping_if_idle(self) -> None:
        if not self._pending:
            self.send("PING")

    def abort(self) -> None:
        if self._transport is not None:
            self._transport.abort()

    def _flush(self) -> None:
        if self._transport is not None:
            self._transport.write(b"".join(self._unsent))
        self._unsent.clear()


class Redis:
    """Keeps a connection to the cache of ``settings``; the AUTH token is read at each connect.

    ``server_id`` identifies the server reached now and what it holds, None without a connection: after a restart, a failover
    or a FLUSHALL it is another. ``life`` is what it has under :data:`LIFE_KEY` until it is emptied.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._protocol: _Protocol | None = None
        self.server_id: str | None = None
        self.life = ""

    def send(self, *command: str | bytes | int) -> asyncio.Future[Any]:
        """Queue ``command``; the future holds its reply, or :class:`RedisLostError`, or ``hiredis.ReplyError``."""
        if self._protocol is not None:
            return self._protocol.send(*command)
        future = asyncio.get_running_loop().create_future()
        future.set_exception(RedisLostError("there is no connection"))
        future.exception()
        return future

    def reconnect(self) -> None:
        """Drop the connection and make another: the server is no longer what it was."""
        if self._protocol is not None:
            self._protocol.abort()

    async def run(self) -> None:
        """Connect, watch, and connect again, until cancelled."""
        failures = 0
        while True:
            try:
                protocol = await self._connect()
            except (TimeoutError, OSError, RedisLostError, SettingsError, hiredis.HiredisError) as error:
                # The type only: a reply may quote what was sent.
                log.warning("cache.unreachable", error=type(error).__name__)
                await asyncio.sleep(_RETRY_SECONDS[min(failures, len(_RETRY_SECONDS) - 1)])
                failures += 1
                continue
            failures = 0
            log.info("cache.connected")
            metrics.CACHE_CONNECTED.set(1)
            try:
                await self._watch(protocol)
            finally:
                self._protocol = self.server_id = None
                metrics.CACHE_CONNECTED.set(0)
                protocol.abort()
            log.warning("cache.lost")

    async def _connect(self) -> _Protocol:
        token = self._settings.secrets.cache_token()
        engine = self._settings.cache
        async with asyncio.timeout(_CONNECT_SECONDS):
            _, protocol = await asyncio.get_running_loop().create_connection(
                _Protocol, engine.host, engine.port, ssl=tls.context(engine)
            )
            try:
                await protocol.send("AUTH", token)
                information = await protocol.send("INFO", "server")
                await protocol.send("SET", LIFE_KEY, secrets.token_hex(8), "NX")
                life = (await protocol.send("GET", LIFE_KEY) or b"").decode()
            except BaseException:
                protocol.abort()
                raise
        self.life = life
        self.server_id = f"{_field(information, 'run_id')}.{life}"
        self._protocol = protocol
        return protocol

    async def _watch(self, protocol: _Protocol) -> None:
        """Return once the connection is lost or a reply is overdue: one timer instead of one per command."""
        while not protocol.closed.done():
            # So that a server which went silent is noticed without traffic too.
            protocol.ping_if_idle()
            # Not wait_for: up to Python 3.11 it swallows a cancellation that comes together with the loss.
            await asyncio.wait([protocol.closed], timeout=PATIENCE_SECONDS / 4)
            if protocol.overdue():
                return


def _field(information: bytes, name: str) -> str:
    for line in information.decode().splitlines():
        field, _, value = line.partition(":")
        if field == name:
            return value
    raise RedisLostError(f"the server does not tell its {name}")
