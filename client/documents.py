"""Documents, their versions, and transactions."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, TypeVar

import httpx
import msgspec

from client.call import Call, body, encode, nothing, reads
from client.expect import ETag, Expected, Held, said
from client.flow import Page, Pages
from client.room import Room, S, iteration, operation

T = TypeVar("T")

_DOCUMENT = "/v1/state/{collection}/{key}"
_VERSIONS = "/v1/versions/{collection}/{key}"


@dataclass(frozen=True, kw_only=True)
class Document:
    """A document: the very bytes that were put, and which version they are."""

    raw: bytes
    etag: ETag
    expires_at: datetime | None

    @property
    def value(self) -> Any:
        """The value, decoded anew each time."""
        return msgspec.json.decode(self.raw)

    def into(self, kind: type[T]) -> T:
        """The value as a ``kind`` (what msgspec knows); raises ``msgspec.ValidationError``."""
        return msgspec.json.decode(self.raw, type=kind)


@dataclass(frozen=True, kw_only=True)
class Head:
    """Which version is there."""

    etag: ETag
    expires_at: datetime | None


@dataclass(frozen=True, kw_only=True)
class Written:
    """What a write left."""

    etag: ETag
    expires_at: datetime | None
    created: bool


class ListedDocument(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A document of a list; ``value`` is ``UNSET`` where only keys were asked for."""

    key: str
    revision: int
    etag: ETag
    expires_at: datetime | None = None
    value: Any = msgspec.UNSET


class DocumentPage(msgspec.Struct, frozen=True, kw_only=True):
    """Documents, and the prefixes that others were folded into."""

    documents: list[ListedDocument]
    prefixes: list[str]
    cursor: str | None = None


class ListedVersion(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A version; without an ``etag`` if it is a deletion."""

    revision: int
    written_at: datetime
    bytes: int
    deleted: bool
    etag: ETag | None = None


class VersionPage(msgspec.Struct, frozen=True, kw_only=True):
    """Versions, the newest first."""

    versions: list[ListedVersion]
    cursor: str | None = None


@dataclass(frozen=True, kw_only=True)
class Put:
    """Of a transaction: write ``value``."""

    collection: str
    key: str
    value: Any
    expect: Expected = None
    ttl: int | None = None


@dataclass(frozen=True, kw_only=True)
class Delete:
    """Of a transaction: delete the document."""

    collection: str
    key: str
    expect: Held = None


@dataclass(frozen=True, kw_only=True)
class Check:
    """Of a transaction: change nothing, but demand this."""

    collection: str
    key: str
    expect: Expected


class OperationResult(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What became of an operation; without ``revision`` if nothing was written, without ``etag`` if no document is there now."""

    outcome: Literal["created", "replaced", "deleted", "checked"]
    revision: int | None = None
    etag: ETag | None = None
    expires_at: datetime | None = None


class TransactionResult(msgspec.Struct, frozen=True, kw_only=True):
    """What became of the operations, in their order."""

    operations: list[OperationResult]


class Documents(Room[S]):
    """``/v1/state``, ``/v1/versions`` and ``/v1/transactions``."""

    @operation
    def get(self, collection: str, key: str, *, revision: int | None = None) -> Call[Document]:
        """Read a document, or an earlier version of it."""
        return Call(
            method="GET",
            route=_DOCUMENT,
            names={"collection": collection, "key": key},
            query={"revision": revision},
            read=document,
        )

    @operation
    def get_if_changed(self, collection: str, key: str, etag: ETag) -> Call[Document | None]:
        """Read a document unless it is still the version ``etag``: then None."""
        return Call(
            method="GET",
            route=_DOCUMENT,
            names={"collection": collection, "key": key},
            headers={"If-None-Match": etag},
            read=lambda response: (
                None if response.status_code == httpx.codes.NOT_MODIFIED else document(response)
            ),
        )

    @operation
    def head(self, collection: str, key: str, *, revision: int | None = None) -> Call[Head]:
        """Which version is there, without its value."""
        return Call(
            method="HEAD",
            route=_DOCUMENT,
            names={"collection": collection, "key": key},
            query={"revision": revision},
            read=lambda response: Head(etag=ETag(response.headers["etag"]), expires_at=expires_at(response)),
        )

    @operation
    def put(
        self, collection: str, key: str, value: Any, *, expect: Expected = None, ttl: int | None = None
    ) -> Call[Written]:
        """Create a document, or replace what is expected to be there; ``ttl`` in seconds."""
        return Call(
            method="PUT",
            route=_DOCUMENT,
            names={"collection": collection, "key": key},
            headers={**said(expect), "Vanta-TTL": ttl},
            body=encode(value),
            once=True,
            read=written,
        )

    @operation
    def patch(
        self, collection: str, key: str, merge: Any, *, expect: Expected = None, ttl: int | None = None
    ) -> Call[Written]:
        """Change a part of a document: members that are None go (RFC 7396)."""
        return Call(
            method="PATCH",
            route=_DOCUMENT,
            names={"collection": collection, "key": key},
            headers={**said(expect), "Vanta-TTL": ttl},
            body=encode(merge),
            media_type="application/merge-patch+json",
            once=True,
            read=written,
        )

    @operation
    def delete(self, collection: str, key: str, *, expect: Held = None) -> Call[None]:
        """Delete what is expected to be there."""
        return Call(
            method="DELETE",
            route=_DOCUMENT,
            names={"collection": collection, "key": key},
            headers=said(expect),
            once=True,
            read=nothing,
        )

    @iteration
    def list(
        self, collection: str, *, prefix: str = "", keys_only: bool = False, page: int = 100
    ) -> Pages[ListedDocument]:
        """The documents whose keys begin with ``prefix``, in the order of their keys."""
        return Pages(
            first=_listing(
                collection,
                prefix,
                keys_only,
                page,
                lambda found: Page(items=found.documents, cursor=found.cursor),
            )
        )

    @iteration
    def level(
        self, collection: str, *, prefix: str = "", keys_only: bool = False, page: int = 100
    ) -> Pages[ListedDocument | str]:
        """As a folder: what lies deeper than the first slash after ``prefix`` is one string, its prefix."""
        return Pages(
            first=_listing(
                collection,
                prefix,
                keys_only,
                page,
                lambda found: Page(items=[*found.documents, *found.prefixes], cursor=found.cursor),
            ).also(delimiter="/")
        )

    @iteration
    def versions(self, collection: str, key: str, *, page: int = 100) -> Pages[ListedVersion]:
        """The versions that are kept, the newest first."""

        def read(response: httpx.Response) -> Page[ListedVersion]:
            found = reads(VersionPage)(response)
            return Page(items=found.versions, cursor=found.cursor)

        return Pages(
            first=Call(
                method="GET",
                route=_VERSIONS,
                names={"collection": collection, "key": key},
                query={"limit": page},
                read=read,
            )
        )

    @operation
    def restore(
        self, collection: str, key: str, revision: int, *, expect: Expected = None, ttl: int | None = None
    ) -> Call[Written]:
        """Write the value of an earlier version again."""
        return Call(
            method="POST",
            route=_VERSIONS,
            names={"collection": collection, "key": key},
            headers={**said(expect), "Vanta-TTL": ttl},
            body=body(restore=revision),
            once=True,
            read=written,
        )

    @operation
    def transact(self, operations: Sequence[Put | Delete | Check]) -> Call[Sequence[OperationResult]]:
        """Do all of it, or nothing: :class:`~client.problem.PreconditionFailed` says in ``operations`` which were refused."""
        return Call(
            method="POST",
            route="/v1/transactions",
            body=body(operations=[_described(one) for one in operations]),
            once=True,
            read=lambda response: reads(TransactionResult)(response).operations,
        )


def document(response: httpx.Response) -> Document:
    """Reads a document."""
    return Document(
        raw=response.content, etag=ETag(response.headers["etag"]), expires_at=expires_at(response)
    )


def written(response: httpx.Response) -> Written:
    """Reads what a write left."""
    return Written(
        etag=ETag(response.headers["etag"]),
        expires_at=expires_at(response),
        created=response.status_code == httpx.codes.CREATED,
    )


def expires_at(response: httpx.Response) -> datetime | None:
    """When the document will be gone."""
    text = response.headers.get("vanta-expires-at")
    return None if text is None else msgspec.convert(text, datetime)


def _listing(
    collection: str, prefix: str, keys_only: bool, limit: int, read: Callable[[DocumentPage], Page[T]]
) -> Call[Page[T]]:
    return Call(
        method="GET",
        route="/v1/state/{collection}",
        names={"collection": collection},
        query={"prefix": prefix or None, "keysOnly": keys_only or None, "limit": limit},
        read=lambda response: read(reads(DocumentPage)(response)),
    )


# As the headers are called where several operations share them.
_MEMBERS = {"If-Match": "ifMatch", "If-None-Match": "ifNoneMatch", "Vanta-Concurrency": "concurrency"}


def _described(one: Put | Delete | Check) -> Mapping[str, Any]:
    described: dict[str, Any] = {
        "op": type(one).__name__.lower(),
        "collection": one.collection,
        "key": one.key,
        **{_MEMBERS[name]: value for name, value in said(one.expect).items()},
    }
    if isinstance(one, Put):
        described["value"] = one.value
        if one.ttl is not None:
            described["ttl"] = one.ttl
    return described
