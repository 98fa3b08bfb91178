"""Settings of collections."""

from dataclasses import dataclass
from typing import Literal

import httpx
import msgspec

from client.call import Call, encode, nothing, reads
from client.flow import Page, Pages
from client.room import Room, S, iteration, operation

_COLLECTION = "/v1/collections/{collection}"


class CollectionSettings(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What holds for documents where a request does not say otherwise; as of no settings."""

    concurrency: Literal["precondition", "last-write-wins"] = "precondition"
    ttl: int | None = None
    max_versions: int | None = 100
    keep_versions_days: int | None = 30


@dataclass(frozen=True, kw_only=True)
class Collection:
    """A collection that has settings."""

    name: str
    settings: CollectionSettings


class CollectionPage(msgspec.Struct, frozen=True, kw_only=True):
    """Settings by the names of their collections."""

    collections: dict[str, CollectionSettings]
    cursor: str | None = None


class Collections(Room[S]):
    """``/v1/collections``."""

    @iteration
    def list(self, *, page: int = 100) -> Pages[Collection]:
        """The collections that have settings, by name."""

        def read(response: httpx.Response) -> Page[Collection]:
            found = reads(CollectionPage)(response)
            return Page(
                items=[
                    Collection(name=name, settings=settings) for name, settings in found.collections.items()
                ],
                cursor=found.cursor,
            )

        return Pages(first=Call(method="GET", route="/v1/collections", query={"limit": page}, read=read))

    @operation
    def get(self, collection: str) -> Call[CollectionSettings]:
        """Its settings; :class:`~client.problem.NotFound` if it has none."""
        return Call(
            method="GET", route=_COLLECTION, names={"collection": collection}, read=reads(CollectionSettings)
        )

    @operation
    def put(self, collection: str, settings: CollectionSettings) -> Call[CollectionSettings]:
        """Set them, all at once."""
        return Call(
            method="PUT",
            route=_COLLECTION,
            names={"collection": collection},
            body=encode(settings),
            read=reads(CollectionSettings),
        )

    @operation
    def delete(self, collection: str) -> Call[None]:
        """Go back to the defaults."""
        return Call(method="DELETE", route=_COLLECTION, names={"collection": collection}, read=nothing)
