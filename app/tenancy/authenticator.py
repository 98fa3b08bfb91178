"""From an ``Authorization`` header to a tenant."""

import hmac
import time
from dataclasses import dataclass
from uuid import UUID

import asyncpg

from app.tenancy import keys

#: How long a key is believed without asking PostgreSQL again, so how late a removed key may still work (seconds).
REMEMBER_SECONDS = 5.0
_REMEMBERED_KEYS = 100_000
# Compared with when the id is unknown, so that both refusals do the same work.
_NOBODY = bytes(32)


@dataclass(frozen=True)
class _Entry:
    until: float
    tenant_id: UUID
    secret_sha256: bytes


class Authenticator:
    """Knows the tenant of a key; remembers found keys for :data:`REMEMBER_SECONDS`."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool
        self._remembered: dict[str, _Entry] = {}

    async def tenant(self, authorization: str | None) -> UUID | None:
        """The tenant of ``Bearer <key>``, or None if there is no such key; raises what the database raises."""
        if authorization is None or authorization[:7].lower() != "bearer ":
            return None
        key = keys.parse(authorization[7:])
        if key is None:
            return None
        entry = self._remembered.get(key.id)
        if entry is None or entry.until < time.monotonic():
            entry = await self._look_up(key.id)
        same = hmac.compare_digest(key.secret_sha256, entry.secret_sha256 if entry else _NOBODY)
        return entry.tenant_id if entry and same else None

    async def _look_up(self, key_id: str) -> _Entry | None:
        row = await self._pool.fetchrow("select tenant_id, secret_sha256 from vanta.find_api_key($1)", key_id)
        if row is None:
            self._remembered.pop(key_id, None)
            return None
        if len(self._remembered) >= _REMEMBERED_KEYS:
            self._remembered.clear()
        entry = _Entry(time.monotonic() + REMEMBER_SECONDS, row["tenant_id"], row["secret_sha256"])
        self._remembered[key_id] = entry
        return entry
