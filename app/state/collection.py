"""Settings of collections: what holds for all documents of one, where a request does not say otherwise."""

from typing import Literal
from uuid import UUID

import asyncpg
import msgspec

from app.state.document import Condition, Outcome

_COLUMNS = (
    "c.collection, c.concurrency, c.ttl, c.max_versions, c.keep_versions_days, vanta.collection_tag(c) as tag"
)
_GET = f"select {_COLUMNS} from vanta.get_collections($1, $2, $3, $4) c"  # noqa: S608 - constants
_PUT = "select refusal, tag from vanta.put_collection($1, $2, $3, $4, $5, $6, $7, $8, $9)"
_DELETE = "select vanta.delete_collection($1, $2, $3, $4, $5)"


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """Settings of a collection; None is the default (ADR 0017), ``ttl`` is in seconds."""

    concurrency: Literal["precondition", "last-write-wins"] = "precondition"
    ttl: int | None = None
    max_versions: int | None = None
    keep_versions_days: int | None = None


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """Settings as they are now, with their strong validator, quoted; opaque to clients."""

    settings: Settings
    etag: str


class Collections:
    """Reads and writes through one pool; raises what asyncpg raises when the database cannot be used.

    ``condition`` and ``etags`` are those of a write of a document, but for "merge": they are judged where the change is made.
    """

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool

    async def get(self, tenant: UUID, collection: str) -> Found | None:
        """The settings, None if nobody has set any."""
        rows = await self._pool.fetch(_GET, tenant, collection, None, 1)
        return _found(rows[0]) if rows else None

    async def page(self, tenant: UUID, *, after: str, limit: int) -> tuple[dict[str, Found], bool]:
        """The settings of collections named after ``after``, in order; and whether there are more."""
        rows = await self._pool.fetch(_GET, tenant, None, after, limit + 1)
        return {row["collection"]: _found(row) for row in rows[:limit]}, len(rows) > limit

    async def put(
        self,
        tenant: UUID,
        collection: str,
        settings: Settings,
        condition: Condition,
        etags: tuple[str, ...],
        traceparent: str | None,
    ) -> Found | Outcome:
        """Set all settings, and from then on every write anywhere follows them; an outcome is why they were not set."""
        refusal, tag = await self._pool.fetchrow(
            _PUT,
            tenant,
            collection,
            settings.concurrency,
            settings.ttl,
            settings.max_versions,
            settings.keep_versions_days,
            traceparent,
            condition,
            " ".join(etags),
        )
        return refusal or Found(settings=settings, etag=f'"{tag}"')

    async def delete(
        self,
        tenant: UUID,
        collection: str,
        condition: Condition,
        etags: tuple[str, ...],
        traceparent: str | None,
    ) -> Outcome:
        """Go back to the defaults."""
        outcome = await self._pool.fetchval(
            _DELETE, tenant, collection, traceparent, condition, " ".join(etags)
        )
        return outcome or "not_found"


def _found(row: asyncpg.Record) -> Found:
    return Found(
        settings=Settings(
            concurrency=row["concurrency"],
            ttl=row["ttl"],
            max_versions=row["max_versions"],
            keep_versions_days=row["keep_versions_days"],
        ),
        etag=f'"{row["tag"]}"',
    )
