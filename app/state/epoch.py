"""Which cache may be trusted, and when: the row vanta.cache_epoch and how this process follows it.

The protocol, with its argument, is docs/adr/0007-state-path.md. In short: reads trust the cache only for a moment after
having seen the epoch open; whoever must write without marking the cache closes the epoch first and waits that moment.
All waiting is measured on one's own monotonic clock from events one has seen oneself, so no two clocks are compared.
"""

import asyncio
import time
from collections.abc import Callable
from uuid import UUID

import asyncpg
import msgspec
import structlog

from app import metrics
from app.db.postgres import UNREACHABLE

#: Seconds; TRUST counts from the start of the look that saw the epoch open, SETTLE from the end of the one that saw it
#: closing. SETTLE > TRUST by more than two monotonic clocks drift apart meanwhile.
LOOK_EVERY = 0.2
TRUST = 1.0
SETTLE = 1.25
#: How long a closed cache stays closed, so that a process that has lost Redis is not made to close it at each write.
STAY_CLOSED = 5.0
#: How long this process must have been connected to another server than the epoch names before it closes the epoch.
_STRANGER = 1.0

_LOOK = """
select epoch, state, cache_id, (extract(epoch from clock_timestamp()) * 1000)::bigint from vanta.cache_epoch
"""
_MOVE = "select vanta.move_cache_epoch($1, $2, $3)"

log = structlog.get_logger()


class View(msgspec.Struct, frozen=True, kw_only=True):
    """The row as last seen; times are of this process's monotonic clock, ``database_ms`` is Unix time there."""

    epoch: UUID
    state: str
    cache_id: str
    started: float
    database_ms: int


class Epoch:
    """This process's view of the epoch; ``server_id`` tells which Redis server it is connected to, if any."""

    def __init__(self, pool: asyncpg.Pool, server_id: Callable[[], str | None]) -> None:
        self._pool = pool
        self._server_id = server_id
        self._view: View | None = None
        # When this process first knew of the state it sees now.
        self._since = 0.0
        self._stranger_since: float | None = None

    @property
    def markable(self) -> UUID | None:
        """The epoch under which to mark writes; PostgreSQL checks at the write that it still is the one."""
        view = self._view
        if view is None or view.state != "open" or view.cache_id != self._server_id():
            return None
        return view.epoch

    @property
    def trusted(self) -> UUID | None:
        """The epoch whose entries reads may believe at this moment."""
        view = self._view
        if view is None or time.monotonic() > view.started + TRUST:
            return None
        return self.markable

    def now_ms(self) -> int:
        """PostgreSQL's clock, never behind it by more than clocks drift in a second: expiry is its to decide."""
        view = self._view
        if view is None:
            return time.time_ns() // 1_000_000
        return view.database_ms + int((time.monotonic() - view.started) * 1000)

    async def run(self) -> None:
        """Look, and help the epoch on when it is due, until cancelled."""
        while True:
            try:
                await self.look()
                await self._help()
            except UNREACHABLE as error:
                log.warning("epoch.unknown", error=type(error).__name__)
            await asyncio.sleep(LOOK_EVERY)

    async def look(self) -> View:
        """See the row as it is now."""
        started = time.monotonic()
        row = await self._pool.fetchrow(_LOOK)
        seen = View(epoch=row[0], state=row[1], cache_id=row[2], started=started, database_ms=row[3])
        before = self._view
        if before is None or (before.epoch, before.state) != (seen.epoch, seen.state):
            self._since = time.monotonic()
        if before is None or before.started <= started:
            self._view = seen
        return seen

    async def close(self) -> None:
        """Return once nobody trusts the cache any more; at worst after :data:`SETTLE` seconds."""
        while (view := await self.look()).state != "closed":
            if view.state == "open":
                await self._move(view)
            elif (wait := self._since + SETTLE - time.monotonic()) > 0:
                await asyncio.sleep(wait)
            else:
                await self._move(view)

    async def _help(self) -> None:
        """The steps that no write waits for: settle what another left closing, open again, leave a lost server."""
        view, server_id, now = self._view, self._server_id(), time.monotonic()
        if view is None:
            return
        stranger = view.state == "open" and server_id not in {None, view.cache_id}
        if not stranger:
            self._stranger_since = None
        elif self._stranger_since is None:
            self._stranger_since = now
        elif now - self._stranger_since > _STRANGER:
            await self._move(view)
        if view.state == "closing" and now > self._since + SETTLE:
            await self._move(view)
        # A cache never used before has nothing stale to wait for.
        if view.state == "closed" and server_id and (not view.cache_id or now > self._since + STAY_CLOSED):
            await self._move(view, server_id)

    async def _move(self, view: View, server_id: str = "") -> None:
        await self._pool.execute(_MOVE, view.epoch, view.state, server_id)
        metrics.CACHE_EPOCH_MOVES.labels(view.state).inc()
        log.info("epoch.moved", left=view.state)
        await self.look()
