"""What every room with expiring rows does now and then: remove what is due, tenant by tenant.

One statement each, so that each is under its tenant's row-level security.
"""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Callable
from uuid import UUID

import asyncpg
import structlog
from prometheus_client import Counter

from app.db.postgres import UNREACHABLE

EVERY_SECONDS = 30.0
_AT_ONCE = 500

log = structlog.get_logger()


class Walk(ABC):
    """Goes through all tenants now and then; ``removed`` counts, ``wrote`` is told of the tenants that something was removed of."""

    def __init__(
        self,
        pool: asyncpg.Pool,
        removed: Counter,
        wrote: Callable[[UUID], None] | None = None,
        *,
        every: float = EVERY_SECONDS,
    ) -> None:
        self.pool = pool
        self._removed = removed
        self._wrote = wrote
        self._every = every

    @abstractmethod
    async def of(self, tenant: UUID) -> int:
        """Remove what is due of ``tenant``; how much that was."""

    async def run(self) -> None:
        """Sweep now and then, until cancelled."""
        while True:
            await asyncio.sleep(self._every)
            try:
                await self.sweep()
            except UNREACHABLE as error:
                log.warning("sweep.failed", sweep=type(self).__name__, error=type(error).__name__)

    async def sweep(self) -> int:
        """Remove what is due, of every tenant; how much that was."""
        total = 0
        for (tenant,) in await self.pool.fetch("select tenant_id from vanta.tenant order by tenant_id"):
            removed = await self.of(tenant)
            if removed and self._wrote is not None:
                self._wrote(tenant)
            total += removed
        self._removed.inc(total)
        return total


class Sweep(Walk):
    """Calls ``function`` (a tenant, ``arguments``, how many at most) until it has removed nothing more."""

    def __init__(
        self,
        pool: asyncpg.Pool,
        function: str,
        removed: Counter,
        wrote: Callable[[UUID], None] | None = None,
        *,
        every: float = EVERY_SECONDS,
        arguments: tuple[object, ...] = (),
    ) -> None:
        super().__init__(pool, removed, wrote, every=every)
        places = ", ".join(f"${place}" for place in range(1, len(arguments) + 3))
        self._statement = f"select {function}({places})"
        self._arguments = arguments

    async def of(self, tenant: UUID) -> int:
        """Until nothing more is due."""
        total = 0
        while swept := await self.pool.fetchval(self._statement, tenant, *self._arguments, _AT_ONCE):
            total += swept
        return total
