"""A PostgreSQL server here keeps what RDS promises: TLS, durability, replicas, an archive of its WAL."""

import os
import shutil
import signal
import ssl
from dataclasses import replace
from typing import TYPE_CHECKING

import asyncpg
import psutil
import pytest

from local.home import LOOPBACK, Home
from local.ports import Ports
from local.postgres import Postgres
from local.postgres_parameters import ParameterError, check
from local.postgres_tools import PostgresError
from local.processes import Processes, alive

from .waiting import until

if TYPE_CHECKING:
    from tests.conftest import PostgresServer

PASSWORD = "correct horse"


@pytest.fixture
def writer(home: Home) -> Postgres:
    port = Ports(home).claim("cluster", hosts=LOOPBACK)
    server = Postgres(
        home=home, folder=home.folder("databases", "main"), name="writer-1", host="127.0.0.1", port=port
    )
    server.initialise(
        username="vanta", password=PASSWORD, database="app", parameters={"log_min_duration_statement": "250"}
    )
    server.start()
    return server


@pytest.fixture
def reader(writer: Postgres) -> Postgres:
    server = replace(writer, name="reader-2", host="127.0.0.2")
    server.clone(writer)
    server.start()
    return server


async def connect(server: "PostgresServer", **changes: object) -> asyncpg.Connection:
    context = ssl.create_default_context(cafile=server.ca)
    options = {"host": server.host, "port": server.port, "user": server.username, "password": server.password}
    return await asyncpg.connect(**{**options, "database": server.database, "ssl": context, **changes})


async def test_a_client_connects_with_verified_tls_and_its_password(postgres: "PostgresServer") -> None:
    connection = await connect(postgres)
    try:
        assert await connection.fetchval("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()")
        assert (await connection.fetchval("SHOW server_version")).startswith("17.")
        assert (
            await connection.fetchval("SELECT datlocale FROM pg_database WHERE datname = 'vanta'")
            == "C.UTF-8"
        )
    finally:
        await connection.close()


async def test_clear_text_is_refused(postgres: "PostgresServer") -> None:
    with pytest.raises(asyncpg.InvalidAuthorizationSpecificationError, match="no encryption"):
        await connect(postgres, ssl=False)


async def test_a_wrong_password_is_refused(postgres: "PostgresServer") -> None:
    with pytest.raises(asyncpg.InvalidPasswordError):
        await connect(postgres, password="guess")


def test_writes_are_durable_by_default(postgres: "PostgresServer") -> None:
    assert postgres.server.query("SHOW fsync; SHOW synchronous_commit; SHOW full_page_writes") == "on\non\non"


async def test_a_changed_password_works_at_once_and_is_in_no_log(writer: Postgres) -> None:
    writer.configure({"log_statement": "all"})
    writer.reload()
    until(lambda: writer.query("SHOW log_statement") == "all")
    writer.set_password("vanta", "battery 'staple'")
    context = ssl.create_default_context(cafile=writer.ca)
    connection = await asyncpg.connect(
        host=writer.host,
        port=writer.port,
        user="vanta",
        password="battery 'staple'",
        database="app",
        ssl=context,
    )
    await connection.close()
    process = Processes(writer.home).running(writer.name)
    assert process is not None
    assert "ALTER ROLE" in process.log.read_text()
    assert "staple" not in process.log.read_text()


def test_an_acknowledged_write_survives_kill_9(writer: Postgres) -> None:
    writer.query("CREATE TABLE kept AS SELECT 1 AS value")
    process = Processes(writer.home).running(writer.name)
    assert process is not None
    os.kill(process.pid, signal.SIGKILL)
    writer.start()
    assert writer.query("SELECT value FROM kept") == "1"


def test_a_reader_follows_the_writer_and_refuses_writes(writer: Postgres, reader: Postgres) -> None:
    writer.query("CREATE TABLE seen AS SELECT 7 AS value")
    until(lambda: reader.query("SELECT to_regclass('seen')") == "seen")
    assert reader.query("SELECT value FROM seen") == "7"
    assert writer.query("SELECT application_name, state FROM pg_stat_replication") == "reader-2|streaming"
    with pytest.raises(PostgresError, match="read-only"):
        reader.query("CREATE TABLE refused ()")


def test_a_promoted_reader_takes_writes(writer: Postgres, reader: Postgres) -> None:
    writer.stop()
    reader.promote()
    reader.query("CREATE TABLE accepted ()")
    assert reader.query("SELECT pg_is_in_recovery()") == "f"


def test_wal_waits_for_the_replicas_that_a_new_writer_will_have(writer: Postgres) -> None:
    segment = writer.query("SELECT pg_walfile_name(pg_current_wal_insert_lsn())")
    writer.query("CREATE TABLE written ()")
    writer.query("SELECT pg_switch_wal()")
    until((writer.archive / segment).exists)
    for _ in range(2):
        writer.query("CREATE TABLE IF NOT EXISTS later ()")
        writer.query("CHECKPOINT")
    assert (writer.data / "pg_wal" / segment).exists()


def test_a_removed_reader_no_longer_holds_back_wal(writer: Postgres, reader: Postgres) -> None:
    assert writer.query("SELECT slot_name FROM pg_replication_slots") == "reader_2"
    reader.remove(primary=writer)
    assert writer.query("SELECT slot_name FROM pg_replication_slots") == ""
    assert not reader.initialised


def test_a_finished_wal_segment_is_archived(writer: Postgres) -> None:
    segment = writer.query("SELECT pg_walfile_name(pg_current_wal_insert_lsn())")
    writer.query("CREATE TABLE archived ()")
    writer.query("SELECT pg_switch_wal()")
    until((writer.archive / segment).exists)
    assert (writer.archive / segment).stat().st_size == 16 * 1024 * 1024


def test_clear_text_is_allowed_only_when_the_parameter_group_says_so(writer: Postgres) -> None:
    assert "host all" not in (writer.data / "pg_hba.conf").read_text()
    writer.configure({"rds.force_ssl": "0"})
    assert "host all" in (writer.data / "pg_hba.conf").read_text()


def test_a_parameter_reaches_the_engine_and_one_that_needs_a_restart_says_so(writer: Postgres) -> None:
    assert writer.query("SHOW log_min_duration_statement") == "250ms"
    writer.configure({"max_connections": "150"})
    writer.reload()
    until(lambda: writer.needs_restart() == ["max_connections"])


@pytest.mark.parametrize(
    ("parameters", "named"),
    [
        ({"work_mem": "much"}, "work_mem"),
        ({"no_such_parameter": "1"}, "no_such_parameter"),
        ({"rds.no_such": "1"}, "rds.no_such"),
        ({"rds.force_ssl": "perhaps"}, "rds.force_ssl"),
        ({"fsync": "off"}, "fsync"),
        ({"shared_preload_libraries": "pg_stat_statements,no_such_library"}, "no_such_library"),
    ],
)
def test_a_parameter_the_engine_refuses_is_named(parameters: dict[str, str], named: str) -> None:
    with pytest.raises(ParameterError, match=named):
        check(parameters)


def test_nothing_is_made_with_a_bad_parameter(home: Home) -> None:
    server = Postgres(home=home, folder=home.folder("databases", "bad"), name="bad", host="127.0.0.1", port=1)
    with pytest.raises(ParameterError):
        server.initialise(username="vanta", password=PASSWORD, parameters={"work_mem": "much"})
    assert not server.initialised
    assert list(server.folder.iterdir()) == []


def test_a_server_that_cannot_start_shows_its_log_and_is_not_left_running(writer: Postgres) -> None:
    writer.stop()
    (writer.data / "postgresql.conf").write_text("work_mem = much\n")
    with pytest.raises(PostgresError, match="invalid value for parameter"):
        writer.start()
    assert Processes(writer.home).all() == []


def test_a_password_is_on_no_command_line_and_in_no_file(writer: Postgres) -> None:
    process = Processes(writer.home).running(writer.name)
    assert process is not None
    assert PASSWORD not in " ".join(psutil.Process(process.pid).cmdline())
    texts = [
        path for path in writer.home.root.rglob("*") if path.is_file() and path.stat().st_size < 1_000_000
    ]
    assert not [path for path in texts if PASSWORD.encode() in path.read_bytes()]


def test_it_is_found_and_stopped_after_the_home_was_deleted(writer: Postgres) -> None:
    started = [handle for process in Processes(writer.home).all() if (handle := process.handle())]
    shutil.rmtree(writer.home.root)
    found = {process.pid for process in Processes(writer.home).orphans()}
    # A server that misses its files may have ended by itself.
    assert {handle.pid for handle in started if alive(handle)} <= found
    Processes(writer.home).stop_orphans()
    assert Processes(writer.home).orphans() == []
    assert not [handle for handle in started if alive(handle)]
