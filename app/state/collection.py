"""Settings of collections: what holds for all documents of one, where a request does not say otherwise."""

from typing import Literal
from uuid import UUID

import asyncpg
import msgspec

_COLUMNS = "collection, concurrency, ttl, max_versions, keep_versions_days"
_GET = f"select {_COLUMNS} from vanta.get_collections($1, $2, $3, $4)"  # noqa: S608 - constants
_PUT = "select vanta.put_collection($1, $2, $3, $4, $5, $6, $7)"
_DELETE = "select vanta.delete_collection($1, $2, $3)"


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """Settings of a collection; None is the default (ADR 0017), ``ttl`` is in seconds."""

    concurrency: Literal["precondition", "last-write-wins"] = "precondition"
    ttl: int | None = None
    max_versions: int | None = None
    keep_versions_days: int | None = None


class Collections:
    """Reads and writes through one pool; raises what asyncpg raises when the database cannot be used."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool

    async def get(self, tenant: UUID, collection: str) -> Settings | None:
        """The settings, None if nobody has set any."""
        rows = await self._pool.fetch(_GET, tenant, collection, None, 1)
        return _settings(rows[0]) if rows else None

    async def page(self, tenant: UUID, *, after: str, limit: int) -> tuple[dict[str, Settings], bool]:
        """The settings of collections named after ``after``, in order; and whether there are more."""
        rows = await self._pool.fetch(_GET, tenant, None, after, limit + 1)
        return {row["collection"]: _settings(row) for row in rows[:limit]}, len(rows) > limit

    async def put(self, tenant: UUID, collection: str, settings: Settings, traceparent: str | None) -> None:
        """Set all settings; from then on every write anywhere follows them."""
        await self._pool.execute(
            _PUT,
            tenant,
            collection,
            settings.concurrency,
            settings.ttl,
            settings.max_versions,
            settings.keep_versions_days,
            traceparent,
        )

    async def delete(self, tenant: UUID, collection: str, traceparent: str | None) -> bool:
        """Go back to the defaults; whether there were settings."""
        return await self._pool.fetchval(_DELETE, tenant, collection, traceparent)


def _settings(row: asyncpg.Record) -> Settings:
    return Settings(
        concurrency=row["concurrency"],
        ttl=row["ttl"],
        max_versions=row["max_versions"],
        keep_versions_days=row["keep_versions_days"],
    )
