"""From an ``Authorization`` header to a principal."""

import asyncio
import hashlib
import hmac
import time
from dataclasses import dataclass
from uuid import UUID

import asyncpg
import msgspec

from app.tenancy import keys
from app.tenancy.principal import Principal, Rate, Scope
from app.tenancy.tokens import Tokens

#: How long a key is believed without asking PostgreSQL again, so how late a revoked key may still work (seconds).
REMEMBER_SECONDS = 5.0
_REMEMBERED_KEYS = 100_000
# Compared with when the id is unknown, so that both refusals do the same work.
_NO_SECRET = bytes(32)

_scopes = msgspec.json.Decoder(tuple[Scope, ...])


@dataclass(frozen=True, kw_only=True, slots=True)
class _Entry:
    until: float
    principal: Principal
    secret_sha256: bytes
    # What was the secret before a rotation, and until when it still is.
    previous_sha256: bytes | None
    previous_until: float


class Authenticator:
    """Knows whose a key or a token is; remembers it for :data:`REMEMBER_SECONDS`, never beyond its end."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool
        self._tokens = Tokens(pool)
        self._remembered: dict[str, _Entry] = {}
        # By their digests, with until when: verifying a signature costs more than the rest of a request.
        self._believed: dict[bytes, tuple[float, Principal]] = {}
        # Look-ups under way: a key is forgotten for all its callers at once, and they need one answer.
        self._asked: dict[str, asyncio.Future[_Entry | None]] = {}
        # How often something was forgotten: what was being looked up meanwhile may be as old as that.
        self._forgotten = 0

    async def principal(self, authorization: str | None) -> Principal | None:
        """Who sends ``Bearer <key or token>``, or None if that opens nothing; raises what the database raises."""
        if authorization is None or authorization[:7].lower() != "bearer ":
            return None
        key = keys.parse(authorization[7:])
        if key is None:
            return await self._of_token(authorization[7:])
        entry = self._remembered.get(key.id)
        if entry is None or entry.until < time.monotonic():
            entry = await self._looked_up(key.id)
        given = key.secret_sha256
        if hmac.compare_digest(given, entry.secret_sha256 if entry else _NO_SECRET):
            return entry.principal if entry else None
        if (
            entry
            and entry.previous_sha256
            and entry.previous_until > time.monotonic()
            and hmac.compare_digest(given, entry.previous_sha256)
        ):
            return entry.principal
        return None

    def forget_key(self, key_id: str) -> None:
        """Ask PostgreSQL at the next use of the key, because it was changed."""
        self._forgotten += 1
        self._asked.clear()
        self._remembered.pop(key_id, None)

    def forget_tenant(self, tenant: UUID) -> None:
        """Ask PostgreSQL at the next use of each key or token of ``tenant``."""
        self._forgotten += 1
        self._asked.clear()
        for key_id in [key for key, entry in self._remembered.items() if entry.principal.tenant == tenant]:
            self._remembered.pop(key_id, None)
        for digest in [one for one, (_, who) in self._believed.items() if who.tenant == tenant]:
            self._believed.pop(digest, None)

    async def _of_token(self, token: str) -> Principal | None:
        if token.count(".") != 2:
            return None
        digest = hashlib.sha256(token.encode()).digest()
        now, forgotten = time.monotonic(), self._forgotten
        until, principal = self._believed.get(digest, (now, None))
        if until > now:
            return principal
        believed = await self._tokens.verify(token)
        if believed is None:
            self._believed.pop(digest, None)
            return None
        if len(self._believed) >= _REMEMBERED_KEYS:
            self._believed.clear()
        if forgotten == self._forgotten:
            self._believed[digest] = (now + min(REMEMBER_SECONDS, believed.seconds), believed.principal)
        return believed.principal

    async def _looked_up(self, key_id: str) -> _Entry | None:
        """What :meth:`_look_up` returns or raises, of one that may have begun before, but not before it was forgotten."""
        asked = self._asked.get(key_id)
        if asked is None:
            asked = self._asked[key_id] = asyncio.ensure_future(self._look_up(key_id))

            def answered(done: asyncio.Future[_Entry | None]) -> None:
                if self._asked.get(key_id) is done:
                    del self._asked[key_id]
                # Whoever asked may have left: an error that nobody takes is no reason for a warning.
                done.cancelled() or done.exception()

            asked.add_done_callback(answered)
        # Shielded, for the others wait for it too.
        return await asyncio.shield(asked)

    async def _look_up(self, key_id: str) -> _Entry | None:
        # Before the query: what is read is at least as new as this.
        now, forgotten = time.monotonic(), self._forgotten
        row = await self._pool.fetchrow("select * from vanta.find_api_key($1)", key_id)
        if row is None:
            self._remembered.pop(key_id, None)
            return None
        if len(self._remembered) >= _REMEMBERED_KEYS:
            self._remembered.clear()
        entry = _Entry(
            until=now + min(REMEMBER_SECONDS, _or_never(row["expires_seconds"])),
            principal=_principal(key_id, row),
            secret_sha256=row["secret_sha256"],
            previous_sha256=row["previous_sha256"],
            previous_until=now + (row["previous_seconds"] or 0.0),
        )
        if forgotten == self._forgotten:
            self._remembered[key_id] = entry
        return entry


def _or_never(seconds: float | None) -> float:
    return float("inf") if seconds is None else seconds


def _principal(key_id: str, row: asyncpg.Record) -> Principal:
    return Principal(
        tenant=row["tenant_id"],
        id=key_id,
        role=row["role"],
        scopes=_scopes.decode(row["scopes"]),
        expires_at=row["expires_at"],
        suspended=row["suspended"],
        rate=Rate(per_second=row["rate_per_second"], burst=row["burst"]) if row["rate_per_second"] else None,
    )
