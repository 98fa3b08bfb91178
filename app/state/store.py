"""Documents in PostgreSQL: functions/documents.sql and document_transactions.sql, asked for many rows at once."""

from collections.abc import Sequence
from itertools import groupby
from uuid import UUID

import asyncpg
import msgspec
from asyncpg.pool import PoolConnectionProxy

from app.state.document import Document, Name, Once, Outcome, Transacted, Write, Written

_READ = "select * from vanta.read_documents($1, $2, $3, $4)"
_WRITE = "select * from vanta.write_documents($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)"
_TRANSACT = (
    "select * from vanta.transact($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13) order by ord"
)
_ANSWER = "select fingerprint, answer from vanta.find_answer($1, $2)"


class EpochMovedError(Exception):
    """The cache is in another epoch than the writes were marked under; nothing was written."""


class QuotaExceededError(Exception):
    """The tenant would have more documents or bytes than it may; nothing was written.

    ``replayed``: so it was answered before, to the same Idempotency-Key.
    """

    def __init__(self, *, replayed: bool = False) -> None:
        super().__init__()
        self.replayed = replayed


class KeyReusedError(Exception):
    """The Idempotency-Key is of another request; nothing was written."""


class _Answered(msgspec.Struct):
    """One row of an answer that is remembered."""

    ord: int
    outcome: Outcome
    revision: int | None
    expires_ms: int | None
    digest: str | None


_answer = msgspec.json.Decoder(list[_Answered])
_ERRORS: dict[str, type[Exception]] = {
    "VA001": EpochMovedError,
    "VA002": QuotaExceededError,
    "VA003": KeyReusedError,
}

#: What runs a statement: any connection, or one whose transaction it belongs to.
Database = asyncpg.Pool | PoolConnectionProxy
# What is wrong with a row, and not with the database.
_NOT_STORED = (asyncpg.DataError, asyncpg.IntegrityConstraintViolationError)


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
            return [*await self._write(self._pool, writes, epoch)]
        except _NOT_STORED as error:
            if len(writes) == 1:
                return [error]
        return await self._write_apart(writes, epoch)

    async def _write_apart(self, writes: Sequence[Write], epoch: UUID | None) -> list[Written | Exception]:
        """:meth:`write` row by row, still in one transaction: what was committed before the epoch moved would be done again."""
        results: dict[int, Written | Exception] = {}
        async with self._pool.acquire() as connection, connection.transaction():
            for index in _by_tenant(writes):
                try:
                    async with connection.transaction():
                        (results[index],) = await self._write(connection, [writes[index]], epoch)
                except _NOT_STORED as error:
                    results[index] = error
        return [results[index] for index in range(len(writes))]

    async def _write(
        self,
        database: Database,
        writes: Sequence[Write],
        epoch: UUID | None,
    ) -> list[Written]:
        order = _by_tenant(writes)
        rows = [writes[index] for index in order]
        tenants, counts = _groups([write.name.tenant for write in rows])
        try:
            records = await database.fetch(
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
            raise _ours(error) from None
        written: list[Written | None] = [None] * len(writes)
        for ord_, outcome, revision, expires_ms in records:
            written[order[ord_ - 1]] = Written(outcome=outcome, revision=revision, expires_ms=expires_ms)
        return [result for result in written if result is not None]

    async def transact(self, writes: Sequence[Write], epoch: UUID | None, once: Once | None) -> Transacted:
        """Do ``writes`` of one tenant, all or none; raises as :meth:`write` does, and for a limit or a key of :data:`_ERRORS`."""
        try:
            records = await self._pool.fetch(
                _TRANSACT,
                epoch,
                writes[0].name.tenant,
                [write.name.collection for write in writes],
                [write.name.key for write in writes],
                [write.value for write in writes],
                [write.digest for write in writes],
                [write.ttl for write in writes],
                [write.condition for write in writes],
                [" ".join(write.etags) for write in writes],
                writes[0].traceparent,
                once and once.key,
                once and once.fingerprint,
                once and once.open,
            )
        except asyncpg.PostgresError as error:
            raise _ours(error) from None
        return _within_limits(
            [Written(outcome=row[1], revision=row[2], expires_ms=row[3]) for row in records],
            [row[4] for row in records],
            replayed=records[0][5],
        )

    async def answered(self, tenant: UUID, once: Once) -> Transacted | None:
        """What was answered before under the key of ``once``; raises :class:`KeyReusedError` and :class:`QuotaExceededError`."""
        record = await self._pool.fetchrow(_ANSWER, tenant, once.key)
        if record is None:
            return None
        fingerprint, answer = record
        if fingerprint != once.fingerprint:
            raise KeyReusedError
        rows = sorted(_answer.decode(answer), key=lambda row: row.ord)
        return _within_limits(
            [Written(outcome=row.outcome, revision=row.revision, expires_ms=row.expires_ms) for row in rows],
            [row.digest for row in rows],
            replayed=True,
        )


def _within_limits(written: list[Written], digests: list[str | None], *, replayed: bool) -> Transacted:
    if written[0].outcome == "quota_exceeded":
        raise QuotaExceededError(replayed=replayed)
    return Transacted(written=written, digests=digests, replayed=replayed)


def _ours(error: asyncpg.PostgresError) -> Exception:
    """What ``error`` means to our callers; itself where it is not one of our functions' own."""
    kind = _ERRORS.get(getattr(error, "sqlstate", ""))
    return kind() if kind else error


def _by_tenant(writes: Sequence[Write]) -> list[int]:
    """The places of ``writes``, tenants rising: two batches that share tenants lock them in the same order."""
    return sorted(range(len(writes)), key=lambda index: writes[index].name.tenant)


def _groups(tenants: Sequence[UUID]) -> tuple[list[UUID], list[int]]:
    """Sorted ``tenants`` as (each once, how many of each)."""
    grouped = [(tenant, sum(1 for _ in group)) for tenant, group in groupby(tenants)]
    return [tenant for tenant, _ in grouped], [count for _, count in grouped]
