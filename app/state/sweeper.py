"""Removes what is kept no longer: documents whose time has passed, old versions, answers to be given again.

Readers have not seen any of it since; this is for the space, and for the event of an expired document.
"""

from collections.abc import Callable
from uuid import UUID

import asyncpg

from app import metrics
from app.db.sweep import Sweep, Walk

#: Versions looked at in one statement, about 5 ms; a walk that finds something to prune goes on at once, for so many pages.
_PAGE = 2000
_PAGES = 50
_START = ("", "", 0)


class Sweeper(Walk):
    """Counts expired documents, which have an event each; versions and answers go without a word."""

    def __init__(self, pool: asyncpg.Pool, wrote: Callable[[UUID], None] | None = None) -> None:
        super().__init__(pool, metrics.EXPIRED, wrote)
        self._expired = Sweep(pool, "vanta.sweep_expired", metrics.EXPIRED)
        self._answers = Sweep(pool, "vanta.sweep_answers", metrics.EXPIRED)
        # Where the walk through a tenant's versions goes on; not kept, so a new process begins again.
        self._walks: dict[UUID, tuple[str, str, int]] = {}

    async def of(self, tenant: UUID) -> int:
        """All three; how many documents that were."""
        expired = await self._expired.of(tenant)
        await self._answers.of(tenant)
        await self._prune(tenant)
        return expired

    async def _prune(self, tenant: UUID) -> None:
        position = self._walks.pop(tenant, _START)
        for _ in range(_PAGES):
            pruned, *after = await self.pool.fetchrow(
                "select * from vanta.prune_versions($1, $2, $3, $4, $5)", tenant, *position, _PAGE
            )
            metrics.PRUNED.inc(pruned)
            if after[0] is None:
                return
            position = self._walks[tenant] = (after[0], after[1], after[2])
            if not pruned:
                return
