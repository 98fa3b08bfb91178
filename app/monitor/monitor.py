"""Looking at everything, again and again."""

import asyncio
import json
import time
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Self
from urllib.error import HTTPError
from urllib.request import urlopen
from uuid import UUID

import asyncpg
import hiredis

from app.db import postgres
from app.db.redis import Redis, RedisLostError
from app.monitor import database
from app.monitor.picture import Cache, Picture, Writer
from app.settings import Settings

_SHOWN = 10
_PATIENCE_SECONDS = 3.0


class Monitor:
    """Use as ``async with``; :meth:`look` raises :data:`app.db.postgres.UNREACHABLE` and can then be called again."""

    def __init__(self, settings: Settings, url: str) -> None:
        self._settings = settings
        self._url = url
        self._redis = Redis(settings)
        self._connection: asyncpg.Connection | None = None
        self._before: tuple[float, Mapping[UUID, int]] | None = None

    async def __aenter__(self) -> Self:
        self._watching = asyncio.create_task(self._redis.run())
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._watching.cancel()
        await asyncio.gather(self._watching, return_exceptions=True)
        if self._connection is not None:
            await self._connection.close()

    async def look(self) -> Picture:
        """How everything is doing; rates are since the look before."""
        if self._connection is None or self._connection.is_closed():
            self._connection = await postgres.connect(
                self._settings,
                "database-master",
                server_settings={"application_name": "vanta-monitor", "statement_timeout": "10000"},
            )
        connection = self._connection
        names = await database.names(connection)
        tenants = [*names]
        heads, now = await database.heads(connection, tenants), time.monotonic()
        kept, statements = await database.statements(connection)
        picture = Picture(
            at=datetime.now(UTC),
            api=await asyncio.to_thread(api_status, self._url),
            database=await database.server(connection),
            cache=await self._cache(*await database.epoch(connection)),
            replicas=await database.replicas(connection),
            statements=statements,
            statements_from="pg_stat_statements" if kept else "pg_stat_activity",
            migrations=await database.migrations(connection),
            outbox=await database.outbox(connection, tenants),
            writers=self._writers(names, heads, now),
        )
        self._before = now, heads
        return picture

    def _writers(self, names: Mapping[UUID, str], heads: Mapping[UUID, int], now: float) -> list[Writer]:
        if self._before is None:
            return []
        then, before = self._before
        writers = [
            Writer(
                tenant_id=str(tenant),
                name=names[tenant],
                writes_per_second=round((head - before[tenant]) / (now - then), 1),
            )
            for tenant, head in heads.items()
            if head > before.get(tenant, head)
        ]
        return sorted(writers, key=lambda writer: -writer.writes_per_second)[:_SHOWN]

    async def _cache(self, state: Any, cache_id: str) -> Cache:
        with suppress(TimeoutError):
            async with asyncio.timeout(_PATIENCE_SECONDS):
                while self._redis.server_id is None and not self._watching.done():  # noqa: ASYNC110 - it has no event to wait for
                    await asyncio.sleep(0.02)
        server = self._redis.server_id
        used = clients = None
        with suppress(RedisLostError, hiredis.ReplyError):
            information = (await self._redis.send("INFO")).decode()
            fields = dict(line.split(":", 1) for line in information.splitlines() if ":" in line)
            used, clients = int(fields["used_memory"]), int(fields["connected_clients"])
        return Cache(
            status="down" if server is None else "up",
            epoch=state,
            trusted=state == "open" and server == cache_id,
            used_bytes=used,
            clients=clients,
        )


def api_status(url: str) -> str:
    """What /readyz says, "down" if nobody answers."""
    try:
        with urlopen(f"{url}/readyz", timeout=_PATIENCE_SECONDS) as answer:  # noqa: S310 - the command checks the scheme
            return json.load(answer)["status"]
    except HTTPError as error:
        with suppress(ValueError, KeyError):
            return json.load(error)["status"]
        return "down"
    except (OSError, ValueError, KeyError):
        return "down"
