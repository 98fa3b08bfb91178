"""Removes documents whose time has passed; readers have not seen them since, this is for the space and the event."""

import asyncio

import asyncpg
import structlog

from app import metrics
from app.db.postgres import UNREACHABLE

EVERY_SECONDS = 30.0
_AT_ONCE = 500

log = structlog.get_logger()


class Sweeper:
    """Walks the tenants one statement each, so that each sweep is under its tenant's row-level security."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool

    async def run(self) -> None:
        """Sweep now and then, until cancelled."""
        while True:
            await asyncio.sleep(EVERY_SECONDS)
            try:
                await self.sweep()
            except UNREACHABLE as error:
                log.warning("sweep.failed", error=type(error).__name__)

    async def sweep(self) -> int:
        """Remove what is due, of every tenant; how many documents that were."""
        total = 0
        for (tenant,) in await self._pool.fetch("select tenant_id from vanta.tenant order by tenant_id"):
            while swept := await self._pool.fetchval("select vanta.sweep_expired($1, $2)", tenant, _AT_ONCE):
                total += swept
        metrics.EXPIRED.inc(total)
        return total
