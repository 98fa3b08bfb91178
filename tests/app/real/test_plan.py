"""What a plan says of locks, against what PostgreSQL does."""

import json
from collections.abc import AsyncGenerator
from pathlib import Path

import asyncpg
import pytest

from app.db import migrate, postgres
from app.db.migrate import Migration, MigrationError
from app.db.plan import HOLDS_UP, Planned, plan
from tests.conftest import PostgresServer, RedisServer

from .conftest import Database, command, create_database

FIRST = Migration(
    name="0001_first",
    sql="create schema vanta; create table vanta.one (id int primary key); create table vanta.two (id int);",
)


@pytest.fixture
def empty(postgres: PostgresServer, redis_server: RedisServer, tmp_path: Path) -> Database:
    """A database nothing was done to."""
    return create_database(postgres, tmp_path, redis_server)


@pytest.fixture
async def master(empty: Database) -> AsyncGenerator[asyncpg.Connection]:
    """The master's connection, to a database that has the first migration."""
    connection = await postgres.connect(empty.settings, "database-master")
    assert [migration.name async for migration in migrate.apply(connection, [FIRST])] == [FIRST.name]
    yield connection
    await connection.close()


async def planned(empty: Database, master: asyncpg.Connection, *sql: str) -> list[Planned]:
    """The plan of further migrations of ``sql``."""
    further = [Migration(name=f"{number:04}", sql=text) for number, text in enumerate(sql, start=2)]

    async def dial(database: str) -> asyncpg.Connection:
        login = empty.settings.secrets.login("database-master")
        return await asyncpg.connect(
            host=empty.settings.database.host,
            port=empty.settings.database.port,
            database=database,
            user=login.username,
            password=login.password,
        )

    return await plan(master, dial, [FIRST, *further])


@pytest.mark.parametrize(
    ("sql", "mode"),
    [
        ("alter table vanta.one add column more int", "AccessExclusiveLock"),
        ("create index on vanta.one (id)", "ShareLock"),
        ("insert into vanta.one values (1)", "RowExclusiveLock"),
        (
            "insert into vanta.one values (1); drop table vanta.one cascade; create table vanta.one (id int)",
            "AccessExclusiveLock",
        ),
        (
            "create trigger t after insert on vanta.one for each row execute function suppress_redundant_updates_trigger()",
            "ShareRowExclusiveLock",
        ),
    ],
)
async def test_the_strongest_lock_of_a_migration_is_told(
    empty: Database, master: asyncpg.Connection, sql: str, mode: str
) -> None:
    (migration,) = await planned(empty, master, sql)
    locks = {lock.table: (lock.mode, lock.holds_up) for lock in migration.locks}
    assert locks == {"vanta.one": (mode, HOLDS_UP[mode])}


async def test_a_table_that_the_migration_makes_is_held_up_for_nobody(
    empty: Database, master: asyncpg.Connection
) -> None:
    made, changed = await planned(
        empty, master, "create table vanta.new (id int)", "alter table vanta.new add column more int"
    )
    assert made.locks == []
    assert [(lock.table, lock.rows, lock.size_bytes) for lock in changed.locks] == [("vanta.new", 0, 0)]


async def test_the_real_table_is_measured_and_left_alone(empty: Database, master: asyncpg.Connection) -> None:
    await master.execute("insert into vanta.two select generate_series(1, 5000)")
    await master.execute("analyze vanta.two")
    before = await master.fetchval("select count(*) from pg_database")
    (migration,) = await planned(empty, master, "delete from vanta.two; alter table vanta.two drop column id")
    (lock,) = migration.locks
    assert lock.rows == 5000
    assert lock.size_bytes > 100_000
    assert await master.fetchval("select count(id) from vanta.two") == 5000
    assert await master.fetchval("select count(*) from pg_database") == before


async def test_a_migration_that_cannot_work_is_refused_and_the_rehearsal_goes(
    empty: Database, master: asyncpg.Connection
) -> None:
    before = await master.fetchval("select count(*) from pg_database")
    with pytest.raises(MigrationError, match=r"0002 fails on an empty database already"):
        await planned(empty, master, "alter table vanta.nothing add column more int")
    assert await master.fetchval("select count(*) from pg_database") == before


def test_the_command_prints_an_object_a_migration(empty: Database) -> None:
    lines = command(empty, "migrate", "--plan", "--json").stdout.splitlines()
    shown = [json.loads(line) for line in lines]
    assert [one["name"] for one in shown] == [migration.name for migration in migrate.load()]
    assert command(empty, "migrate", "--json").returncode == 2
