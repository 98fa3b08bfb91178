"""Sessions in PostgreSQL: ``functions/sessions.sql``, as rows that the documents' cache protocol can be run over."""

from collections.abc import Sequence
from itertools import groupby
from uuid import UUID

import asyncpg

from app.sessions.session import SessionWrite
from app.state.document import Document, Name, Write, Written, digest
from app.state.store import Database, EpochMovedError, Store

_READ = "select * from vanta.read_sessions($1, $2, $3)"
_WRITE = "select * from vanta.write_sessions($1, $2, $3, $4, $5, $6, $7)"
_LIST = "select * from vanta.list_sessions($1, $2, $3, $4)"


class SessionStore(Store):
    """Reads and writes sessions where :class:`Store` has documents: the key of a name is the digest of a token."""

    async def read(self, names: Sequence[Name]) -> list[Document | None]:
        """The live sessions of ``names``, in the order asked for."""
        found: list[Document | None] = [None] * len(names)
        order = sorted(range(len(names)), key=lambda index: names[index].tenant)
        groups = [(tenant, [*rows]) for tenant, rows in groupby(order, lambda index: names[index].tenant)]
        for ord_, revision, value, expires_ms in await self._pool.fetch(
            _READ,
            [tenant for tenant, _ in groups],
            [len(rows) for _, rows in groups],
            [names[index].key for index in order],
        ):
            found[order[ord_ - 1]] = Document(
                revision=revision, digest=digest(value.encode()), value=value.encode(), expires_ms=expires_ms
            )
        return found

    async def _write(self, database: Database, writes: Sequence[Write], epoch: UUID | None) -> list[Written]:
        # Rising tenants: two batches that share tenants lock them in the same order.
        order = sorted(range(len(writes)), key=lambda index: writes[index].name.tenant)
        rows = [writes[index] for index in order]
        try:
            records = await database.fetch(
                _WRITE,
                epoch,
                [write.name.tenant for write in rows],
                [write.name.key for write in rows],
                [write.value for write in rows],
                [write.condition == "absent" for write in rows],
                [write.by if isinstance(write, SessionWrite) else None for write in rows],
                [write.traceparent for write in rows],
            )
        except asyncpg.PostgresError as error:
            if getattr(error, "sqlstate", None) == "VA001":
                raise EpochMovedError from None
            raise
        written: dict[int, Written] = {
            order[ord_ - 1]: Written(outcome=outcome, revision=revision, expires_ms=expires_ms)
            for ord_, outcome, revision, expires_ms in records
        }
        return [written[index] for index in range(len(writes))]

    async def of_subject(
        self, tenant: UUID, subject: str, session: UUID | None, limit: int
    ) -> list[tuple[str, bytes, int]]:
        """At most ``limit`` live sessions of ``subject``, or the one ``session``, the newest first.

        Of each the digest of its token, what is kept, and when it expires (Unix milliseconds).
        """
        rows = await self._pool.fetch(_LIST, tenant, subject, session, limit)
        return [(token, value.encode(), expires_ms) for token, value, expires_ms in rows]
