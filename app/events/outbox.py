"""Reading events from PostgreSQL, which alone has all of them."""

from collections.abc import Iterable, Mapping
from uuid import UUID

import asyncpg
import msgspec

from app.events.event import Event

_READ = "select * from vanta.read_events($1, $2, $3)"


class GoneError(Exception):
    """The events after a revision are not all there; ``first`` and ``head`` are the oldest kept and the newest revision."""

    def __init__(self, first: int, head: int) -> None:
        super().__init__(f"kept are {first} to {head}")
        self.first = first
        self.head = head


class Page(msgspec.Struct, kw_only=True):
    """Events of one tenant in order; kept are those after ``swept``, written those up to ``head``."""

    events: list[Event]
    swept: int
    head: int


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
                pages[row["tenant_id"]] = Page(events=events, swept=row["swept"], head=row["head"])
                events = []
            else:
                events.append(event(row))
        return pages

    async def page(self, tenant: UUID, after: int, limit: int) -> Page:
        """The events of ``tenant`` after ``after``, ``limit`` at most; raises :class:`GoneError` unless all are there.

        A revision that is yet to come is refused too: the caller has it from a timeline that a restore has given up.
        """
        page = (await self.read({tenant: after}, limit))[tenant]
        if not page.swept <= after <= page.head:
            raise GoneError(page.swept + 1, page.head)
        return page

    async def head(self, tenant: UUID) -> int:
        """The newest revision of ``tenant``."""
        return (await self.read({tenant: 0}, 0))[tenant].head


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
