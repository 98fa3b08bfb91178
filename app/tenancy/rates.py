"""How fast tenants may ask: a token bucket for each, in this process, that is told now and then what others have let through.

docs/adr/0018-tenancy.md has the bound that N processes keep together.
"""

import asyncio
import contextlib
import time
from uuid import UUID

import hiredis

from app.db.redis import Redis, RedisLostError
from app.tenancy.principal import Rate

#: How often processes tell each other what they admitted (seconds).
SHARE_SECONDS = 0.25
# Whoever was not told for longer than this begins anew: a debt that old has been refilled long since.
_STALE_SECONDS = 4 * SHARE_SECONDS
_IDLE_SECONDS = 10.0
_KEPT_MILLISECONDS = 60_000


class Bucket:
    """Admits ``rate.per_second`` for as long as one likes and ``rate.burst`` at once; times are seconds of one clock."""

    __slots__ = ("_tokens", "_updated", "admitted", "rate", "shared", "told_at", "total")

    def __init__(self, rate: Rate, now: float) -> None:
        self.rate = rate
        self._tokens = float(rate.burst)
        self._updated = now
        self.admitted = 0
        # How many of them the others know of; what all had admitted when that was said, and when.
        self.shared = 0
        self.total: int | None = None
        self.told_at = now

    def take(self, now: float) -> float:
        """Admit one request: 0.0; or, without admitting it, in how many seconds one could be."""
        tokens = self._tokens + (now - self._updated) * self.rate.per_second
        self._tokens = tokens = min(tokens, self.rate.burst)
        self._updated = now
        if tokens < 1:
            return (1 - tokens) / self.rate.per_second
        self._tokens = tokens - 1
        self.admitted += 1
        return 0.0

    def told(self, total: int, shared: int, now: float) -> None:
        """All processes together had admitted ``total``, of which these were ``shared`` of ours since the last time."""
        if self.total is not None and total >= self.total and now - self.told_at <= _STALE_SECONDS:
            self._tokens -= max(0, total - self.total - shared)
        self.total = total
        self.told_at = now

    @property
    def idle_since(self) -> float:
        """When it was last asked."""
        return self._updated


class Rates:
    """The buckets of all tenants that ask here; without Redis each process keeps to the rate by itself."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._buckets: dict[UUID, Bucket] = {}

    def take(self, tenant: UUID, rate: Rate, now: float) -> float:
        """As :meth:`Bucket.take`, of the bucket of ``tenant``; ``now`` is of ``time.perf_counter``."""
        bucket = self._buckets.get(tenant)
        if bucket is None:
            bucket = self._buckets[tenant] = Bucket(rate, now)
        elif bucket.rate != rate:
            bucket.rate = rate
        return bucket.take(now)

    async def run(self) -> None:
        """Share what was admitted, until cancelled."""
        while True:
            await asyncio.sleep(SHARE_SECONDS)
            await self.share()

    async def share(self) -> None:
        """Tell the others once, and learn what they admitted; nothing happens without Redis."""
        now = time.perf_counter()
        for tenant in [who for who, one in self._buckets.items() if now - one.idle_since > _IDLE_SECONDS]:
            del self._buckets[tenant]
        # All are sent before the first is waited for, so they leave together.
        sent = [(bucket, self._send(tenant, bucket)) for tenant, bucket in self._buckets.items()]
        for bucket, (admitted, told, kept) in sent:
            with contextlib.suppress(RedisLostError, hiredis.ReplyError):
                total = await told
                bucket.told(total, admitted, time.perf_counter())
            with contextlib.suppress(RedisLostError, hiredis.ReplyError):
                await kept

    def _send(self, tenant: UUID, bucket: Bucket) -> tuple[int, "asyncio.Future[int]", "asyncio.Future[int]"]:
        key = f"vanta:rate:{tenant.hex}"
        admitted = bucket.admitted - bucket.shared
        # Whatever becomes of it: counted twice would be worse than not at all.
        bucket.shared = bucket.admitted
        told = self._redis.send("INCRBY", key, admitted)
        return admitted, told, self._redis.send("PEXPIRE", key, _KEPT_MILLISECONDS)
