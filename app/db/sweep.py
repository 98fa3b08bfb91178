"""What every room with expiring rows does now and then: ask PostgreSQL to remove what is due, tenant by tenant."""

import asyncio

import asyncpg
import structlog
from prometheus_client import Counter

from app.db.postgres import UNREACHABLE

EVERY_SECONDS = 30.0
_AT_ONCE = 500

log = structlog.get_logger()


class Sweep:
    """Calls ``function`` (a tenant, how many at most) until it has removed nothing more; ``removed`` counts."""

    def __init__(self, pool: asyncpg.Pool, function: str, removed: Counter) -> None:
        self._pool = pool
        self._statement = f"select {function}($1, $2)"
        self._removed = removed

    async def run(self) -> None:
        """Sweep now and then, until cancelled."""
        while True:
            await asyncio.sleep(EVERY_SECONDS)
            try:
                await self.sweep()
            except UNREACHABLE as error:
                log.warning("sweep.failed", error=type(error).__name__)

    async def sweep(self) -> int:
        """Remove what is due, of every tenant; how much that was."""
        total = 0
        for (tenant,) in await self._pool.fetch("select tenant_id from vanta.tenant order by tenant_id"):
            while swept := await self._pool.fetchval(self._statement, tenant, _AT_ONCE):
                total += swept
        self._removed.inc(total)
        return total
