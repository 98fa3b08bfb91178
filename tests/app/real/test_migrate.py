"""Migrations and the login they give."""

import asyncio
from collections.abc import AsyncGenerator
from pathlib import Path

import asyncpg
import pytest

from app.db import migrate, roles
from app.db import postgres as app_postgres
from app.db.migrate import Migration, MigrationError
from app.settings import Login
from app.tenancy import operators, tenants
from tests.conftest import PostgresServer, RedisServer

from .conftest import Database, command, create_database


@pytest.fixture
def empty(postgres: PostgresServer, redis_server: RedisServer, tmp_path: Path) -> Database:
    """A database nothing was done to."""
    return create_database(postgres, tmp_path, redis_server)


@pytest.fixture
async def master(empty: Database) -> AsyncGenerator[asyncpg.Connection]:
    """The master's connection."""
    connection = await app_postgres.connect(empty.settings, "database-master")
    yield connection
    await connection.close()


GOOD = Migration(name="0001_good", sql="create table good (id int);")
BAD = Migration(name="0002_bad", sql="create table half (id int); select 1/0;")


async def apply(connection: asyncpg.Connection, *migrations: Migration) -> list[str]:
    return [migration.name async for migration in migrate.apply(connection, migrations)]


async def test_each_migration_is_applied_once(master: asyncpg.Connection) -> None:
    assert await apply(master, GOOD) == ["0001_good"]
    assert await apply(master, GOOD) == []


async def test_a_failed_migration_leaves_nothing_and_keeps_those_before_it(
    master: asyncpg.Connection,
) -> None:
    with pytest.raises(MigrationError, match=r"0002_bad .*division by zero"):
        await apply(master, GOOD, BAD)
    assert await master.fetchval("select to_regclass('good')") is not None
    assert await master.fetchval("select to_regclass('half')") is None
    assert [migration.name for migration in await migrate.pending(master, [GOOD, BAD])] == ["0002_bad"]


async def test_a_file_of_functions_is_applied_again_when_it_changed_and_only_then(
    master: asyncpg.Connection,
) -> None:
    def functions(answer: int) -> Migration:
        sql = f"create or replace function answer() returns int language sql return {answer};"
        return Migration(name="functions/answer", sql=sql)

    assert await apply(master, GOOD, functions(1)) == ["0001_good", "functions/answer"]
    assert await apply(master, GOOD, functions(1)) == []
    assert await apply(master, GOOD, functions(2)) == ["functions/answer"]
    assert await master.fetchval("select answer()") == 2
    assert await apply(master, GOOD, functions(2)) == []


async def test_an_edited_migration_is_refused(master: asyncpg.Connection) -> None:
    await apply(master, GOOD)
    with pytest.raises(MigrationError, match="0001_good was changed"):
        await apply(master, Migration(name=GOOD.name, sql="create table other (id int);"))


async def test_a_database_ahead_of_the_code_is_refused(master: asyncpg.Connection) -> None:
    await apply(master, GOOD)
    with pytest.raises(MigrationError, match="newer version"):
        await apply(master)


async def test_two_processes_at_once_apply_each_migration_once(
    empty: Database, master: asyncpg.Connection
) -> None:
    other = await app_postgres.connect(empty.settings, "database-master")
    applied = await asyncio.gather(apply(master, *migrate.load()), apply(other, *migrate.load()))
    await other.close()
    assert sorted(map(len, applied)) == [0, len(migrate.load())]


async def test_a_migration_gives_up_on_a_lock_instead_of_queueing_everybody(
    empty: Database, master: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(migrate, "LOCK_TIMEOUT", "50ms")
    await apply(master, GOOD)
    holder = await app_postgres.connect(empty.settings, "database-master")
    async with holder.transaction():
        await holder.execute("lock table good")
        with pytest.raises(MigrationError, match="lock timeout"):
            await apply(master, GOOD, Migration(name="0002", sql="alter table good add column more int;"))
    await holder.close()


def test_a_plan_changes_nothing(empty: Database) -> None:
    planned = command(empty, "migrate", "--plan")
    assert planned.returncode == 0
    assert "would apply 0001_state" in planned.stdout
    assert empty.query("select to_regnamespace('vanta')")[0][0] is None


def test_migrate_prints_what_it_did_and_can_be_repeated(empty: Database) -> None:
    first, second = command(empty, "migrate"), command(empty, "migrate")
    assert (first.returncode, second.returncode) == (0, 0)
    assert "applied 0001_state" in first.stdout
    assert "created" in first.stdout
    assert "0 applied" in second.stdout
    assert "\x1b[" not in first.stdout


async def test_the_password_is_in_no_statement(
    empty: Database, master: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    await apply(master, *migrate.load())
    executed: list[str] = []

    async def execute(_: asyncpg.Connection, statement: str, *arguments: object) -> str:
        executed.append(f"{statement}{arguments}")
        return ""

    monkeypatch.setattr(asyncpg.Connection, "execute", execute)
    await roles.ensure_login(
        master, Login(username=f"{empty.settings.database_name}_x", password="hunter2-hunter2")
    )
    assert executed
    assert not any("hunter2" in statement for statement in executed)


@pytest.mark.parametrize("who", ["vanta_api", "master"])
async def test_a_login_that_could_see_every_tenant_is_refused(
    master: asyncpg.Connection, postgres: PostgresServer, who: str
) -> None:
    await apply(master, *migrate.load())
    username = postgres.username if who == "master" else who
    with pytest.raises(roles.RoleError):
        await roles.ensure_login(master, Login(username=username, password="x"))


async def test_it_works_for_a_master_that_is_no_superuser(
    empty: Database, master: asyncpg.Connection, postgres: PostgresServer
) -> None:
    """As on RDS, whose master may create roles and nothing more: force must not lock it out of onboarding."""
    name = empty.settings.database_name
    await master.execute(f"create role {name}_master login createrole password 'x'")
    await master.execute(f"alter database {name} owner to {name}_master")
    # Roles belong to the cluster: that of an earlier test was made by another master.
    if not await master.fetchval("select exists (select from pg_roles where rolname = 'vanta_api')"):
        await master.execute("create role vanta_api nologin")
    await master.execute(f"grant vanta_api to {name}_master with admin option")
    weak = await asyncpg.connect(
        host=postgres.host,
        port=postgres.port,
        database=name,
        user=f"{name}_master",
        password="x",
        ssl=app_postgres.tls.context(empty.settings.database),
    )
    try:
        await apply(weak, *migrate.load())
        assert await roles.ensure_login(weak, empty.settings.secrets.login("database-app"))
        made = await tenants.create(weak, "acme", welcome=True)
        assert await weak.fetchval("select count(*) from vanta.api_key") == 0
        assert (await operators.create(weak, "console", 1)).id in [
            key.id for key in await operators.listed(weak)
        ]
        doomed = (await tenants.create(weak, "doomed", welcome=True)).tenant_id
        assert await weak.fetchval(
            "select vanta.change_tenant($1, $2, null, null)", doomed, '{"maxDocuments": 5, "suspended": true}'
        )
        (shown,) = [one for one in await tenants.page(weak, None, 10) if one.tenant_id == doomed]
        assert (shown.suspended, shown.quotas.max_documents, shown.documents) == (True, 5, 1)
        assert (
            await weak.fetchval("select vanta.begin_erasure($1, 'doomed', null, null)", doomed) == "erasing"
        )
        for table in [row[0] for row in await weak.fetch("select vanta.tenant_tables()")]:
            await weak.fetchval("select vanta.erase_some($1, $2, 100)", doomed, table)
        await weak.execute("select vanta.end_erasure($1, 'x')", doomed)
        assert await weak.fetchval("select tenant from vanta.tombstone") == doomed
    finally:
        await weak.close()
    assert (
        await master.fetchval("select name from vanta.tenant where tenant_id = $1", made.tenant_id) == "acme"
    )
    assert not await master.fetchval(
        "select exists (select from vanta.document where tenant_id = $1)", doomed
    )
