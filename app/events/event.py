"""One event, and how it is written down for others: a CloudEvent 1.0 in JSON."""

from collections.abc import Callable
from datetime import datetime
from functools import cached_property
from typing import Any
from uuid import UUID

import msgspec

from app.events.position import Position, microseconds


class CloudEvent(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The JSON format. ``source`` and ``id`` together are unique, as the specification asks.

    Source: CloudEvents 1.0, "JSON Event Format", and its extension "Distributed Tracing".
    """

    specversion: str
    id: str
    source: str
    type: str
    subject: str
    time: datetime
    datacontenttype: str
    traceparent: str | None = None
    data: Any


class Event(msgspec.Struct, frozen=True, kw_only=True, dict=True):
    """An event as stored; ``revision`` orders those of one tenant, ``data`` is JSON."""

    tenant: UUID
    revision: int
    type: str
    subject: str
    time: datetime
    traceparent: str | None
    data: str

    @cached_property
    def position(self) -> Position:
        """Where who has read it is."""
        return Position(self.revision, microseconds(self.time))

    @cached_property
    def id(self) -> str:
        """The position, as text: what the event is called everywhere."""
        return str(self.position)

    @property
    def collection(self) -> str:
        """What the scopes of a key are compared with: a document's collection, or the room with a ``_`` before it."""
        room, _, rest = self.subject.partition("/")
        return rest.partition("/")[0] if room == "state" else f"_{room}"

    @cached_property
    def json(self) -> bytes:
        """The CloudEvent."""
        return msgspec.json.encode(
            CloudEvent(
                specversion="1.0",
                id=self.id,
                source=f"/tenants/{self.tenant}",
                type=self.type,
                subject=self.subject,
                time=self.time,
                datacontenttype="application/json",
                traceparent=self.traceparent,
                data=msgspec.Raw(self.data.encode()),
            )
        )

    @cached_property
    def message(self) -> bytes:
        """The server-sent event, made once for all who watch."""
        return b"id: %b\nevent: %b\ndata: %b\n\n" % (self.id.encode(), self.type.encode(), self.json)


class Filter(msgspec.Struct, frozen=True, kw_only=True):
    """Which events are wanted: of one of ``types`` (None: any), about what begins with ``subject_prefix``.

    ``may`` says which collections may be known of; None is all of them.
    """

    types: frozenset[str] | None = None
    subject_prefix: str = ""
    may: Callable[[str], bool] | None = None

    @property
    def everything(self) -> bool:
        """Whether nothing is left out."""
        return self.types is None and not self.subject_prefix and self.may is None

    def wants(self, event: Event) -> bool:
        """Whether ``event`` is one of them."""
        return (
            event.subject.startswith(self.subject_prefix)
            and (self.types is None or event.type in self.types)
            and (self.may is None or self.may(event.collection))
        )
