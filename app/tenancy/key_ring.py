"""The API keys of a tenant: made, listed, rotated, revoked."""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal
from uuid import UUID

import asyncpg
import msgspec

from app.tenancy import keys
from app.tenancy.authenticator import Authenticator
from app.tenancy.principal import Principal, Scope, TenantRole

_CREATE = "select vanta.create_api_key($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)"
_ROTATE = "select vanta.rotate_api_key($1, $2, $3, $4, $5, $6, $7)"
_TOO_MANY = "VA020"

_scopes = msgspec.json.Decoder(list[Scope])


class KeyRefusedError(Exception):
    """Nothing was changed; ``reason`` is ``beyond`` where the key would outlive, or outlives, the one that asks."""

    def __init__(self, reason: Literal["past", "beyond", "limit", "not_found"]) -> None:
        super().__init__(reason)
        self.reason = reason


class StoredKey(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a key once its secret has been given away; until ``previous_until`` a rotated secret works too."""

    id: str
    name: str
    role: TenantRole
    scopes: Sequence[Scope]
    created_at: datetime
    expires_at: datetime | None
    previous_until: datetime | None


class KeyRing:
    """Keeps the keys of all tenants; who asks for a change is a principal of the tenant, of role admin."""

    def __init__(self, pool: asyncpg.Pool, authenticator: Authenticator) -> None:
        self._pool = pool
        self._authenticator = authenticator

    async def create(
        self,
        by: Principal,
        *,
        name: str,
        role: TenantRole,
        scopes: Sequence[Scope],
        expires_at: datetime | None,
        traceparent: str | None,
    ) -> keys.ApiKey:
        """A new key of the tenant of ``by``, which it cannot outlive; raises :class:`KeyRefusedError`."""
        key = keys.generate()
        encoded = msgspec.json.encode(scopes).decode()
        try:
            outcome = await self._pool.fetchval(
                _CREATE,
                by.tenant,
                key.id,
                key.secret_sha256,
                name,
                role,
                encoded,
                expires_at,
                by.expires_at,
                by.id,
                traceparent,
            )
        except asyncpg.PostgresError as error:
            if getattr(error, "sqlstate", None) == _TOO_MANY:
                raise KeyRefusedError("limit") from None
            raise
        if outcome != "created":
            raise KeyRefusedError(outcome)
        return key

    async def list(self, tenant: UUID) -> list[StoredKey]:
        """All keys of ``tenant``, oldest first, expired ones included."""
        return [
            StoredKey(
                id=row["key_id"],
                name=row["name"],
                role=row["role"],
                scopes=_scopes.decode(row["scopes"]),
                created_at=row["created_at"],
                expires_at=row["expires_at"],
                previous_until=row["previous_until"],
            )
            for row in await self._pool.fetch("select * from vanta.list_api_keys($1)", tenant)
        ]

    async def rotate(
        self, by: Principal, key_id: str, *, overlap_seconds: int, traceparent: str | None
    ) -> keys.ApiKey:
        """The key with a new secret; the old one works for ``overlap_seconds`` more. Raises :class:`KeyRefusedError`."""
        key = keys.ApiKey(id=key_id, secret=keys.generate().secret)
        outcome = await self._pool.fetchval(
            _ROTATE, by.tenant, key_id, key.secret_sha256, overlap_seconds, by.expires_at, by.id, traceparent
        )
        self._authenticator.forget_key(key_id)
        if outcome != "rotated":
            raise KeyRefusedError(outcome)
        return key

    async def revoke(self, by: Principal, key_id: str, *, traceparent: str | None) -> bool:
        """Whether there was such a key; here it is refused from now on, elsewhere soon (``REMEMBER_SECONDS``)."""
        found = await self._pool.fetchval(
            "select vanta.revoke_api_key($1, $2, $3, $4)", by.tenant, key_id, by.id, traceparent
        )
        self._authenticator.forget_key(key_id)
        return found
