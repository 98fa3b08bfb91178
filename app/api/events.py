"""``/v1/events`` and ``/v1/watch``: what happened, to be asked for and to be told."""

import asyncio
import re
from typing import Annotated, cast

import msgspec
from granian.rsgi import ProtocolClosed

from app.api import problems
from app.api.messages import Outgoing, Request, Response, callers_tenant, header
from app.api.problems import ProblemError
from app.events.event import Event, Filter
from app.events.hub import CapacityError, Hub, TenantLimitError
from app.events.outbox import GoneError, Outbox
from app.events.position import PATTERN, Position, parse
from app.events.watch import Watch
from app.state import names
from app.tenancy.authenticator import Authenticator

_MAX_PREFIX = 1024
# Events looked at for one answer of the feed; a rare type could else be looked for through all of them.
_LOOKED_AT = 2000
_POSITION = re.compile(PATTERN)

Types = Annotated[
    str,
    msgspec.Meta(
        description="Types of events wanted, separated by commas; empty, and all are.", max_length=1024
    ),
]
SubjectPrefix = Annotated[
    str,
    msgspec.Meta(
        description="What the subject of an event must begin with, such as `state/agents/`.",
        max_length=_MAX_PREFIX,
    ),
]
After = Annotated[
    str,
    msgspec.Meta(
        description=(
            "The id of the event after which to begin, `now` or none for what is yet to come. `Last-Event-ID` goes before it."
        ),
        pattern=rf"^(now|{PATTERN})?$(?!\n)",
    ),
]


class FeedQuery(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What is read of the query string of the feed."""

    after: Annotated[
        str,
        msgspec.Meta(
            description="The id of the event after which to begin, 0 for the first one.",
            pattern=rf"^{PATTERN}$(?!\n)",
        ),
    ] = "0"
    limit: Annotated[int, msgspec.Meta(description="How many events at most.", ge=1, le=1000)] = 100
    types: Types = ""
    subject_prefix: SubjectPrefix = ""


class WatchQuery(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What is read of the query string of a watch over everything."""

    after: After = "now"
    types: Types = ""
    subject_prefix: SubjectPrefix = ""


class CollectionWatchQuery(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What is read of the query string of a watch over documents."""

    after: After = "now"
    prefix: Annotated[
        str,
        msgspec.Meta(
            description="What the key of a document must begin with; empty, and every document is watched.",
            max_length=names.MAX_KEY,
        ),
    ] = ""


class EventsHandlers:
    """The handlers of the event routes."""

    def __init__(self, outbox: Outbox, hub: Hub, authenticator: Authenticator) -> None:
        self._outbox = outbox
        self._hub = hub
        self._authenticator = authenticator

    async def feed(self, request: Request) -> Response:
        """The next events, and up to which one all were looked at."""
        tenant = callers_tenant(request)
        query = cast("FeedQuery", request.query)
        wanted = _filter(request, query.types, query.subject_prefix)
        found: list[Event] = []
        through, looked_at = parse(query.after), 0
        while len(found) < query.limit and looked_at < _LOOKED_AT:
            limit = query.limit if wanted.everything else _LOOKED_AT // 4
            try:
                page = await self._outbox.page(tenant, through, limit)
            except GoneError as error:
                raise _gone(error) from None
            through = page.after
            looked_at += len(page.events)
            for event in page.events:
                if len(found) == query.limit:
                    break
                through = event.position
                if wanted.wants(event):
                    found.append(event)
            if len(page.events) < limit:
                break
        return Response(
            status=200,
            headers=[
                ("content-type", "application/cloudevents-batch+json"),
                ("cache-control", "no-store"),
                ("vanta-revision", str(through)),
            ],
            body=b"[" + b",".join(event.json for event in found) + b"]",
        )

    async def watch(self, request: Request) -> Response:
        """All events of the tenant, as they happen."""
        query = cast("WatchQuery", request.query)
        return await self._watch(request, query.after, _filter(request, query.types, query.subject_prefix))

    async def watch_collection(self, request: Request) -> Response:
        """The events of the documents of a collection, as they happen."""
        (collection,) = request.parameters
        if error := names.collection_error(collection):
            raise ProblemError(problems.INVALID_COLLECTION, error)
        query = cast("CollectionWatchQuery", request.query)
        wanted = Filter(subject_prefix=f"state/{collection}/{query.prefix}")
        return await self._watch(request, query.after, wanted)

    async def _watch(self, request: Request, after: str, wanted: Filter) -> Response:
        async def allowed() -> bool:
            authorization = request.headers.get("authorization")
            return await self._authenticator.principal(authorization) == request.principal

        watch = Watch(self._hub, callers_tenant(request), wanted, allowed)
        try:
            await watch.begin(_after(request, after))
        except GoneError as error:
            raise _gone(error) from None
        except TenantLimitError:
            raise ProblemError(
                problems.TOO_MANY_WATCHES, "End some of them, or watch more with each.", _LATER
            ) from None
        except CapacityError:
            raise ProblemError(
                problems.WATCH_CAPACITY, "Try again: another process will have room.", _LATER
            ) from None

        async def stream(outgoing: Outgoing) -> None:
            async def wait_for_client() -> None:
                await request.transport.client_disconnect()
                watch.close()

            gone = asyncio.create_task(wait_for_client())
            try:
                await watch.run(outgoing.send_bytes)
            except ProtocolClosed:
                # The client was faster than the word of it.
                return
            finally:
                gone.cancel()
                watch.end()

        return Response(
            status=200,
            headers=[
                ("content-type", "text/event-stream"),
                ("cache-control", "no-store"),
                # nginx and its Kubernetes ingress would else collect what is sent.
                ("x-accel-buffering", "no"),
            ],
            stream=stream,
        )


_LATER = (("retry-after", "1"),)


def _filter(request: Request, types: str, subject_prefix: str) -> Filter:
    """What is asked for, of what may be known: a key with scopes is not told of other collections."""
    principal = request.principal
    return Filter(
        types=frozenset(types.split(",")) if types else None,
        subject_prefix=subject_prefix,
        may=(lambda collection: principal.may(collection, "metadata")) if principal.scopes else None,
    )


def _after(request: Request, after: str) -> Position | None:
    """The position after which to begin, None for now: a client that resumes sends the same path again, and the header."""
    text = header(request.headers, "last-event-id")
    if text is None:
        return None if after in {"", "now"} else parse(after)
    if not _POSITION.fullmatch(text):
        raise ProblemError(problems.INVALID_EVENT_ID, "Send the id of an event, or leave the header out.")
    return parse(text)


def _missing(error: GoneError) -> str:
    if error.ahead:
        return "No event has this revision now: it is yet to come, or a recovery has given it up."
    if error.lost:
        return "The last event that was read is lost: a recovery has given it up, and there are others in its place."
    return f"There are the events of revisions {error.first} to {error.head.revision}."


def _gone(error: GoneError) -> ProblemError:
    return ProblemError(
        problems.REVISION_GONE,
        f"{_missing(error)} Read the state again, and go on after {error.head}.",
        after=str(error.head),
    )
