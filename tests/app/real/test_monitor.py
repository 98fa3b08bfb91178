"""What an operator sees: each thing that can be wrong is made so, and looked at."""

import asyncio
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import AsyncGenerator, Awaitable, Callable
from datetime import UTC, datetime
from typing import TypeVar

import asyncpg
import click
import httpx
import pytest

from app.db import postgres as app_postgres
from app.monitor import database as asked
from app.monitor import screen
from app.monitor.monitor import Monitor
from app.monitor.picture import Cache, Migrations, Outbox, Picture
from app.monitor.picture import Database as Server
from app.settings import Settings
from app.tenancy import tenants
from local.home import Home
from local.ports import Ports
from local.postgres import Postgres
from tests.conftest import PostgresServer, RedisServer

from .conftest import ROOT, Database, Served, Tenant, command, create_database

T = TypeVar("T")

NOWHERE = "http://127.0.0.1:1"


@pytest.fixture(scope="module")
def alone(
    postgres: PostgresServer, redis_server: RedisServer, tmp_path_factory: pytest.TempPathFactory
) -> Database:
    """A migrated database that no API serves: nobody relays its events."""
    made = create_database(postgres, tmp_path_factory.mktemp("alone"), redis_server)
    assert command(made, "migrate").returncode == 0
    return made


@pytest.fixture
async def session(alone: Database) -> AsyncGenerator[Callable[..., Awaitable[asyncpg.Connection]]]:
    """Makes sessions of the schema's owner."""
    made: list[asyncpg.Connection] = []

    async def connect(name: str = "somebody") -> asyncpg.Connection:
        connection = await app_postgres.connect(
            alone.settings, "database-master", server_settings={"application_name": name}
        )
        made.append(connection)
        return connection

    yield connect
    for connection in made:
        connection.terminate()


async def until(look: Callable[[], Awaitable[T]], holds: Callable[[T], bool]) -> None:
    """Wait until what ``look`` sees holds."""
    async with asyncio.timeout(20):
        while not holds(await look()):  # noqa: ASYNC110 - the database sets no event
            await asyncio.sleep(0.02)


def test_all_is_well_on_one_screen(api: Served, database: Database) -> None:
    shown = command(database, "monitor", "--once", "--every", "0.1", "--url", api.url)
    assert shown.returncode == 0, shown.stderr
    assert re.search(r"^api +ready$", shown.stdout, re.MULTILINE)
    assert re.search(r"^database +up +PostgreSQL [0-9.]+.*, primary, ", shown.stdout, re.MULTILINE)
    assert re.search(r"^cache +up .* MiB, .* clients, epoch open$", shown.stdout, re.MULTILINE)
    assert re.search(r"^schema +ok +[0-9]+ applied, 0 pending$", shown.stdout, re.MULTILINE)
    assert "\x1b[" not in shown.stdout
    assert not shown.stderr


def test_as_json_it_is_one_object(api: Served, database: Database) -> None:
    shown = command(database, "monitor", "--once", "--json", "--every", "0.1", "--url", api.url)
    picture = json.loads(shown.stdout)
    assert (picture["api"], picture["cache"]["trusted"], picture["database"]["standby"]) == (
        "ready",
        True,
        False,
    )


async def test_who_writes_most_stands_first(
    api: Served, database: Database, tenant: Tenant, new_tenant: Callable[[], Tenant]
) -> None:
    other = new_tenant()
    async with Monitor(database.settings, api.url) as monitor, httpx.AsyncClient(base_url=api.url) as client:
        assert (await monitor.look()).writers == []
        for n in range(6):
            for who in (tenant, other)[: 1 + (n == 0)]:
                written = await client.put(f"/v1/state/a/{n}", json=n, headers=who.headers)
                assert written.status_code == 201
        writers = {writer.tenant_id: writer.writes_per_second for writer in (await monitor.look()).writers}
    assert writers[str(tenant.id)] > writers[str(other.id)] > 0
    assert [*writers] == sorted(writers, key=lambda one: -writers[one])


async def test_nobody_answers_and_the_cache_is_not_trusted(alone: Database) -> None:
    async with Monitor(alone.settings, NOWHERE) as monitor:
        picture = await monitor.look()
    assert (picture.api, picture.cache.status, picture.cache.epoch, picture.cache.trusted) == (
        "down",
        "up",
        "closed",
        False,
    )


async def test_a_lost_cache_is_down_and_the_rest_is_told(alone: Database) -> None:
    settings = Settings.from_environment({**alone.environment, "VANTA_CACHE_PORT": "1"})
    async with Monitor(settings, NOWHERE) as monitor:
        picture = await monitor.look()
    assert (picture.cache.status, picture.cache.used_bytes) == ("down", None)
    assert picture.migrations.applied > 0


def test_without_a_database_it_ends_with_3(database: Database) -> None:
    lost = Database(
        environment={**database.environment, "VANTA_DATABASE_PORT": "1"}, settings=database.settings
    )
    ended = command(lost, "monitor", "--once")
    assert ended.returncode == 3
    assert ended.stderr.count("\n") == 1


def test_before_migrating_the_remedy_is_named(
    postgres: PostgresServer, redis_server: RedisServer, tmp_path_factory: pytest.TempPathFactory
) -> None:
    empty = create_database(postgres, tmp_path_factory.mktemp("unmigrated"), redis_server)
    refused = command(empty, "monitor", "--once")
    assert refused.returncode == 1
    assert "python -m app migrate" in refused.stderr


def test_it_looks_again_and_again_until_it_is_interrupted(alone: Database) -> None:
    looking = subprocess.Popen(
        [sys.executable, "-m", "app", "monitor", "--json", "--every", "0.1", "--url", NOWHERE],
        cwd=ROOT,
        env={**os.environ, **alone.environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert looking.stdout
        assert {json.loads(looking.stdout.readline())["api"] for _ in range(3)} == {"down"}
        looking.send_signal(signal.SIGINT)
        _, told = looking.communicate(timeout=20)
        assert (looking.returncode, told) == (0, "")
    finally:
        looking.kill()
        looking.wait()


async def test_a_lost_connection_is_made_again(alone: Database) -> None:
    async with Monitor(alone.settings, NOWHERE) as monitor:
        await monitor.look()
        alone.query(
            "select pg_terminate_backend(pid) from pg_stat_activity "
            "where application_name = 'vanta-monitor' and datname = current_database()"
        )
        with pytest.raises(app_postgres.UNREACHABLE):
            await monitor.look()
        assert (await monitor.look()).database.connections > 0


async def test_events_that_nobody_relays_are_counted(
    alone: Database, session: Callable[..., Awaitable[asyncpg.Connection]]
) -> None:
    await tenants.create(await session(), "waiting")
    async with Monitor(alone.settings, NOWHERE) as monitor:
        outbox = (await monitor.look()).outbox
    events, waiting = alone.query("select count(*), count(distinct tenant_id) from vanta.outbox")[0]
    assert (outbox.tenants, outbox.events) == (waiting, events)
    assert outbox.oldest_seconds > 0


async def test_row_level_security_hides_no_tenant_from_it(
    session: Callable[..., Awaitable[asyncpg.Connection]],
) -> None:
    """In AWS the schema's owner is no superuser: policies bind it, and a monitor it is by the role pg_monitor."""
    connection = await session()
    made = await tenants.create(connection, "bound")
    async with connection.transaction():
        await connection.execute(
            """
            create role bound_owner;
            grant pg_monitor to bound_owner;
            grant usage on schema vanta to bound_owner;
            grant select on all tables in schema vanta, public to bound_owner;
            set local role bound_owner
            """
        )
        names = await asked.names(connection)
        assert names[made.tenant_id] == "bound"
        assert (await asked.heads(connection, [*names]))[made.tenant_id] > 0
        assert (await asked.outbox(connection, [made.tenant_id])).events > 0
        assert (await asked.epoch(connection))[0] == "closed"
        assert (await asked.server(connection)).connections > 0
        assert (await asked.migrations(connection)).pending == []
        assert (await asked.statements(connection))[0] is False
        assert await asked.replicas(connection) == []
        await connection.execute("reset role")
        await connection.execute("drop owned by bound_owner; drop role bound_owner")


async def test_who_migrates_and_who_waits_for_that_is_seen(
    session: Callable[..., Awaitable[asyncpg.Connection]],
) -> None:
    looking, first, second = await session(), await session(), await session()
    lock = "select pg_advisory_lock(hashtext('vanta_migration'))"
    await first.execute(lock)
    waiting = asyncio.create_task(second.execute(lock))

    async def states() -> list[str]:
        return [migrator.state for migrator in (await asked.migrations(looking)).migrators]

    await until(states, lambda seen: seen == ["running", "waiting for another"])
    # What a migration waits for behind a busy table.
    await looking.execute("create table if not exists public.busy ()")
    third = await session()
    async with third.transaction():
        await third.execute("lock table public.busy")
        blocked = asyncio.create_task(first.fetch("select from public.busy"))
        await until(states, lambda seen: seen[0] == "waiting for a lock")
        blocked.cancel()
    waiting.cancel()
    await asyncio.gather(waiting, blocked, return_exceptions=True)


async def test_what_is_pending_is_named(
    alone: Database, session: Callable[..., Awaitable[asyncpg.Connection]]
) -> None:
    looking = await session()
    before = await asked.migrations(looking)
    assert before.pending == []
    async with looking.transaction():
        await looking.execute("delete from public.vanta_migration where name = 'functions/events'")
        during = await asked.migrations(looking)
        assert (during.pending, during.applied) == (["functions/events"], before.applied - 1)
        await looking.execute("update public.vanta_migration set sha256 = 'x' where name = '0001_state'")
        assert "0001_state" in ((await asked.migrations(looking)).error or "")
        await looking.execute(
            "update public.vanta_migration set sha256 = $1 where name = '0001_state'",
            next(
                row["sha256"]
                for row in alone.query("select name, sha256 from public.vanta_migration")
                if row["name"] == "0001_state"
            ),
        )
        await looking.execute(
            "insert into public.vanta_migration (name, sha256) values ('functions/events', 'x')"
        )


async def test_an_index_that_is_built_is_followed(
    session: Callable[..., Awaitable[asyncpg.Connection]],
) -> None:
    looking, building, writing = await session(), await session(), await session()
    await looking.execute("create table if not exists public.big (n int)")
    transaction = writing.transaction()
    await transaction.start()
    await writing.execute("insert into public.big values (1)")
    # It waits for the writer: so it can be seen for as long as one likes.
    build = asyncio.create_task(building.execute("create index concurrently big_n on public.big (n)"))

    async def work() -> list[tuple[str, str]]:
        return [(one.kind, one.table) for one in (await asked.migrations(looking)).work]

    await until(work, lambda seen: seen == [("create index", "big")])
    await transaction.rollback()
    await build
    await until(work, lambda seen: seen == [])


async def test_long_statements_are_shown_but_not_what_other_programs_write_into_theirs(
    session: Callable[..., Awaitable[asyncpg.Connection]],
) -> None:
    looking, ours, theirs = await session(), await session("vanta-api"), await session()
    running = [
        asyncio.create_task(ours.fetch("select pg_sleep($1)", 60.0)),
        asyncio.create_task(theirs.execute("select 'hush', pg_sleep(60)")),
    ]

    async def texts() -> set[str]:
        return {statement.text for statement in (await asked.statements(looking))[1]}

    await until(texts, lambda seen: seen == {"select pg_sleep($1)", "(of another program)"})
    for statement in running:
        statement.cancel()
    await asyncio.gather(*running, return_exceptions=True)


async def test_with_statistics_the_slowest_on_average_stand_first_and_no_password(home: Home) -> None:
    server = Postgres(
        home=home,
        folder=home.folder("databases", "statistics"),
        name="statistics",
        host="127.0.0.1",
        port=Ports(home).claim("postgres"),
    )
    server.initialise(username="vanta", password="secret", database="vanta")
    server.start()

    async def connect() -> asyncpg.Connection:
        return await asyncpg.connect(
            host=server.host,
            port=server.port,
            user="vanta",
            password="secret",
            database="vanta",
            ssl="require",
        )

    connection = await connect()
    assert (await asked.statements(connection))[0] is False
    await connection.execute("create extension pg_stat_statements")
    # Made but not loaded: asking it would fail.
    assert (await asked.statements(connection))[0] is False
    await connection.execute("alter system set shared_preload_libraries = 'pg_stat_statements'")
    await connection.close()
    server.stop()
    server.start()
    connection = await connect()
    await connection.fetch("select pg_sleep($1)", 0.2)
    await connection.execute("create role somebody password 'hush'")
    kept, statements = await asked.statements(connection)
    await connection.close()
    assert kept
    assert statements[0].text == "select pg_sleep($1)"
    assert statements[0].calls == 1
    assert statements[0].milliseconds >= 200
    assert "role" not in str(statements)


async def test_auroras_readers_are_replicas(session: Callable[..., Awaitable[asyncpg.Connection]]) -> None:
    connection = await session()
    # What only Aurora has, with the columns that its guide names.
    async with connection.transaction():
        await connection.execute(
            """
            create function aurora_replica_status()
                returns table (server_id text, session_id text, replica_lag_in_msec double precision)
                language sql as $$ values ('writer', 'MASTER_SESSION_ID', null), ('reader-1', 'u', 25.0) $$
            """
        )
        (reader,) = await asked.replicas(connection)
        await connection.execute("drop function aurora_replica_status()")
    assert (reader.name, reader.lag_seconds, reader.lag_bytes) == ("reader-1", 0.025, None)


def test_what_is_wrong_is_red() -> None:
    wrong = Picture(
        at=datetime(2026, 1, 31, 12, tzinfo=UTC),
        api="unready",
        database=Server(
            version="17", standby=True, connections=1, max_connections=2, oldest_transaction_seconds=3.0
        ),
        cache=Cache(status="down", epoch="closed", trusted=False, used_bytes=None, clients=None),
        replicas=[],
        statements=[],
        statements_from="pg_stat_activity",
        migrations=Migrations(applied=1, pending=["0002_x"], error=None, migrators=[], work=[]),
        outbox=Outbox(tenants=1, events=2, oldest_seconds=60.0),
        writers=[],
    )
    red = {
        click.unstyle(line).split()[0]
        for line in screen.lines(wrong)
        if click.style("", fg="red", reset=False) in line
    }
    assert red == {"api", "cache", "outbox", "schema"}
    assert any("2 events of 1 tenant, " in line for line in screen.lines(wrong))
