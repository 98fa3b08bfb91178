"""Sealed secrets in PostgreSQL: the functions of ``functions/secrets.sql``."""

from collections.abc import Sequence
from uuid import UUID

import asyncpg
import msgspec

from app.secrets.envelope import Sealed
from app.secrets.secret import Caller, Change, Description, Outcome, Put, Read, Version

_PUT = "select * from vanta.put_secret($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)"
_READ = "select * from vanta.read_secrets($1, $2, $3, $4, $5)"


class Stored(msgspec.Struct, frozen=True, kw_only=True):
    """A version as it is stored."""

    version: int
    tag: str
    sealed: Sealed
    created_ms: int
    expires_ms: int | None


class SecretStore:
    """Each method is one transaction, durable with its events when it returns; raises what asyncpg raises."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool

    async def newest(self, tenant: UUID, path: str) -> int:
        """The number of the newest version, 0 where there is none."""
        return await self._pool.fetchval("select vanta.secret_head($1, $2)", tenant, path)

    async def put(self, put: Put, version: int, tag: str, sealed: Sealed) -> tuple[Outcome, int | None]:
        """Add ``version``: the outcome, and when it expires."""
        row = await self._pool.fetchrow(
            _PUT,
            put.caller.tenant,
            put.path,
            version,
            tag,
            sealed.generation,
            sealed.ciphertext,
            put.ttl,
            put.metadata,
            put.max_versions,
            put.condition,
            " ".join(put.etags),
            put.caller.by,
            put.caller.traceparent,
        )
        return row["outcome"], row["expires_ms"]

    async def read(self, reads: Sequence[Read]) -> list[Stored | None]:
        """The sealed values, in the order asked for; that they were read is an event before this returns."""
        found: list[Stored | None] = [None] * len(reads)
        # Rising tenants: two batches that share tenants lock them in the same order.
        order = sorted(range(len(reads)), key=lambda index: reads[index].caller.tenant)
        rows = [reads[index] for index in order]
        for ord_, version, tag, generation, sealed, created_ms, expires_ms in await self._pool.fetch(
            _READ,
            [read.caller.tenant for read in rows],
            [read.path for read in rows],
            [read.version for read in rows],
            [read.caller.by for read in rows],
            [read.caller.traceparent for read in rows],
        ):
            found[order[ord_ - 1]] = Stored(
                version=version,
                tag=tag,
                sealed=Sealed(generation=generation, ciphertext=sealed),
                created_ms=created_ms,
                expires_ms=expires_ms,
            )
        return found

    async def delete(self, caller: Caller, path: str, condition: str, etags: tuple[str, ...]) -> Outcome:
        """Delete the newest version."""
        return await self._pool.fetchval(
            "select vanta.delete_secret($1, $2, $3, $4, $5, $6)",
            caller.tenant,
            path,
            condition,
            " ".join(etags),
            caller.by,
            caller.traceparent,
        )

    async def change(self, caller: Caller, path: str, versions: Sequence[int], change: Change) -> bool:
        """Make ``versions`` deleted, undeleted or destroyed; whether that changed any."""
        return await self._pool.fetchval(
            "select vanta.change_secret_versions($1, $2, $3, $4, $5, $6)",
            caller.tenant,
            path,
            versions,
            change,
            caller.by,
            caller.traceparent,
        )

    async def describe(self, tenant: UUID, path: str) -> Description | None:
        """The secret without its values."""
        rows = await self._pool.fetch("select * from vanta.describe_secret($1, $2)", tenant, path)
        if not rows:
            return None
        return Description(
            max_versions=rows[0]["max_versions"],
            metadata=rows[0]["metadata"] and rows[0]["metadata"].encode(),
            created_ms=rows[0]["secret_created_ms"],
            versions=[
                Version(
                    version=row["version"],
                    created_ms=row["created_ms"],
                    expires_ms=row["expires_ms"],
                    deleted_ms=row["deleted_ms"],
                    destroyed_ms=row["destroyed_ms"],
                )
                for row in rows
            ],
        )

    async def paths(self, tenant: UUID, prefix: str, after: str, limit: int) -> list[str]:
        """At most ``limit`` paths that begin with ``prefix``, after ``after``, in order."""
        rows = await self._pool.fetch(
            "select * from vanta.list_secrets($1, $2, $3, $4)", tenant, prefix, after, limit
        )
        return [path for (path,) in rows]
