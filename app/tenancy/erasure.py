"""The end of a tenant: nothing of it stays, in PostgreSQL or in the cache, but that it was."""

import asyncio
from collections.abc import Callable
from uuid import UUID

import asyncpg

from app.db.redis import Redis
from app.tenancy.authenticator import REMEMBER_SECONDS

# Rows of a table at a time: some take others along that lean on them.
_ROWS = 500
_STATEMENT_SECONDS = 60
_SCANNED_KEYS = 1000


class NotErasedError(Exception):
    """Nothing was erased: there is no such tenant, or (``mismatch``) it has another name."""

    def __init__(self, *, mismatch: bool) -> None:
        super().__init__()
        self.mismatch = mismatch


class Eraser:
    """Erases tenants; what was interrupted goes on when it is asked for again. ``forget`` is told of each whose keys have ended."""

    def __init__(self, pool: asyncpg.Pool, redis: Redis, forget: Callable[[UUID], None]) -> None:
        self._pool = pool
        self._redis = redis
        self._forget_keys = forget

    async def erase(self, tenant: UUID, name: str, *, by: str, traceparent: str | None) -> None:
        """Erase ``tenant``, which has to be called ``name``; raises :class:`NotErasedError`.

        From the first step on none of its keys works. Raises what the database raises, and ``app.db.redis.RedisLostError``:
        then it is not over.
        """
        outcome = await self._pool.fetchval(
            "select vanta.begin_erasure($1, $2, $3, $4)", tenant, name, by, traceparent
        )
        if outcome != "erasing":
            raise NotErasedError(mismatch=outcome == "mismatch")
        self._forget_keys(tenant)
        # Until then other processes may believe its keys, and write, read and cache.
        await asyncio.sleep(REMEMBER_SECONDS)
        tables = {row[0] for row in await self._pool.fetch("select vanta.tenant_tables()")}
        while tables:
            tables = {table for table in sorted(tables) if not await self._emptied(tenant, table)}
        await self._forget(tenant)
        await self._pool.execute("select vanta.end_erasure($1, $2)", tenant, by)

    async def _emptied(self, tenant: UUID, table: str) -> bool:
        """Whether nothing of ``tenant`` is left in ``table``; False if rows of another table lean on it."""
        while True:
            async with self._pool.acquire() as connection, connection.transaction():
                await connection.execute(
                    "select set_config('statement_timeout', $1, true)", f"{_STATEMENT_SECONDS}s"
                )
                taken = await connection.fetchval(
                    "select vanta.erase_some($1, $2, $3)", tenant, table, _ROWS, timeout=_STATEMENT_SECONDS
                )
            if taken is None:
                return False
            if taken < _ROWS:
                return True

    async def _forget(self, tenant: UUID) -> None:
        """Remove what Redis has of ``tenant``: cached documents, events, counts, all of which name it in their keys."""
        for text in (tenant.hex, str(tenant)):
            cursor = b"0"
            while True:
                cursor, found = await self._redis.send(
                    "SCAN", cursor, "MATCH", f"*{text}*", "COUNT", _SCANNED_KEYS
                )
                if found:
                    await self._redis.send("UNLINK", *found)
                if cursor == b"0":
                    break
