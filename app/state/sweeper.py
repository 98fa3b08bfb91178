"""Removes what is kept no longer: documents whose time has passed, old versions, answers to be given again.

Readers have not seen any of it since; this is for the space, and for the event of an expired document.
"""

import asyncio
from uuid import UUID

import asyncpg
import structlog

from app import metrics
from app.db.postgres import UNREACHABLE

EVERY_SECONDS = 30.0
_AT_ONCE = 500
#: Versions looked at in one statement, about 5 ms; a walk that finds something to prune goes on at once, for so many pages.
_PAGE = 2000
_PAGES = 50
_START = ("", "", 0)

log = structlog.get_logger()


class Sweeper:
    """Walks the tenants one statement each, so that each sweep is under its tenant's row-level security."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool
        # Where the walk through a tenant's versions goes on; not kept, so a new process begins again.
        self._walks: dict[UUID, tuple[str, str, int]] = {}

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
            while await self._pool.fetchval("select vanta.sweep_answers($1, $2)", tenant, _AT_ONCE):
                pass
            await self._prune(tenant)
        metrics.EXPIRED.inc(total)
        return total

    async def _prune(self, tenant: UUID) -> None:
        position = self._walks.pop(tenant, _START)
        for _ in range(_PAGES):
            pruned, *after = await self._pool.fetchrow(
                "select * from vanta.prune_versions($1, $2, $3, $4, $5)", tenant, *position, _PAGE
            )
            metrics.PRUNED.inc(pruned)
            if after[0] is None:
                return
            position = self._walks[tenant] = (after[0], after[1], after[2])
            if not pruned:
                return
