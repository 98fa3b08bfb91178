"""``/v1/state/{collection}`` and ``/v1/versions/...``: pages of documents and of versions, and back to one of them."""

from collections.abc import Sequence
from typing import Annotated, Any, Literal

import msgspec

from app.api import body, preconditions, problems, writing
from app.api.messages import Request, Response, callers_tenant
from app.api.problems import ProblemError
from app.state import cursor, names
from app.state.document import MAX_REVISION, Write
from app.state.documents import Documents
from app.state.lists import MAX_PAGE, Listed, Lists, Version

Limit = Annotated[int, msgspec.Meta(description="How many entries a page has at most.", ge=1, le=MAX_PAGE)]
Cursor = Annotated[
    Annotated[str, msgspec.Meta(max_length=1024)] | None,
    msgspec.Meta(description="`cursor` of the page before, with the same query otherwise."),
]
_NextCursor = Annotated[str, msgspec.Meta(description="Send it for the next page; absent on the last one.")]
ETag = Annotated[str, msgspec.Meta(description="As the header ETag, quotes included.")]


class ListQuery(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What to list of a collection."""

    prefix: Annotated[
        str,
        msgspec.Meta(
            description="Only keys that start with it.",
            pattern=names.PREFIX_PATTERN,
            max_length=names.MAX_KEY,
        ),
    ] = ""
    delimiter: Annotated[
        Literal["/"] | None,
        msgspec.Meta(
            description="Fold what follows the first one after the prefix: one level, as in a folder. Without it: recursive."
        ),
    ] = None
    keys_only: Annotated[bool, msgspec.Meta(description="Leave the values out.")] = False
    limit: Limit = 100
    cursor: Cursor = None


class VersionsQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Which page of the versions."""

    limit: Limit = 100
    cursor: Cursor = None


class ListedDocument(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A document of a page; ``value`` is absent where only keys were asked for."""

    key: str
    revision: int
    etag: ETag
    expires_at: str | msgspec.UnsetType = msgspec.UNSET
    # Any: the bytes that were put, as they are.
    value: Any = msgspec.UNSET


class DocumentPage(msgspec.Struct, frozen=True, kw_only=True):
    """Documents in the order of their keys, and with a delimiter the common prefixes of the others."""

    documents: list[ListedDocument]
    prefixes: list[str]
    cursor: _NextCursor | msgspec.UnsetType = msgspec.UNSET


class ListedVersion(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A version of a document; ``etag`` is absent for a deletion."""

    revision: int
    written_at: str
    bytes: int
    deleted: bool
    etag: ETag | msgspec.UnsetType = msgspec.UNSET


class VersionPage(msgspec.Struct, frozen=True, kw_only=True):
    """Versions, the newest first."""

    versions: list[ListedVersion]
    cursor: _NextCursor | msgspec.UnsetType = msgspec.UNSET


class Restore(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which version to go back to."""

    restore: Annotated[int, msgspec.Meta(description="The revision of the version.", ge=1, le=MAX_REVISION)]


class ListsHandlers:
    """The handlers of the routes of lists and versions."""

    def __init__(self, documents: Documents, lists: Lists) -> None:
        self._documents = documents
        self._lists = lists

    async def documents(self, request: Request) -> Response:
        """A page of a collection."""
        (collection,), query = request.parameters, request.query
        writing.check_name(collection)
        tenant = callers_tenant(request)
        listing = (tenant.hex, "documents", collection, query.prefix, query.delimiter or "")
        page = await self._lists.documents(
            tenant,
            collection,
            prefix=query.prefix,
            after=position(listing, query.cursor) or "",
            delimiter=query.delimiter,
            limit=query.limit,
            values=not query.keys_only,
        )
        return answer(
            DocumentPage(
                documents=_documents(page.documents),
                prefixes=page.prefixes,
                cursor=msgspec.UNSET if page.after is None else cursor.encode(listing, page.after),
            )
        )

    async def versions(self, request: Request) -> Response:
        """A page of a document's versions."""
        name, query = writing.name_of(request), request.query
        listing = (name.tenant.hex, "versions", name.collection, name.key)
        before = position(listing, query.cursor)
        versions, more = await self._lists.versions(
            # A revision has at most 18 digits; a cursor that somebody made up may have anything.
            name,
            before=None if before is None else int(before[:18]) if before.isdigit() else 0,
            limit=query.limit,
        )
        if not versions and before is None:
            raise writing.not_found()
        return answer(
            VersionPage(
                versions=_versions(versions),
                cursor=cursor.encode(listing, str(versions[-1].revision)) if more else msgspec.UNSET,
            )
        )

    async def restore(self, request: Request) -> Response:
        """Write the value of an earlier version again."""
        name = writing.name_of(request)
        condition, etags = preconditions.of_write(request.headers)
        ttl = writing.ttl_of(request)
        revision = (await body.read(request, Restore)).restore
        once = writing.once_of(request, str(revision))
        # The version may be gone by the time of a second try.
        before = await writing.answered(self._documents, name.tenant, once) if once else None
        if before is not None:
            return writing.answer(before.written[0], before.digests[0] or "", located=name, replayed=True)
        version = await self._lists.version(name, revision)
        if version is None:
            raise ProblemError(problems.NOT_FOUND, "There is no such version of this document with a value.")
        write = Write(
            name=name,
            value=version.value.decode(),
            digest=version.digest,
            ttl=ttl,
            condition=condition,
            etags=etags,
            traceparent=request.traceparent,
        )
        written, replayed = await writing.write(self._documents, write, once)
        return writing.answer(written, version.digest, located=name, replayed=replayed)


def position(listing: tuple[str, ...], text: str | None) -> str | None:
    """Where ``text``, a cursor, says to go on; raises :class:`ProblemError` if it is not of this listing."""
    if text is None:
        return None
    try:
        return cursor.decode(listing, text)
    except cursor.CursorError:
        raise ProblemError(
            problems.INVALID_CURSOR, "Send the cursor of a page of the same query, or none to begin."
        ) from None


def answer(body: msgspec.Struct, *headers: tuple[str, str]) -> Response:
    """200 with ``body``."""
    return Response(
        status=200,
        headers=[("content-type", "application/json"), *headers],
        body=msgspec.json.encode(body),
    )


def _documents(documents: Sequence[Listed]) -> list[ListedDocument]:
    return [
        ListedDocument(
            key=document.key,
            revision=document.revision,
            etag=document.etag,
            expires_at=msgspec.UNSET if document.expires_ms is None else writing.rfc3339(document.expires_ms),
            value=msgspec.UNSET if document.value is None else msgspec.Raw(document.value),
        )
        for document in documents
    ]


def _versions(versions: Sequence[Version]) -> list[ListedVersion]:
    return [
        ListedVersion(
            revision=version.revision,
            written_at=writing.rfc3339(version.written_ms),
            bytes=version.bytes,
            deleted=version.deleted,
            etag=msgspec.UNSET if version.etag is None else version.etag,
        )
        for version in versions
    ]
