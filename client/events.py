"""Events, read or watched."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import httpx
import msgspec

from client.call import Call, nothing
from client.flow import Page, Pages
from client.room import Room, S, iteration
from client.streams import Watch


class CloudEvent(msgspec.Struct, frozen=True, kw_only=True):
    """What happened; after its ``id`` one goes on, today or another day."""

    specversion: str
    id: str
    source: str
    type: str
    subject: str
    time: datetime
    datacontenttype: str
    data: Any
    traceparent: str | None = None

    @property
    def revision(self) -> int:
        """The tenant's, by which its events are in order."""
        return int(self.id.partition("-")[0])


class Events(Room[S]):
    """``/v1/events`` and ``/v1/watch``."""

    @iteration
    def read(
        self,
        *,
        after: str | int = 0,
        types: Sequence[str] = (),
        subject_prefix: str = "",
        page: int = 100,
    ) -> Pages[CloudEvent]:
        """What happened after the event of an id, until now; :class:`~client.problem.RevisionGone` if not all of it is there."""

        def read(response: httpx.Response) -> Page[CloudEvent]:
            through = response.headers["vanta-revision"]
            asked = response.request.url.params["after"]
            return Page(
                items=msgspec.json.decode(response.content, type=list[CloudEvent]),
                cursor=None if through == asked else through,
            )

        return Pages(
            first=Call(
                method="GET",
                route="/v1/events",
                query={"after": after, "limit": page, **_wanted(types, subject_prefix)},
                read=read,
            ),
            cursor="after",
        )

    @iteration
    def watch(
        self, *, after: str | int | None = None, types: Sequence[str] = (), subject_prefix: str = ""
    ) -> Watch[CloudEvent]:
        """What happens from now on, or after the event of an id: without end, in order, nothing missing and nothing twice.

        :class:`~client.problem.RevisionGone` if something would be missing: only its caller can read the state again.
        """
        return Watch(
            call=Call(
                method="GET",
                route="/v1/watch",
                query={"after": after, **_wanted(types, subject_prefix)},
                read=nothing,
            ),
            read=_event,
        )

    @iteration
    def watch_collection(
        self, collection: str, *, prefix: str = "", after: str | int | None = None
    ) -> Watch[CloudEvent]:
        """As :meth:`watch`, of the documents of a collection whose keys begin with ``prefix``."""
        return Watch(
            call=Call(
                method="GET",
                route="/v1/watch/{collection}",
                names={"collection": collection},
                query={"after": after, "prefix": prefix or None},
                read=nothing,
            ),
            read=_event,
        )


def _wanted(types: Sequence[str], subject_prefix: str) -> dict[str, str | None]:
    return {"types": ",".join(types) or None, "subjectPrefix": subject_prefix or None}


def _event(data: bytes) -> CloudEvent:
    return msgspec.json.decode(data, type=CloudEvent)
