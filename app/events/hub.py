"""One reader of new events per process, for all who watch here.

Each watched tenant has a *tail*: its newest events. A watch takes what it lacks from the tail, or page by page from PostgreSQL
where it is further behind. So nothing is queued for anybody, and a slow watch costs no memory.
"""

import asyncio
import contextlib
from collections import deque
from collections.abc import Callable, Collection
from uuid import UUID

import structlog

from app import metrics
from app.db.postgres import UNREACHABLE
from app.events.event import Event
from app.events.outbox import Outbox, Page
from app.events.position import Position

#: Seconds between two looks without a hint, while hints of other processes can be heard and while they cannot.
LOOK_HEARING = 0.5
LOOK_DEAF = 0.1
#: Seconds between two looks at least; events of the meantime are read together.
_PAUSE_SECONDS = 0.01
_RETRY_SECONDS = 0.5
_TAIL_EVENTS = 256
_AT_ONCE = 256
# Readers of older events beside the one reader of new ones, so that a storm of reconnecting clients waits in line.
_CATCHING_UP = 2

log = structlog.get_logger()


class CapacityError(Exception):
    """This process takes no more watches: too many, or it is about to end."""


class TenantLimitError(Exception):
    """The tenant has too many watches on this process."""


class Tail:
    """The newest events of one tenant: all of those after ``floor`` up to ``position``.

    ``lost`` once the database has given them up, for a past of its own.
    """

    def __init__(self, position: Position) -> None:
        self.floor = position
        self.position = position
        self._events: deque[Event] = deque()
        self.wakers: set[asyncio.Event] = set()
        self.lost = False

    def add(self, events: Collection[Event]) -> None:
        """Append newer events and wake who waits for them."""
        self._events.extend(events)
        while len(self._events) > _TAIL_EVENTS:
            self.floor = self._events.popleft().position
        self.position = self._events[-1].position
        self.wake()

    def wake(self) -> None:
        """Wake who waits for something to happen to it."""
        for waker in self.wakers:
            waker.set()

    def since(self, after: int) -> list[Event] | None:
        """The events after revision ``after``, None if the oldest of them are not here."""
        if after >= self.position.revision:
            return []
        if after < self.floor.revision:
            return None
        return [event for event in self._events if event.revision > after]

    def __contains__(self, position: Position) -> bool:
        """Whether exactly this position is one of its own."""
        return position == self.floor or any(event.position == position for event in self._events)


class Hub:
    """Reads the new events of watched tenants; at most ``limit`` watches, ``tenant_limit`` of them of one tenant."""

    def __init__(self, outbox: Outbox, *, hearing: Callable[[], bool], limit: int, tenant_limit: int) -> None:
        self._outbox = outbox
        self._hearing = hearing
        self._limit = limit
        self._tenant_limit = tenant_limit
        self._watches = 0
        self._tails: dict[UUID, Tail] = {}
        self._hinted: set[UUID] = set()
        self._wake = asyncio.Event()
        self._catching_up = asyncio.Semaphore(_CATCHING_UP)
        self.draining = False

    async def join(self, tenant: UUID, waker: asyncio.Event) -> Tail:
        """The tail of ``tenant``; ``waker`` is set whenever it grows or is lost, until :meth:`leave`.

        Raises :class:`CapacityError`, :class:`TenantLimitError`, and what the database raises.
        """
        if self.draining or self._watches >= self._limit:
            raise CapacityError
        # Counted before the database is asked: whoever comes meanwhile must see it.
        self._count(1)
        try:
            tail = await self._tail(tenant)
        except BaseException:
            self._count(-1)
            raise
        tail.wakers.add(waker)
        return tail

    def leave(self, tenant: UUID, tail: Tail, waker: asyncio.Event) -> None:
        """The watch with ``waker`` has ended, which ``tenant`` had on ``tail``."""
        self._count(-1)
        tail.wakers.discard(waker)
        if not tail.wakers and self._tails.get(tenant) is tail:
            del self._tails[tenant]

    async def head(self, tenant: UUID) -> Position:
        """The position after the newest event of ``tenant`` at this moment."""
        async with self._catching_up:
            return await self._outbox.head(tenant)

    async def page(self, tenant: UUID, after: Position) -> Page:
        """Older events of ``tenant`` from PostgreSQL; raises :class:`app.events.outbox.GoneError`."""
        async with self._catching_up:
            return await self._outbox.page(tenant, after, _AT_ONCE)

    def wake(self, tenants: Collection[UUID]) -> None:
        """There may be new events of ``tenants``."""
        if hinted := self._tails.keys() & tenants:
            self._hinted |= hinted
            self._wake.set()

    def drain(self) -> None:
        """End all watches and take no new one: this process is about to end."""
        self.draining = True
        for tail in self._tails.values():
            tail.wake()

    async def run(self) -> None:
        """Read what is new, until cancelled."""
        loop = asyncio.get_running_loop()
        looked_at_all = loop.time()
        while True:
            due = looked_at_all + (LOOK_HEARING if self._hearing() else LOOK_DEAF)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout_at(due):
                    await self._wake.wait()
            tenants = self._hinted & self._tails.keys()
            if loop.time() >= due:
                tenants, looked_at_all = set(self._tails), loop.time()
            self._hinted = set()
            self._wake.clear()
            try:
                await self._look(tenants)
            except UNREACHABLE as error:
                log.warning("watch.blind", error=type(error).__name__)
                await asyncio.sleep(_RETRY_SECONDS)
            await asyncio.sleep(_PAUSE_SECONDS)

    def _count(self, change: int) -> None:
        self._watches += change
        metrics.WATCHES.set(self._watches)

    async def _tail(self, tenant: UUID) -> Tail:
        if tenant not in self._tails:
            head = await self.head(tenant)
            self._tails.setdefault(tenant, Tail(head))
        tail = self._tails[tenant]
        if len(tail.wakers) >= self._tenant_limit:
            raise TenantLimitError
        return tail

    def _lose(self, tenant: UUID) -> None:
        """End the watches of ``tenant``: whoever comes again is told by its position whether it has read what was lost."""
        tail = self._tails.pop(tenant)
        tail.lost = True
        tail.wake()

    async def _look(self, tenants: Collection[UUID]) -> None:
        asked = {tenant: self._tails[tenant] for tenant in tenants}
        positions = {tenant: tail.position for tenant, tail in asked.items()}
        if not asked:
            return
        afters = {tenant: position.revision for tenant, position in positions.items()}
        for tenant, page in (await self._outbox.read(afters, _AT_ONCE)).items():
            tail = asked[tenant]
            # The last watch may have left, and another come, while PostgreSQL was asked.
            if self._tails.get(tenant) is not tail:
                continue
            if not page.follows(positions[tenant]) and page.swept <= afters[tenant]:
                self._lose(tenant)
            elif page.events:
                tail.add(page.events)
            if len(page.events) == _AT_ONCE:
                self._hinted.add(tenant)
                self._wake.set()
