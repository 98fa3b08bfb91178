"""Settings of collections: ``/v1/collections``."""

from app.api import problems
from app.api.collections import CollectionPage, CollectionSettings, CollectionsQuery
from app.api.routes import headers
from app.api.routes.always import ALWAYS
from app.api.routes.route import Answer, Route

_COLLECTION = "/v1/collections/{collection}"

ROUTES = (
    Route(
        method="GET",
        path="/v1/collections",
        handler="collections.page",
        summary="List settings of collections",
        description="Those that have any, in the order of their names.",
        answers={200: Answer(description="A page.", body=CollectionPage)},
        problems=(problems.INVALID_CURSOR, *ALWAYS),
        query=CollectionsQuery,
        verb="metadata",
    ),
    Route(
        method="GET",
        path=_COLLECTION,
        handler="collections.get",
        summary="Read a collection's settings",
        description="What holds for its documents where a request does not say otherwise.",
        answers={
            200: Answer(description="The settings.", body=CollectionSettings, headers=(headers.ETAG,)),
            304: Answer(description="They are those the caller has.", headers=(headers.ETAG,)),
        },
        problems=(
            problems.INVALID_COLLECTION,
            problems.INVALID_PRECONDITION,
            problems.COLLECTION_NOT_FOUND,
            *ALWAYS,
        ),
        headers=(headers.CACHED,),
        verb="metadata",
    ),
    Route(
        method="PUT",
        path=_COLLECTION,
        handler="collections.put",
        summary="Set a collection's settings",
        description=(
            "All of them at once. Every write from then on follows them; versions too many go with the next one. "
            "Over existing settings it needs a precondition or Vanta-Concurrency."
        ),
        answers={200: Answer(description="Set.", body=CollectionSettings, headers=(headers.ETAG,))},
        problems=(
            problems.INVALID_COLLECTION,
            problems.INVALID_PRECONDITION,
            problems.MALFORMED_JSON,
            problems.BODY_TIMEOUT,
            problems.PRECONDITION_FAILED,
            problems.BODY_TOO_LARGE,
            problems.UNSUPPORTED_MEDIA_TYPE,
            problems.INVALID_DOCUMENT,
            problems.INVALID_BODY,
            problems.PRECONDITION_REQUIRED,
            *ALWAYS,
        ),
        headers=(headers.IF_MATCH, headers.IF_NONE_MATCH, headers.CONCURRENCY),
        body=CollectionSettings,
        verb="admin",
    ),
    Route(
        method="DELETE",
        path=_COLLECTION,
        handler="collections.delete",
        summary="Delete a collection's settings",
        description="The defaults hold again; documents stay. It needs a precondition or Vanta-Concurrency.",
        answers={204: Answer(description="Deleted.")},
        problems=(
            problems.INVALID_COLLECTION,
            problems.INVALID_PRECONDITION,
            problems.COLLECTION_NOT_FOUND,
            problems.PRECONDITION_FAILED,
            problems.PRECONDITION_REQUIRED,
            *ALWAYS,
        ),
        headers=(headers.IF_MATCH, headers.IF_NONE_MATCH, headers.CONCURRENCY),
        verb="admin",
    ),
)
