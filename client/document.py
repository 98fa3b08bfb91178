"""What a document is to a client, what may be asked of several at once, and what is answered."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, TypeVar

import httpx
import msgspec

from client.expect import ETag, Expected, Held, said

T = TypeVar("T")


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


# As the headers are called where several operations share them.
_MEMBERS = {"If-Match": "ifMatch", "If-None-Match": "ifNoneMatch", "Vanta-Concurrency": "concurrency"}


def described(one: Put | Delete | Check) -> Mapping[str, Any]:
    """An operation as a transaction has it."""
    operation: dict[str, Any] = {
        "op": type(one).__name__.lower(),
        "collection": one.collection,
        "key": one.key,
        **{_MEMBERS[name]: value for name, value in said(one.expect).items()},
    }
    if isinstance(one, Put):
        operation["value"] = one.value
        if one.ttl is not None:
            operation["ttl"] = one.ttl
    return operation
