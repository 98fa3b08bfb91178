"""Settings of collections."""

from dataclasses import dataclass
from typing import Literal

import httpx
import msgspec

from client.call import Call, encode, nothing, reads
from client.expect import ETag, Expected, Held, said
from client.flow import Page, Pages
from client.room import Room, S, iteration, operation

_COLLECTION = "/v1/collections/{collection}"


class CollectionSettings(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What holds for documents where a request does not say otherwise; as of no settings."""

    concurrency: Literal["precondition", "last-write-wins"] = "precondition"
    ttl: int | None = None
    max_versions: int | None = 100
    keep_versions_days: int | None = 30


class ListedCollection(CollectionSettings, frozen=True, kw_only=True):
    """Settings in a list."""

    etag: ETag


@dataclass(frozen=True, kw_only=True)
class Collection:
    """A collection that has settings, and the tag that a change of them expects."""

    name: str
    settings: CollectionSettings
    etag: ETag


class CollectionPage(msgspec.Struct, frozen=True, kw_only=True):
    """Settings by the names of their collections."""

    collections: dict[str, ListedCollection]
    cursor: str | None = None


class Collections(Room[S]):
    """``/v1/collections``."""

    @iteration
    def list(self, *, page: int = 100) -> Pages[Collection]:
        """The collections that have settings, by name."""

        def read(response: httpx.Response) -> Page[Collection]:
            found = reads(CollectionPage)(response)
            return Page(
                items=[_listed(name, settings) for name, settings in found.collections.items()],
                cursor=found.cursor,
            )

        return Pages(first=Call(method="GET", route="/v1/collections", query={"limit": page}, read=read))

    @operation
    def get(self, collection: str) -> Call[Collection]:
        """Its settings; :class:`~client.problem.NotFound` if it has none."""
        return Call(
            method="GET",
            route=_COLLECTION,
            names={"collection": collection},
            read=lambda response: _collection(collection, response),
        )

    @operation
    def put(
        self, collection: str, settings: CollectionSettings, *, expect: Expected = None
    ) -> Call[Collection]:
        """Set them, all at once; over existing ones only what is expected to be there."""
        return Call(
            method="PUT",
            route=_COLLECTION,
            names={"collection": collection},
            headers=said(expect),
            body=encode(settings),
            read=lambda response: _collection(collection, response),
        )

    @operation
    def delete(self, collection: str, *, expect: Held = None) -> Call[None]:
        """Go back to the defaults, from what is expected to be set."""
        return Call(
            method="DELETE",
            route=_COLLECTION,
            names={"collection": collection},
            headers=said(expect),
            read=nothing,
        )


def _collection(name: str, response: httpx.Response) -> Collection:
    return Collection(
        name=name, settings=reads(CollectionSettings)(response), etag=ETag(response.headers["etag"])
    )


def _listed(name: str, listed: ListedCollection) -> Collection:
    members = msgspec.structs.asdict(listed)
    etag = members.pop("etag")
    return Collection(name=name, settings=CollectionSettings(**members), etag=etag)
