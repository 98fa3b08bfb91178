"""What a tenant has of what it may have, for whoever is refused more."""

from uuid import UUID

import asyncpg
import structlog

from app.api.messages import Request
from app.api.problems import ProblemError
from app.api.writing import REPLAYED
from app.tenancy import tenants

log = structlog.get_logger()


class Limits:
    """Asks PostgreSQL, and only after a refusal."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool

    async def detail(self, error: ProblemError, request: Request) -> str:
        """The detail of ``error``, which ``request`` is refused with, after the numbers if they may be told."""
        # A key with scopes does not see what there is beside them, and what was answered before was so then.
        if request.tenant is None or request.principal.scopes or REPLAYED in error.headers:
            return error.detail
        return await self.sentence(request.tenant) + error.detail

    async def sentence(self, tenant: UUID) -> str:
        """Each limit of ``tenant`` with what is used of it; empty if that cannot be told now."""
        try:
            found = await tenants.read(self._pool, tenant)
        except Exception:  # whatever it is, the refusal stands without
            log.exception("limits.unread")
            return ""
        if found is None:
            return ""
        counted = (
            (found.documents, found.quotas.max_documents, "documents"),
            (found.bytes, found.quotas.max_bytes, "bytes"),
        )
        used = [f"{has} of {limit} {what}" for has, limit, what in counted if limit is not None]
        return f"The tenant has {' and '.join(used)}. " if used else ""
