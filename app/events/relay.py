"""From the outbox to Redis Streams: every event of a tenant, in order, in ``vanta:<tenant>:events``.

The id of an entry is that of its event, ``<revision>-<time>``. Redis refuses one that is not above the last, so what is relayed
again after a crash is in the stream once.
"""

import asyncio
import contextlib
from collections.abc import Collection, Sequence
from uuid import UUID

import asyncpg
import structlog

from app import metrics
from app.db.postgres import UNREACHABLE
from app.db.redis import Redis
from app.events.event import Event
from app.events.outbox import event, groups

#: Seconds after which a process looks whether what others have written was relayed, and at all tenants.
SUSPECT_SECONDS = 2.0
ALL_SECONDS = 15.0
_RETRY_SECONDS = 0.5
# Between two rounds, for one costs as much as a hundred events; less after one that could not carry all.
_PAUSE_SECONDS, _FULL_PAUSE_SECONDS = 0.1, 0.02
# While another process relays a tenant, ours asks again so much later: that one may have read before our write.
_BUSY_SECONDS = 0.05
_TENANTS_AT_ONCE = 32
_AT_ONCE = 512
# Redis does nothing else while a script runs, so that one takes less than half a millisecond.
_PER_SCRIPT = 128

_TAKE = "select * from vanta.take_events($1, $2)"
_NOTE = "select vanta.note_relayed($1, $2)"
_LAG = "select * from vanta.relay_lag($1)"
_TENANTS = "select tenant_id from vanta.tenant"

# ARGV: how many entries the stream keeps, then id and event of each. An id that is there already is no error; one that is
# refused and not there comes after a past that the database has given up, with which the stream would go on for nobody.
_ADD = """
local function add(id, event) return redis.pcall('XADD', KEYS[1], 'MAXLEN', '~', ARGV[1], id, 'event', event) end
for i = 2, #ARGV, 2 do
    local id, event = ARGV[i], ARGV[i + 1]
    local added = add(id, event)
    if type(added) == 'table' and added.err and string.find(added.err, 'equal or smaller', 1, true) then
        if #redis.call('XRANGE', KEYS[1], id, id) == 0 then
            redis.call('DEL', KEYS[1])
            added = add(id, event)
        else
            added = id
        end
    end
    if type(added) == 'table' and added.err then return redis.error_reply(added.err) end
end
"""

log = structlog.get_logger()


def stream(tenant: UUID) -> str:
    """The key of the stream of ``tenant``."""
    return f"vanta:{tenant}:events"


def pause_after(relayed: int, *, tenants_left: int) -> float:
    """Seconds to the next round from one that carried ``relayed`` events, and left so many tenants to it."""
    return _FULL_PAUSE_SECONDS if tenants_left or relayed >= _AT_ONCE else _PAUSE_SECONDS


class Relay:
    """Every process has one; which of them relays a tenant is decided batch by batch, by a lock in PostgreSQL."""

    def __init__(self, pool: asyncpg.Pool, redis: Redis, *, length: int) -> None:
        self._pool = pool
        self._redis = redis
        self._length = length
        self._due: set[UUID] = set()
        self._suspects: set[UUID] = set()
        self._wake = asyncio.Event()

    def wrote(self, tenants: Collection[UUID]) -> None:
        """This process has written events of ``tenants``: they are its to relay."""
        self._due |= {*tenants}
        self._wake.set()

    def suspect(self, tenants: Collection[UUID]) -> None:
        """Another process has written events of ``tenants``, and will relay them unless it dies."""
        self._suspects |= {*tenants}

    async def run(self) -> None:
        """Relay until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._relay_forever())
            group.create_task(self._look_forever())

    async def _relay_forever(self) -> None:
        while True:
            await self._wake.wait()
            tenants = [self._due.pop() for _ in range(min(len(self._due), _TENANTS_AT_ONCE))]
            left = len(self._due)
            if not left:
                self._wake.clear()
            relayed = 0
            try:
                relayed = await self.relay(tenants)
            except (asyncpg.PostgresError, *UNREACHABLE) as error:
                log.warning("relay.interrupted", error=type(error).__name__)
                self._again(tenants, _RETRY_SECONDS)
            await asyncio.sleep(pause_after(relayed, tenants_left=left))

    async def relay(self, tenants: Collection[UUID]) -> int:
        """Relay the next events of ``tenants``, return how many, and be told to go on with those that have more.

        Raises what PostgreSQL raises; then nothing is noted, and the same events are relayed again.
        """
        relayed: dict[UUID, int] = {}
        async with self._pool.acquire() as connection, connection.transaction():
            rows = await connection.fetch(_TAKE, list(tenants), _AT_ONCE)
            taken = groups(event(row) for row in rows if row["revision"] is not None)
            results = await asyncio.gather(
                *(self._add(tenant, events) for tenant, events in taken.items()), return_exceptions=True
            )
            for (tenant, events), error in zip(taken.items(), results, strict=True):
                if error is None:
                    relayed[tenant] = events[-1].revision
            if relayed:
                await connection.execute(_NOTE, list(relayed), list(relayed.values()))
        count = sum(len(taken[tenant]) for tenant in relayed)
        metrics.RELAYED.inc(count)
        self._again({row["tenant_id"] for row in rows if row["revision"] is None}, _BUSY_SECONDS)
        self._again([tenant for tenant in relayed if len(taken[tenant]) == _AT_ONCE], 0)
        for error in {type(error).__name__ for error in results if error is not None}:
            # The type only: a reply may quote what was sent.
            log.warning("relay.interrupted", error=error)
        self._again(taken.keys() - relayed.keys(), _RETRY_SECONDS)
        return count

    def _again(self, tenants: Collection[UUID], seconds: float) -> None:
        if tenants:
            asyncio.get_running_loop().call_later(seconds, self.wrote, tenants)

    async def _add(self, tenant: UUID, events: Sequence[Event]) -> None:
        # One after the other: a later part must not get in where an earlier one failed.
        for at in range(0, len(events), _PER_SCRIPT):
            arguments: list[str | bytes] = []
            for one in events[at : at + _PER_SCRIPT]:
                arguments += (one.id, one.json)
            await self._redis.send("EVAL", _ADD, 1, stream(tenant), self._length, *arguments)

    async def _look_forever(self) -> None:
        loop = asyncio.get_running_loop()
        all_at = loop.time()
        while True:
            with contextlib.suppress(*UNREACHABLE):
                if loop.time() >= all_at:
                    all_at = loop.time() + ALL_SECONDS
                    await self.look([row[0] for row in await self._pool.fetch(_TENANTS)], everywhere=True)
                elif suspects := self._suspects:
                    self._suspects = set()
                    await self.look(list(suspects))
            await asyncio.sleep(SUSPECT_SECONDS)

    async def look(self, tenants: Sequence[UUID], *, everywhere: bool = False) -> None:
        """See what of ``tenants`` is not relayed, and do it; the lag is known after a look ``everywhere``."""
        lags = await self._pool.fetch(_LAG, tenants)
        if everywhere:
            metrics.RELAY_LAG_EVENTS.set(sum(row["events"] for row in lags))
            metrics.RELAY_LAG_SECONDS.set(max((row["seconds"] for row in lags), default=0.0))
        if lags:
            self.wrote([row["tenant_id"] for row in lags])
