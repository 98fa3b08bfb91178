"""Tenants: made, shown, changed."""

import asyncio
import re
import time
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated
from uuid import UUID

import asyncpg
import msgspec

from app.state import document
from app.tenancy import keys
from app.tenancy.principal import Rate

# The lookahead: app/state/names.py says why.
NAME_PATTERN = r"^[a-z0-9][a-z0-9-]{0,62}$(?!\n)"

# While the cache is between two epochs nothing is written; that takes about a second.
_PATIENCE_SECONDS = 5.0
_RETRY_SECONDS = 0.1
_EPOCH_MOVED = "VA001"

_CREATE = "select vanta.create_tenant($1, $2, $3, $4, $5, $6, $7, $8)"
_READ = "select * from vanta.read_tenants($1, $2, $3)"

_WELCOME = msgspec.json.encode(
    {
        "welcome": "This document is yours: read it, replace it, delete it.",
        "next": ["GET /openapi.json", "PUT /v1/state/{collection}/{key}", "POST /v1/keys"],
    }
).decode()
#: Where a new tenant finds the document that greets it.
WELCOME_PATH = "/v1/state/welcome/start"

_Count = Annotated[int, msgspec.Meta(ge=0, le=2**53)]


class TenantError(Exception):
    """The tenant cannot be made; nothing was written."""


class NameTakenError(TenantError):
    """There already is a tenant of that name."""


class Quotas(msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """How much a tenant may use; None is as much as there is."""

    max_documents: Annotated[
        _Count | None, msgspec.Meta(description="Documents at one time; null: any number.")
    ] = None
    max_bytes: Annotated[
        _Count | None, msgspec.Meta(description="Bytes of all versions that are kept; null: any number.")
    ] = None
    rate: Annotated[Rate | None, msgspec.Meta(description="Requests; null: any number.")] = None


class Changes(msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """What to change of a tenant; what is left out stays."""

    max_documents: Annotated[
        _Count | msgspec.UnsetType | None,
        msgspec.Meta(description="Documents at one time; null: any number."),
    ] = msgspec.UNSET
    max_bytes: Annotated[
        _Count | msgspec.UnsetType | None,
        msgspec.Meta(description="Bytes of all versions that are kept; null: any number."),
    ] = msgspec.UNSET
    rate: Annotated[
        Rate | msgspec.UnsetType | None, msgspec.Meta(description="Requests; null: any number.")
    ] = msgspec.UNSET
    suspended: Annotated[
        bool | msgspec.UnsetType, msgspec.Meta(description="Whether every request of the tenant is refused.")
    ] = msgspec.UNSET


class Tenant(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A tenant: what it may use, and what it does."""

    tenant_id: UUID
    name: str
    created_at: datetime
    suspended: bool
    erasing: Annotated[bool, msgspec.Meta(description="Its erasure has begun, and is not over.")]
    quotas: Quotas
    documents: Annotated[int, msgspec.Meta(description="Documents it has.")]
    bytes: Annotated[int, msgspec.Meta(description="Bytes of all their versions that are kept.")]
    revision: Annotated[int, msgspec.Meta(description="Of its last event.")]


@dataclass(frozen=True, kw_only=True)
class NewTenant:
    """A tenant just made; its ``key`` exists nowhere else and cannot be shown again."""

    tenant_id: UUID
    name: str
    key: keys.ApiKey


async def create(
    database: asyncpg.Pool | asyncpg.Connection,
    name: str,
    *,
    quotas: Quotas | None = None,
    welcome: bool = False,
    by: str | None = None,
    traceparent: str | None = None,
) -> NewTenant:
    """Make tenant ``name`` (lower-case letters, digits and ``-``) with an admin's key; raises :class:`TenantError`.

    With ``welcome`` it has a document from the beginning. ``by`` is the key of the operator who asks.
    """
    if not re.fullmatch(NAME_PATTERN, name):
        raise TenantError(f'"{name}" is no tenant name: use 1 to 63 lower-case letters, digits and "-".')
    key = keys.generate()
    text = _WELCOME if welcome else None
    arguments = (
        name,
        key.id,
        key.secret_sha256,
        msgspec.json.encode(quotas or Quotas()).decode(),
        text,
        text and document.digest(text.encode()),
        by,
        traceparent,
    )
    tenant_id = await _create(database, arguments)
    if tenant_id is None:
        raise NameTakenError(f'There already is a tenant "{name}": choose another name.')
    return NewTenant(tenant_id=tenant_id, name=name, key=key)


async def _create(database: asyncpg.Pool | asyncpg.Connection, arguments: tuple[object, ...]) -> UUID | None:
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while True:
        try:
            return await database.fetchval(_CREATE, *arguments)
        except asyncpg.PostgresError as error:
            if getattr(error, "sqlstate", None) != _EPOCH_MOVED:
                raise
            if time.monotonic() > deadline:
                raise TimeoutError from None
        await asyncio.sleep(_RETRY_SECONDS)


async def read(database: asyncpg.Pool | asyncpg.Connection, tenant: UUID) -> Tenant | None:
    """One tenant, None if there is none."""
    row = await database.fetchrow(_READ, tenant, None, 1)
    return _tenant(row) if row else None


async def named(owner: asyncpg.Connection, name: str) -> UUID | None:
    """The id of the tenant of that name, for a connection of the schema's owner: others are not told names."""
    return await owner.fetchval("select tenant_id from vanta.tenant where name = $1", name)


async def page(database: asyncpg.Pool | asyncpg.Connection, after: UUID | None, limit: int) -> list[Tenant]:
    """At most ``limit`` tenants in the order of their ids, those after ``after``."""
    return [_tenant(row) for row in await database.fetch(_READ, None, after, limit)]


async def change(
    database: asyncpg.Pool | asyncpg.Connection,
    tenant: UUID,
    changes: Changes,
    *,
    by: str | None,
    traceparent: str | None,
) -> bool:
    """Whether there is such a tenant, and so ``changes`` were made."""
    encoded = msgspec.json.encode(changes).decode()
    return await database.fetchval(
        "select vanta.change_tenant($1, $2, $3, $4)", tenant, encoded, by, traceparent
    )


def _tenant(row: asyncpg.Record) -> Tenant:
    rate = Rate(per_second=row["rate_per_second"], burst=row["burst"]) if row["rate_per_second"] else None
    return Tenant(
        tenant_id=row["tenant_id"],
        name=row["name"],
        created_at=row["created_at"],
        suspended=row["suspended"],
        erasing=row["erasing"],
        quotas=Quotas(max_documents=row["max_documents"], max_bytes=row["max_bytes"], rate=rate),
        documents=row["documents"],
        bytes=row["bytes"],
        revision=row["revision"],
    )
