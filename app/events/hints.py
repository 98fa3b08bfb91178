"""Who has written: a hint to whoever reads events, in this process at once and in others through Redis.

Only a hint: all who get it also look by themselves now and then, so a lost one costs time and no event. One command of Redis
speaks of all writes of some milliseconds, where PostgreSQL's NOTIFY would cost each of them.
"""

import asyncio
import contextlib
import secrets
from collections.abc import Callable, Collection
from uuid import UUID

import hiredis
import structlog

from app.db import tls
from app.db.redis import Redis
from app.settings import Settings, SettingsError

CHANNEL = "vanta:wrote"
#: Seconds between two hints of a process to the others; the first after a pause leaves at once.
_PAUSE_SECONDS = 0.005
_RETRY_SECONDS = 0.5
_CONNECT_SECONDS = 2.0
# A subscriber that hears nothing asks whether the server is still there.
_IDLE_SECONDS = 5.0
_ID_BYTES = 16

Heard = Callable[[Collection[UUID]], None]

log = structlog.get_logger()


class Hints:
    """Tells ``here`` of the tenants this process has written for, and ``elsewhere`` of those that others have."""

    def __init__(self, settings: Settings, redis: Redis, *, here: Heard, elsewhere: Heard) -> None:
        self._settings = settings
        self._redis = redis
        self._here = here
        self._elsewhere = elsewhere
        self._fresh: set[UUID] = set()
        self._quiet_until = 0.0
        self._me = secrets.token_bytes(_ID_BYTES)
        #: Whether hints of others can be heard at this moment.
        self.connected = False

    def wrote(self, tenant: UUID) -> None:
        """A write of ``tenant`` has been acknowledged."""
        if tenant in self._fresh:
            return
        if not self._fresh:
            loop = asyncio.get_running_loop()
            now = loop.time()
            loop.call_later(max(0.0, self._quiet_until - now), self._flush)
        self._fresh.add(tenant)

    def _flush(self) -> None:
        tenants, self._fresh = self._fresh, set()
        self._quiet_until = asyncio.get_running_loop().time() + _PAUSE_SECONDS
        self._here(tenants)
        told = self._redis.send("PUBLISH", CHANNEL, self._me + b"".join(tenant.bytes for tenant in tenants))
        # Nobody waits for the answer, and a refusal costs the others some time only.
        told.add_done_callback(lambda future: future.cancelled() or future.exception())

    async def run(self) -> None:
        """Listen to the others, connecting again whenever the connection is lost, until cancelled."""
        while True:
            try:
                await self._listen()
            except (TimeoutError, OSError, EOFError, SettingsError, hiredis.HiredisError) as error:
                log.debug("hints.lost", error=type(error).__name__)
            await asyncio.sleep(_RETRY_SECONDS)

    async def _listen(self) -> None:
        engine = self._settings.cache
        async with asyncio.timeout(_CONNECT_SECONDS):
            reader, writer = await asyncio.open_connection(engine.host, engine.port, ssl=tls.context(engine))
        try:
            for command in (("AUTH", self._settings.secrets.cache_token()), ("SUBSCRIBE", CHANNEL)):
                writer.write(hiredis.pack_command(command))  # ty: ignore[invalid-argument-type] - the stub allows only one argument
            await self._hear(reader, writer)
        finally:
            self.connected = False
            writer.transport.abort()

    async def _hear(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        replies = hiredis.Reader()
        asked = False
        while True:
            data = b""
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_IDLE_SECONDS):
                    data = await reader.read(65536)
                    if not data:
                        raise EOFError
            if not data:
                if asked:
                    raise TimeoutError
                asked = True
                writer.write(hiredis.pack_command(("PING",)))
                continue
            asked = False
            replies.feed(data)
            while (reply := replies.gets()) is not False:
                self._take(reply)

    def _take(self, reply: object) -> None:
        if isinstance(reply, hiredis.ReplyError):
            raise reply
        if not isinstance(reply, list):
            return
        if reply[0] == b"subscribe":
            self.connected = True
        elif reply[0] == b"message" and reply[2][:_ID_BYTES] != self._me:
            payload = reply[2]
            self._elsewhere(
                {UUID(bytes=payload[at : at + 16]) for at in range(_ID_BYTES, len(payload) - 15, 16)}
            )
