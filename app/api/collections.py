"""``/v1/collections``: what holds for all documents of a collection."""

from typing import Annotated, Literal
from uuid import UUID

import msgspec

from app.api import body, problems, writing
from app.api.lists import Cursor, Limit, answer, position
from app.api.messages import Request, Response, callers_tenant
from app.api.problems import ProblemError
from app.state import cursor
from app.state.collection import Collections, Settings

_MAX_VERSIONS = 10_000
_MAX_DAYS = 3650


class CollectionSettings(
    msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True
):
    """Settings of a collection; what is left out has its default."""

    concurrency: Annotated[
        Literal["precondition", "last-write-wins"],
        msgspec.Meta(
            description="What a write over an existing document that says nothing itself is: refused, or done."
        ),
    ] = "precondition"
    ttl: Annotated[
        Annotated[int, msgspec.Meta(ge=1, le=writing.MAX_TTL)] | None,
        msgspec.Meta(
            description="Seconds after which a document is gone whose write says nothing. Default: never."
        ),
    ] = None
    max_versions: Annotated[
        Annotated[int, msgspec.Meta(ge=1, le=_MAX_VERSIONS)] | None,
        msgspec.Meta(
            description="How many versions of a document are kept, the current one included. Default: 100."
        ),
    ] = None
    keep_versions_days: Annotated[
        Annotated[int, msgspec.Meta(ge=0, le=_MAX_DAYS)] | None,
        msgspec.Meta(description="For how many days a version is kept after it was replaced. Default: 30."),
    ] = None


class CollectionsQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Which page of the collections."""

    limit: Limit = 100
    cursor: Cursor = None


class CollectionPage(msgspec.Struct, frozen=True, kw_only=True):
    """The collections that have settings, by name."""

    collections: dict[str, CollectionSettings]
    cursor: str | msgspec.UnsetType = msgspec.UNSET


class CollectionsHandlers:
    """The handlers of the routes of collections."""

    def __init__(self, collections: Collections) -> None:
        self._collections = collections

    async def page(self, request: Request) -> Response:
        """A page of all that have settings."""
        tenant = callers_tenant(request)
        listing = (tenant.hex, "collections")
        found, more = await self._collections.page(
            tenant, after=position(listing, request.query.cursor) or "", limit=request.query.limit
        )
        return answer(
            CollectionPage(
                collections={name: _described(settings) for name, settings in found.items()},
                cursor=cursor.encode(listing, list(found)[-1]) if more else msgspec.UNSET,
            )
        )

    async def get(self, request: Request) -> Response:
        """The settings of one."""
        tenant, collection = _collection(request)
        settings = await self._collections.get(tenant, collection)
        if settings is None:
            raise _none()
        return answer(_described(settings))

    async def put(self, request: Request) -> Response:
        """Set all of them at once."""
        tenant, collection = _collection(request)
        wanted = await body.read(request, CollectionSettings)
        settings = Settings(**msgspec.structs.asdict(wanted))
        await self._collections.put(tenant, collection, settings, request.traceparent)
        return answer(wanted)

    async def delete(self, request: Request) -> Response:
        """Go back to the defaults."""
        if not await self._collections.delete(*_collection(request), request.traceparent):
            raise _none()
        return Response(status=204)


def _collection(request: Request) -> tuple[UUID, str]:
    (collection,) = request.parameters
    writing.check_name(collection)
    return callers_tenant(request), collection


def _described(settings: Settings) -> CollectionSettings:
    return CollectionSettings(**msgspec.structs.asdict(settings))


def _none() -> ProblemError:
    return ProblemError(problems.COLLECTION_NOT_FOUND, "Nobody has set anything for it: the defaults hold.")
