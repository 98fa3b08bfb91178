"""Onboarding: a tenant and its first key, in one transaction."""

import re
from dataclasses import dataclass
from uuid import UUID

import asyncpg

from app.tenancy import keys

NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")


class TenantError(Exception):
    """The tenant cannot be made; nothing was written."""


@dataclass(frozen=True, kw_only=True)
class NewTenant:
    """A tenant just made; its ``key`` exists nowhere else and cannot be shown again."""

    tenant_id: UUID
    name: str
    key: keys.ApiKey


async def create(connection: asyncpg.Connection, name: str) -> NewTenant:
    """Make tenant ``name`` (lower-case letters, digits and ``-``); raises :class:`TenantError`."""
    if not NAME.fullmatch(name):
        raise TenantError(f'"{name}" is no tenant name: use 1 to 63 lower-case letters, digits and "-".')
    key = keys.generate()
    async with connection.transaction():
        tenant_id = await connection.fetchval(
            "select set_config('vanta.tenant', gen_random_uuid()::text, true)::uuid"
        )
        try:
            await connection.execute(
                "insert into vanta.tenant (tenant_id, name) values ($1, $2)", tenant_id, name
            )
        except asyncpg.UniqueViolationError:
            raise TenantError(f'There already is a tenant "{name}": choose another name.') from None
        await connection.execute("insert into vanta.tenant_head (tenant_id) values ($1)", tenant_id)
        await connection.execute(
            "insert into vanta.api_key (key_id, tenant_id, secret_sha256) values ($1, $2, $3)",
            key.id,
            tenant_id,
            key.secret_sha256,
        )
    return NewTenant(tenant_id=tenant_id, name=name, key=key)
