"""Drops events whose time has passed, once they have been relayed."""

import asyncio

import asyncpg
import structlog

from app import metrics
from app.db.postgres import UNREACHABLE

EVERY_SECONDS = 60.0
_AT_ONCE = 1000

log = structlog.get_logger()


class Retention:
    """Keeps the events of every tenant for ``hours``."""

    def __init__(self, pool: asyncpg.Pool, hours: int) -> None:
        self._pool = pool
        self._hours = hours

    async def run(self) -> None:
        """Sweep now and then, until cancelled."""
        while True:
            await asyncio.sleep(EVERY_SECONDS)
            try:
                await self.sweep()
            except UNREACHABLE as error:
                log.warning("retention.failed", error=type(error).__name__)

    async def sweep(self) -> int:
        """Drop what is due, of every tenant; how many events that were."""
        total = 0
        for (tenant,) in await self._pool.fetch("select tenant_id from vanta.tenant order by tenant_id"):
            while swept := await self._pool.fetchval(
                "select vanta.sweep_events($1, $2, $3)", tenant, self._hours, _AT_ONCE
            ):
                total += swept
        metrics.EVENTS_SWEPT.inc(total)
        return total
