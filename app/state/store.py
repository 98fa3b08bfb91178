"""Documents in PostgreSQL: the functions of migration 0001, asked for many rows at once."""

from collections.abc import Sequence
from itertools import groupby
from uuid import UUID

import asyncpg

from app.state.document import Document, Name, Write, Written

_READ = "select * from vanta.read_documents($1, $2, $3, $4)"
_WRITE = "select * from vanta.write_documents($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)"


class EpochMovedError(Exception):
    """The cache is in another epoch than the writes were marked under; nothing was written."""


class Store:
    """Reads and writes through one pool; raises what asyncpg raises when the database cannot be used."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool

    async def read(self, names: Sequence[Name]) -> list[Document | None]:
        """The live documents of ``names``, in the order asked for."""
        found: list[Document | None] = [None] * len(names)
        order = sorted(range(len(names)), key=lambda index: names[index].tenant)
        rows = [names[index] for index in order]
        tenants, counts = _groups([name.tenant for name in rows])
        for record in await self._pool.fetch(
            _READ, tenants, counts, [name.collection for name in rows], [name.key for name in rows]
        ):
            ord_, revision, digest, value, expires_ms = record
            found[order[ord_ - 1]] = Document(
                revision=revision, digest=digest, value=value.encode(), expires_ms=expires_ms
            )
        return found

    async def write(self, writes: Sequence[Write], epoch: UUID | None) -> list[Written | Exception]:
        """Do ``writes`` (no two of one document) in one transaction, durable when this returns.

        ``epoch`` is the cache epoch under which they were marked, None if they were not; raises
        :class:`EpochMovedError`. A row PostgreSQL cannot store fails alone, with the exception as its result.
        """
        try:
            return [*await self._write(writes, epoch)]
        except (asyncpg.DataError, asyncpg.IntegrityConstraintViolationError) as error:
            if len(writes) == 1:
                return [error]
        results: list[Written | Exception] = []
        for write in writes:
            results += await self.write([write], epoch)
        return results

    async def _write(self, writes: Sequence[Write], epoch: UUID | None) -> list[Written]:
        # Rising tenants: two batches that share tenants lock them in the same order.
        order = sorted(range(len(writes)), key=lambda index: writes[index].name.tenant)
        rows = [writes[index] for index in order]
        tenants, counts = _groups([write.name.tenant for write in rows])
        try:
            records = await self._pool.fetch(
                _WRITE,
                epoch,
                tenants,
                counts,
                [write.name.collection for write in rows],
                [write.name.key for write in rows],
                [write.value for write in rows],
                [write.digest for write in rows],
                [write.ttl for write in rows],
                [write.condition for write in rows],
                [" ".join(write.etags) for write in rows],
                [write.traceparent for write in rows],
            )
        except asyncpg.PostgresError as error:
            if getattr(error, "sqlstate", None) == "VA001":
                raise EpochMovedError from None
            raise
        written: list[Written | None] = [None] * len(writes)
        for ord_, outcome, revision, expires_ms in records:
            written[order[ord_ - 1]] = Written(outcome=outcome, revision=revision, expires_ms=expires_ms)
        return [result for result in written if result is not None]


def _groups(tenants: Sequence[UUID]) -> tuple[list[UUID], list[int]]:
    """Sorted ``tenants`` as (each once, how many of each)."""
    grouped = [(tenant, sum(1 for _ in group)) for tenant, group in groupby(tenants)]
    return [tenant for tenant, _ in grouped], [count for _, count in grouped]
