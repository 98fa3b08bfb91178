"""Tenants: what row-level security holds by itself, below all checks of the code."""

from collections.abc import Callable
from uuid import uuid4

import asyncpg
import pytest

from app.state.document import Name, Write
from app.state.store import Store

from .conftest import Database, Tenant


@pytest.fixture
def two(new_tenant: Callable[[], Tenant], database: Database) -> tuple[Tenant, Tenant]:
    """Two tenants, each with a document of the same name."""
    one, other = new_tenant(), new_tenant()
    for tenant in (one, other):
        database.query("insert into vanta.document values ($1, 'c', 'k', 1, $2, null)", tenant.id, "0" * 16)
        database.query(
            "insert into vanta.document_version values ($1, 'c', 'k', 1, '\"mine\"', now(), null)", tenant.id
        )
        database.query("update vanta.tenant_head set revision = 1 where tenant_id = $1", tenant.id)
        database.query(
            "insert into vanta.outbox (tenant_id, revision, type, subject, time, data) values ($1, 1, 't', 's', now(), '{}')",
            tenant.id,
        )
        database.query("insert into vanta.collection values ($1, 'c', 'precondition')", tenant.id)
        database.query("insert into vanta.idempotent_answer values ($1, 'k', 'f', now(), '[]')", tenant.id)
        # A relay at work may have made it already.
        database.query(
            "insert into vanta.event_cursor (tenant_id, relayed) values ($1, 1) on conflict do nothing",
            tenant.id,
        )
        database.query("insert into vanta.data_key values ($1, 1, 'k', '')", tenant.id)
        database.query(
            """
            insert into vanta.webhook
                (tenant_id, webhook_id, url, types, subject_prefixes, generation, sealed, delivered, disabled_at)
            values ($1, $1, 'https://example.com/', '{}', '{}', 1, '', 1, now())
            """,
            tenant.id,
        )
        database.query("insert into vanta.dead_letter values ($1, $1, 1, '{}', 'because')", tenant.id)
        database.query(
            "insert into vanta.issuer values ($1, 'https://x', $2, 'https://x', 'roles', '{}')",
            tenant.id,
            str(tenant.id),
        )
    return one, other


TABLES = [
    "tenant_head",
    "api_key",
    "document",
    "document_version",
    "outbox",
    "collection",
    "idempotent_answer",
    "event_cursor",
    "webhook",
    "dead_letter",
    "issuer",
    "current_document",
    "outbox_event",
]


async def test_every_table_with_a_tenant_forces_row_level_security(pool: asyncpg.Pool) -> None:
    rows = await pool.fetch(
        """
        select c.relname, c.relrowsecurity and c.relforcerowsecurity as forced
        from pg_class c
        join pg_attribute a on a.attrelid = c.oid and a.attname = 'tenant_id'
        where c.relnamespace = 'vanta'::regnamespace and c.relkind in ('r', 'p')
        """
    )
    assert {row["relname"] for row in rows} >= {
        "tenant",
        "tenant_head",
        "api_key",
        "document",
        "document_version",
        "outbox",
    }
    assert all(row["forced"] for row in rows)


async def test_the_application_neither_owns_nor_bypasses(pool: asyncpg.Pool) -> None:
    row = await pool.fetchrow(
        """
        select rolsuper or rolbypassrls or rolcreaterole or rolcreatedb as strong,
               (select count(*) from pg_class where relowner = r.oid) as owned
        from pg_roles r where rolname = current_user
        """
    )
    assert tuple(row) == (False, 0)


@pytest.mark.parametrize("table", TABLES)
async def test_plain_sql_sees_one_tenant_only(
    pool: asyncpg.Pool, two: tuple[Tenant, Tenant], table: str
) -> None:
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute("select set_config('vanta.tenant', $1, true)", str(two[0].id))
        seen = await connection.fetch(f"select distinct tenant_id from vanta.{table}")  # noqa: S608 - a constant
    assert [row["tenant_id"] for row in seen] == [two[0].id]


@pytest.mark.parametrize("table", TABLES)
async def test_plain_sql_of_nobody_sees_nothing(
    pool: asyncpg.Pool, two: tuple[Tenant, Tenant], table: str
) -> None:
    assert await pool.fetchval(f"select count(*) from vanta.{table}") == 0  # noqa: S608 - a constant
    async with pool.acquire() as connection:
        async with connection.transaction():
            await connection.execute("select set_config('vanta.tenant', $1, true)", str(two[0].id))
        assert await connection.fetchval(f"select count(*) from vanta.{table}") == 0  # noqa: S608 - a constant


@pytest.mark.parametrize(
    "statement",
    [
        "insert into vanta.document values ($1, 'c', 'new', 9, '0000000000000000', null)",
        "insert into vanta.document_version values ($1, 'c', 'new', 9, '1', now(), null)",
        "insert into vanta.outbox (tenant_id, revision, type, subject, time, data) values ($1, 9, 't', 's', now(), '{}')",
        "update vanta.document set tenant_id = $1",
        "insert into vanta.collection values ($1, 'new', 'precondition')",
        "insert into vanta.idempotent_answer values ($1, 'new', 'f', now(), '[]')",
        "insert into vanta.issuer values ($1, 'https://y', 'a', 'https://y', 'roles', '{}')",
        "insert into vanta.api_key (key_id, tenant_id, secret_sha256) values ('0123456789abcdef', $1, sha256('x'))",
    ],
)
async def test_plain_sql_cannot_write_for_another_tenant(
    pool: asyncpg.Pool, two: tuple[Tenant, Tenant], database: Database, statement: str
) -> None:
    before = database.trace(two[1].id)
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute("select set_config('vanta.tenant', $1, true)", str(two[0].id))
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute(statement, two[1].id)
    assert database.trace(two[1].id) == before


@pytest.mark.parametrize(
    "statement",
    [
        "update vanta.document set revision = 9",
        "delete from vanta.document",
        "delete from vanta.document_version",
        "delete from vanta.collection",
        "delete from vanta.idempotent_answer",
        "delete from vanta.api_key",
        "delete from vanta.issuer",
        "update vanta.tenant_head set revision = 9",
    ],
)
async def test_plain_sql_without_a_where_changes_one_tenant_only(
    pool: asyncpg.Pool, two: tuple[Tenant, Tenant], database: Database, statement: str
) -> None:
    before = database.trace(two[1].id)
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute("select set_config('vanta.tenant', $1, true)", str(two[0].id))
        assert await connection.execute(statement) in {"UPDATE 1", "DELETE 1"}
    assert database.trace(two[1].id) == before


@pytest.mark.parametrize(
    "statement",
    [
        "update vanta.document_version set value = '1'",
        "delete from vanta.outbox",
        "select name from vanta.tenant",
        "insert into vanta.tenant (name) values ('x')",
        "update vanta.tenant set suspended_at = null",
        "update vanta.api_key set role = 'admin'",
        "update vanta.api_key set expires_at = null",
        "insert into vanta.operator_key (key_id, name, secret_sha256) values ('0123456789abcdef', 'x', sha256('x'))",
        "select from vanta.tombstone",
    ],
)
async def test_the_application_cannot_rewrite_history_nor_learn_names(
    pool: asyncpg.Pool, statement: str
) -> None:
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await pool.execute(statement)


async def test_only_the_key_that_is_presented_can_be_seen(
    pool: asyncpg.Pool, two: tuple[Tenant, Tenant]
) -> None:
    one, other = (tenant.key.split("_")[1] for tenant in two)
    async with pool.acquire() as connection, connection.transaction():
        assert (await connection.fetchval("select tenant_id from vanta.find_api_key($1)", one)) == two[0].id
        assert [row[0] for row in await connection.fetch("select key_id from vanta.api_key")] == [one]
        assert await connection.fetch("select from vanta.api_key where key_id = $1", other) == []


async def test_a_batch_that_spans_tenants_keeps_them_apart(
    pool: asyncpg.Pool, new_tenant: Callable[[], Tenant], database: Database
) -> None:
    tenants = [new_tenant() for _ in range(3)]
    store = Store(pool)
    writes = [
        Write(name=Name(tenant.id, "c", f"k{number}"), value=f'"{index}-{number}"', digest="0" * 16)
        for number in range(4)
        for index, tenant in enumerate(tenants)
    ]
    epoch = database.query("select epoch from vanta.cache_epoch")[0][0]
    written = await store.write(writes, epoch)
    assert [getattr(result, "outcome", result) for result in written] == ["created"] * 12
    names = [write.name for write in reversed(writes)]
    documents = await store.read([*names, Name(tenants[0].id, "c", "none")])
    assert [document and document.value.decode() for document in documents] == [
        *(w.value for w in reversed(writes)),
        None,
    ]
    for tenant in tenants:
        assert database.trace(tenant.id) == (4, 4, 4, 4)


async def test_within_a_batch_each_tenant_is_written_under_its_own_security(
    pool: asyncpg.Pool, two: tuple[Tenant, Tenant], database: Database
) -> None:
    """The function is told to write one tenant's row in the other's turn: the policy refuses, whatever the code checks."""
    database.query(
        """
        create or replace function vanta.mixed_up(p_turn uuid, p_row uuid) returns void language plpgsql as $$
        begin
            perform set_config('vanta.tenant', p_turn::text, true);
            insert into vanta.outbox (tenant_id, revision, type, subject, time, data) values (p_row, 9, 't', 's', now(), '{}');
        end $$
        """
    )
    with pytest.raises(asyncpg.InsufficientPrivilegeError, match="row-level security"):
        await pool.execute("select vanta.mixed_up($1, $2)", two[0].id, two[1].id)


async def test_one_row_that_cannot_be_stored_does_not_fail_its_batch(
    pool: asyncpg.Pool, new_tenant: Callable[[], Tenant], database: Database
) -> None:
    tenant = new_tenant()
    values = ['"good"', '"\0"', '"good"']
    writes = [
        Write(name=Name(tenant.id, "c", f"k{index}"), value=value, digest="0" * 16)
        for index, value in enumerate(values)
    ]
    epoch = database.query("select epoch from vanta.cache_epoch")[0][0]
    one, bad, other = await Store(pool).write(writes, epoch)
    assert isinstance(bad, asyncpg.DataError)
    assert [getattr(result, "outcome", result) for result in (one, other)] == ["created", "created"]
    assert database.trace(tenant.id) == (2, 2, 2, 2)


async def test_an_unknown_tenant_in_a_batch_harms_nobody(
    pool: asyncpg.Pool, tenant: Tenant, database: Database
) -> None:
    stranger = uuid4()
    writes = [Write(name=Name(who, "c", "k"), value="1", digest="0" * 16) for who in (stranger, tenant.id)]
    epoch = database.query("select epoch from vanta.cache_epoch")[0][0]
    results = await Store(pool).write(writes, epoch)
    assert [getattr(result, "outcome", result) for result in results] == ["unknown_tenant", "created"]
