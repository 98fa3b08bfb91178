"""``/v1/collections``: what holds for all documents of a collection."""

from typing import Annotated, Literal
from uuid import UUID

import msgspec

from app.api import body, preconditions, problems, writing
from app.api.lists import Cursor, ETag, Limit, answer, position
from app.api.messages import Request, Response, callers_tenant
from app.api.problems import ProblemError
from app.state import cursor
from app.state.collection import Collections, Found, Settings

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


class ListedCollection(CollectionSettings, frozen=True, kw_only=True, rename="camel"):
    """Settings of a page."""

    etag: ETag


class CollectionPage(msgspec.Struct, frozen=True, kw_only=True):
    """The collections that have settings, by name."""

    collections: dict[str, ListedCollection]
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
                collections={
                    name: ListedCollection(**msgspec.structs.asdict(one.settings), etag=one.etag)
                    for name, one in found.items()
                },
                cursor=cursor.encode(listing, list(found)[-1]) if more else msgspec.UNSET,
            )
        )

    async def get(self, request: Request) -> Response:
        """The settings of one, or 304."""
        found = await self._collections.get(*_collection(request))
        if found is None:
            raise _none()
        etag = ("etag", found.etag)
        if preconditions.not_modified(request.headers, found.etag):
            return Response(status=304, headers=[etag])
        return answer(CollectionSettings(**msgspec.structs.asdict(found.settings)), etag)

    async def put(self, request: Request) -> Response:
        """Set all of them at once."""
        tenant, collection = _collection(request)
        condition, etags = preconditions.of_write(request.headers)
        wanted = await body.read(request, CollectionSettings)
        settings = Settings(**msgspec.structs.asdict(wanted))
        done = await self._collections.put(
            tenant, collection, settings, condition, etags, request.traceparent
        )
        if not isinstance(done, Found):
            raise writing.problem_of(done)
        return answer(wanted, ("etag", done.etag))

    async def delete(self, request: Request) -> Response:
        """Go back to the defaults."""
        tenant, collection = _collection(request)
        condition, etags = preconditions.of_write(request.headers)
        outcome = await self._collections.delete(tenant, collection, condition, etags, request.traceparent)
        if outcome == "not_found":
            raise _none()
        if outcome != "deleted":
            raise writing.problem_of(outcome)
        return Response(status=204)


def _collection(request: Request) -> tuple[UUID, str]:
    (collection,) = request.parameters
    writing.check_name(collection)
    return callers_tenant(request), collection


def _none() -> ProblemError:
    return ProblemError(problems.COLLECTION_NOT_FOUND, "Nobody has set anything for it: the defaults hold.")
