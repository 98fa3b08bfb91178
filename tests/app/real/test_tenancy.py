"""Keys over time, and the sweeper."""

from collections.abc import Callable
from uuid import UUID

import asyncpg
import pytest

from app.state.document import Name, Write
from app.state.store import Store
from app.state.sweeper import Sweeper
from app.tenancy import authenticator
from app.tenancy.authenticator import Authenticator

from .conftest import Database, Tenant


async def who(known: Authenticator, authorization: str) -> UUID | None:
    principal = await known.principal(authorization)
    return principal.tenant if principal else None


async def test_a_known_key_is_not_looked_up_again_for_a_while(
    pool: asyncpg.Pool, tenant: Tenant, database: Database
) -> None:
    known = Authenticator(pool)
    assert await who(known, f"Bearer {tenant.key}") == tenant.id
    database.query("delete from vanta.api_key where tenant_id = $1", tenant.id)
    assert await who(known, f"bearer {tenant.key}") == tenant.id


async def test_a_removed_key_stops_working(
    pool: asyncpg.Pool, tenant: Tenant, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(authenticator, "REMEMBER_SECONDS", -1)
    known = Authenticator(pool)
    assert await who(known, f"Bearer {tenant.key}") == tenant.id
    database.query("delete from vanta.api_key where tenant_id = $1", tenant.id)
    assert await who(known, f"Bearer {tenant.key}") is None


async def test_a_remembered_key_does_not_open_the_door_to_another_secret(
    pool: asyncpg.Pool, tenant: Tenant
) -> None:
    known = Authenticator(pool)
    assert await who(known, f"Bearer {tenant.key}") == tenant.id
    head, secret = (
        tenant.key.rsplit("_", 1) if tenant.key.count("_") == 2 else (tenant.key[:22], tenant.key[23:])
    )
    assert await who(known, f"Bearer {head}_{'A' * len(secret)}") is None


async def test_expired_documents_leave_a_deletion_and_an_event(
    pool: asyncpg.Pool, new_tenant: Callable[[], Tenant], database: Database
) -> None:
    one, other = new_tenant(), new_tenant()
    epoch = database.query("select epoch from vanta.cache_epoch")[0][0]
    for tenant in (one, other):
        writes = [
            Write(name=Name(tenant.id, "c", f"k{number}"), value="1", digest="0" * 16, ttl=ttl)
            for number, ttl in enumerate((3600, 3600, None))
        ]
        await Store(pool).write(writes, epoch)
    database.query(
        "update vanta.document set expires_at = now() where tenant_id = $1 and key <> 'k1'", one.id
    )
    database.query("update vanta.document set expires_at = null where tenant_id = $1 and key = 'k2'", one.id)
    told: list[UUID] = []
    assert await Sweeper(pool, told.append).sweep() >= 1
    assert one.id in told, "whoever reads its events is not told"
    assert other.id not in told
    assert database.trace(one.id) == (2, 4, 4, 4)
    assert database.trace(other.id) == (3, 3, 3, 3)
    (event,) = database.query(
        "select revision, type, data ->> 'key' from vanta.outbox where tenant_id = $1 and revision > 3",
        one.id,
    )
    assert tuple(event) == (4, "vanta.state.document.expired", "k0")
    ((value,),) = database.query(
        "select value from vanta.document_version where tenant_id = $1 and revision = 4", one.id
    )
    assert value is None
    assert await Sweeper(pool).sweep() == 0


async def test_a_tenant_that_is_being_erased_is_not_swept(
    pool: asyncpg.Pool, tenant: Tenant, database: Database
) -> None:
    epoch = database.query("select epoch from vanta.cache_epoch")[0][0]
    write = Write(name=Name(tenant.id, "c", "k"), value="1", digest="0" * 16, ttl=3600)
    await Store(pool).write([write], epoch)
    database.query("update vanta.document set expires_at = now() where tenant_id = $1", tenant.id)
    database.query("delete from vanta.tenant_head where tenant_id = $1", tenant.id)
    assert await pool.fetchval("select vanta.sweep_expired($1, 10)", tenant.id) == 0
    database.query("delete from vanta.document where tenant_id = $1", tenant.id)
