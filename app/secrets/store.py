"""Sealed secrets in PostgreSQL: the functions of ``functions/secrets.sql``."""

from collections.abc import Sequence
from uuid import UUID

import asyncpg
import msgspec

from app.secrets.envelope import Sealed
from app.secrets.secret import Caller, Change, Description, Outcome, Read, SealedPut, Version

_HEADS = "select vanta.secret_heads($1, $2)"
_PUT = "select ord, outcome, expires_ms from vanta.put_secrets($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)"
_READ = "select * from vanta.read_secrets($1, $2, $3, $4, $5)"
#: What is wrong with one of a batch, and not with the database.
_OF_ONE = (asyncpg.DataError, asyncpg.IntegrityConstraintViolationError)


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

    async def newest(self, names: Sequence[tuple[UUID, str]]) -> list[int]:
        """The numbers of the newest versions of these tenants and paths, 0 where there is none."""
        return await self._pool.fetchval(_HEADS, [tenant for tenant, _ in names], [path for _, path in names])

    async def put(self, puts: Sequence[SealedPut]) -> list[tuple[Outcome, int | None] | Exception]:
        """Add versions, in the order given: the outcome of each and when it expires, or the exception that is its own."""
        order = sorted(range(len(puts)), key=lambda index: puts[index].put.caller.tenant)
        rows = [puts[index] for index in order]
        try:
            records = await self._pool.fetch(
                _PUT,
                [row.put.caller.tenant for row in rows],
                [row.put.path for row in rows],
                [row.version for row in rows],
                [row.tag for row in rows],
                [row.sealed.generation for row in rows],
                [row.sealed.ciphertext for row in rows],
                [row.put.ttl for row in rows],
                [row.put.metadata for row in rows],
                [row.put.max_versions for row in rows],
                [row.put.condition for row in rows],
                [" ".join(row.put.etags) for row in rows],
                [row.put.caller.by for row in rows],
                [row.put.caller.traceparent for row in rows],
            )
        except _OF_ONE as error:
            if len(puts) == 1:
                return [error]
            # Nothing was put, and each alone is told whether it is the one.
            return [result for one in puts for result in await self.put([one])]
        found = {order[row["ord"] - 1]: (row["outcome"], row["expires_ms"]) for row in records}
        return [found[index] for index in range(len(puts))]

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
