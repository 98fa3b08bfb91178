"""Pages of documents and versions, straight from PostgreSQL: what is listed was committed before the call."""

from uuid import UUID

import asyncpg
import msgspec

from app.state.document import Document, Name, digest, etag

#: Bytes of values in one page; a page has at least one document.
PAGE_BYTES = 4 * 1024 * 1024
MAX_PAGE = 1000

_LIST = "select * from vanta.list_documents($1, $2, $3, $4, $5, $6, $7)"
_VERSIONS = "select * from vanta.list_versions($1, $2, $3, $4, $5)"
_VERSION = "select * from vanta.read_version($1, $2, $3, $4)"
# Comes after everything that starts with what stands before it: keys have no character beyond "~".
_LAST = "\x7f"


class Listed(msgspec.Struct, frozen=True, kw_only=True):
    """A document of a page; ``value`` None where values were not asked for."""

    key: str
    revision: int
    etag: str
    expires_ms: int | None
    value: bytes | None


class Version(msgspec.Struct, frozen=True, kw_only=True):
    """A version of a document; ``etag`` None for a deletion, and where it is not known any more."""

    revision: int
    etag: str | None
    written_ms: int
    bytes: int
    deleted: bool


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """Documents and common prefixes in the order of keys; ``after`` is where the next page begins, None on the last."""

    documents: list[Listed]
    prefixes: list[str]
    after: str | None


class Lists:
    """Reads through one pool; raises what asyncpg raises when the database cannot be used."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool

    async def documents(
        self,
        tenant: UUID,
        collection: str,
        *,
        prefix: str,
        after: str,
        delimiter: str | None,
        limit: int,
        values: bool,
    ) -> Page:
        """The live documents whose key starts with ``prefix`` and comes after ``after``, folded at ``delimiter``."""
        documents: list[Listed] = []
        prefixes: list[str] = []
        more, last = False, ""
        for key, folded, revision, checksum, expires_ms, value in await self._pool.fetch(
            _LIST, tenant, collection, prefix, after, delimiter, limit, PAGE_BYTES if values else None
        ):
            if key is None:
                more = True
            elif folded:
                prefixes.append(key)
                last = key + _LAST
            else:
                documents.append(
                    Listed(
                        key=key,
                        revision=revision,
                        etag=etag(revision, checksum),
                        expires_ms=expires_ms,
                        value=None if value is None else value.encode(),
                    )
                )
                last = key
        return Page(documents=documents, prefixes=prefixes, after=last if more else None)

    async def versions(self, name: Name, *, before: int | None, limit: int) -> tuple[list[Version], bool]:
        """The versions of a document, the newest first, only those before revision ``before``; and whether there are more."""
        records = await self._pool.fetch(_VERSIONS, name.tenant, name.collection, name.key, before, limit + 1)
        versions = [
            Version(
                revision=revision,
                etag=None if checksum is None else etag(revision, checksum),
                written_ms=written_ms,
                bytes=size,
                deleted=deleted,
            )
            for revision, checksum, written_ms, size, deleted in records[:limit]
        ]
        return versions, len(records) > limit

    async def version(self, name: Name, revision: int) -> Document | None:
        """One version, unless it is a deletion, no longer kept, or its own time to live has passed."""
        record = await self._pool.fetchrow(_VERSION, name.tenant, name.collection, name.key, revision)
        if record is None:
            return None
        _, checksum, value, expires_ms = record
        content = value.encode()
        return Document(
            revision=revision, digest=checksum or digest(content), value=content, expires_ms=expires_ms
        )
