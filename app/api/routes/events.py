"""Events: ``/v1/events`` and ``/v1/watch``."""

from app.api import problems
from app.api.events import CollectionWatchQuery, FeedQuery, WatchQuery
from app.api.routes.always import ALWAYS
from app.api.routes.route import Answer, Header, Route
from app.events.position import PATTERN

_REVISION = Header(
    name="Vanta-Revision",
    description="The id of the last event looked at, wanted or not: send it as `after` for the next ones.",
    example="4711-1763924142123456",
)
_LAST_EVENT_ID = Header(
    name="Last-Event-ID",
    description="The last id received: the watch goes on after it. Clients of server-sent events send it by themselves.",
    example="4711-1763924142123456",
    schema={"type": "string", "pattern": rf"^{PATTERN}$(?!\n)"},
)
_WATCH = (
    problems.INVALID_EVENT_ID,
    problems.REVISION_GONE,
    problems.TOO_MANY_WATCHES,
    problems.WATCH_CAPACITY,
    *ALWAYS,
)

ROUTES = (
    Route(
        method="GET",
        path="/v1/events",
        handler="events.feed",
        summary="Read events",
        description=(
            "CloudEvents in the order they happened, those after an event. "
            "With a filter the answer may be empty although there is more: go on after Vanta-Revision."
        ),
        answers={200: Answer(description="The events.", body="events-batch", headers=(_REVISION,))},
        problems=(problems.REVISION_GONE, *ALWAYS),
        query=FeedQuery,
        verb="metadata",
        scope="handler",
    ),
    Route(
        method="GET",
        path="/v1/watch",
        handler="events.watch",
        summary="Watch everything",
        description=(
            "Server-sent events, one CloudEvent each, in order and none missing; `id` is that of the CloudEvent: its revision "
            "and its time, which tells it from another event of that revision after a recovery that lost events. "
            "The stream ends now and then: resume with Last-Event-ID."
        ),
        answers={200: Answer(description="Events, as they happen.", body="events")},
        problems=_WATCH,
        headers=(_LAST_EVENT_ID,),
        query=WatchQuery,
        verb="metadata",
        scope="handler",
    ),
    Route(
        method="GET",
        path="/v1/watch/{collection}",
        handler="events.watch_collection",
        summary="Watch documents",
        description="As a watch over everything, but of the documents of one collection, by the beginning of their keys.",
        answers={200: Answer(description="Events, as they happen.", body="events")},
        problems=(problems.INVALID_COLLECTION, *_WATCH),
        headers=(_LAST_EVENT_ID,),
        query=CollectionWatchQuery,
        verb="metadata",
    ),
)
