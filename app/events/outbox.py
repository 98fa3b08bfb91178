"""Reading events from PostgreSQL, which alone has all of them."""

from collections.abc import Iterable, Mapping
from uuid import UUID

import asyncpg
import msgspec

from app.events.event import Event
from app.events.position import Position, microseconds

_READ = "select * from vanta.read_events($1, $2, $3)"


class GoneError(Exception):
    """The events after a position are not all there; kept are those from revision ``first`` up to ``head``.

    ``lost``: what is there is another past than the one that the position is of, which a recovery has given up; ``ahead``: or
    no event has had its revision yet, for it does not say which one was read.
    """

    def __init__(self, first: int, head: Position, *, lost: bool, ahead: bool = False) -> None:
        super().__init__(f"kept are {first} to {head}")
        self.first = first
        self.head = head
        self.lost = lost
        self.ahead = ahead


class Page(msgspec.Struct, kw_only=True):
    """Events of one tenant in order; kept are those after ``swept``, written those up to ``head``.

    ``after`` is the position after which they are, with the time of the event that is there, if that is known.
    """

    events: list[Event]
    after: Position
    swept: int
    head: int

    def follows(self, position: Position) -> bool:
        """Whether ``position`` is of the same past as these events, so far as it says of which it is."""
        return position.revision <= self.head and position.time in {None, self.after.time}


class Outbox:
    """The events of all tenants; raises what the database raises."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool

    async def read(self, afters: Mapping[UUID, int], limit: int) -> dict[UUID, Page]:
        """For each tenant its events after a revision, ``limit`` at most."""
        rows = await self._pool.fetch(_READ, list(afters), list(afters.values()), limit)
        pages: dict[UUID, Page] = {}
        events: list[Event] = []
        for row in rows:
            if row["revision"] is None:
                tenant, time = row["tenant_id"], row["time"]
                after = Position(afters[tenant], None if time is None else microseconds(time))
                pages[tenant] = Page(events=events, after=after, swept=row["swept"], head=row["head"])
                events = []
            else:
                events.append(event(row))
        return pages

    async def page(self, tenant: UUID, after: Position, limit: int) -> Page:
        """The events of ``tenant`` after ``after``, ``limit`` at most; raises :class:`GoneError` unless all are there.

        A position that is yet to come, or at which another event is now, is refused too: it is of a past that was given up.
        """
        page = (await self.read({tenant: after.revision}, limit))[tenant]
        swept = after.revision < page.swept
        if swept or not page.follows(after):
            ahead = after.time is None and after.revision > page.head
            raise GoneError(page.swept + 1, await self.head(tenant), lost=not swept, ahead=ahead)
        return page

    async def head(self, tenant: UUID) -> Position:
        """The position after the newest event of ``tenant``."""
        head = (await self.read({tenant: 0}, 0))[tenant].head
        return (await self.read({tenant: head}, 0))[tenant].after


def event(row: asyncpg.Record) -> Event:
    """The event that a row of ``vanta.read_events`` or ``vanta.take_events`` holds."""
    return Event(
        tenant=row["tenant_id"],
        revision=row["revision"],
        type=row["type"],
        subject=row["subject"],
        time=row["time"],
        traceparent=row["traceparent"],
        data=row["data"],
    )


def groups(events: Iterable[Event]) -> dict[UUID, list[Event]]:
    """The events of each tenant, in the order they come."""
    grouped: dict[UUID, list[Event]] = {}
    for one in events:
        grouped.setdefault(one.tenant, []).append(one)
    return grouped
