"""Documents, their versions, and transactions."""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import httpx

from client.call import Call, body, encode, nothing, reads
from client.document import (
    Check,
    Delete,
    Document,
    DocumentPage,
    Head,
    ListedDocument,
    ListedVersion,
    OperationResult,
    Put,
    TransactionResult,
    VersionPage,
    Written,
    described,
    document,
    expires_at,
    written,
)
from client.expect import ETag, Expected, Held, said
from client.flow import Page, Pages
from client.room import Room, S, iteration, operation

T = TypeVar("T")

_DOCUMENT = "/v1/state/{collection}/{key}"
_VERSIONS = "/v1/versions/{collection}/{key}"


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
            body=body(operations=[described(one) for one in operations]),
            once=True,
            read=lambda response: reads(TransactionResult)(response).operations,
        )


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
