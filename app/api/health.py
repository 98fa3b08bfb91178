"""Is it alive, is it ready, and on what does that depend?"""

import asyncio
from collections.abc import Callable
from typing import Literal

import asyncpg
import msgspec

from app.api.messages import Request, Response
from app.db.postgres import UNREACHABLE

_PATIENCE_SECONDS = 1.0


class Health(msgspec.Struct, frozen=True, kw_only=True):
    """The process answers."""

    status: Literal["ok"] = "ok"


class Dependency(msgspec.Struct, frozen=True, kw_only=True):
    """One engine; requests succeed without one that is not ``required``."""

    status: Literal["up", "down"]
    required: bool


class Readiness(msgspec.Struct, frozen=True, kw_only=True):
    """Whether to send requests here, and what is behind the answer."""

    status: Literal["ready", "degraded", "unready", "draining"]
    dependencies: dict[str, Dependency]


class HealthHandlers:
    """The handlers for orchestrators."""

    def __init__(self, pool: asyncpg.Pool, cache_up: Callable[[], bool]) -> None:
        self._pool = pool
        self._cache_up = cache_up
        #: Set when the process is about to end: from then on it is not ready, but still answers everything.
        self.draining = False

    async def live(self, request: Request) -> Response:  # noqa: ARG002 - handlers share one signature
        """200 as long as the event loop turns; no dependency is asked, for a restart would not mend one."""
        return _json(200, Health())

    async def ready(self, request: Request) -> Response:  # noqa: ARG002 - handlers share one signature
        """200 when requests will succeed: PostgreSQL takes writes. Without Redis they do, only slower: degraded."""
        database, cache = await self._database_up(), self._cache_up()
        dependencies = {
            "database": Dependency(status="up" if database else "down", required=True),
            "cache": Dependency(status="up" if cache else "down", required=False),
        }
        if self.draining:
            return _json(503, Readiness(status="draining", dependencies=dependencies))
        if not database:
            return _json(503, Readiness(status="unready", dependencies=dependencies))
        return _json(200, Readiness(status="ready" if cache else "degraded", dependencies=dependencies))

    async def _database_up(self) -> bool:
        try:
            async with asyncio.timeout(_PATIENCE_SECONDS):
                # The ledger's newest table and a writer: a replica, or a database without migrations, is not ready.
                return await self._pool.fetchval(
                    "select not pg_is_in_recovery() and to_regclass('vanta.cache_epoch') is not null"
                )
        except UNREACHABLE:
            return False


def _json(status: int, body: msgspec.Struct) -> Response:
    return Response(
        status=status,
        headers=[("content-type", "application/json"), ("cache-control", "no-store")],
        body=msgspec.json.encode(body),
    )
