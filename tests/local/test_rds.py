"""An RDS cluster here is a running PostgreSQL, and what the emulator says of it is true."""

import os
import signal
import time
from collections.abc import Iterator

import asyncpg
import pytest

from local.aws.emulator import Aws
from local.home import Home
from local.processes import Processes

from .calls import refused
from .regions import HERE, Cluster
from .waiting import until


@pytest.fixture
def emulator(home: Home) -> Aws:
    """An emulator of the test's own, to be killed."""
    emulator = Aws(home)
    emulator.start()
    return emulator


@pytest.fixture(scope="module")
def cluster(aws: Aws) -> Iterator[Cluster]:
    """A writer and a reader for the tests that only look."""
    cluster = Cluster(aws, "shared").create(members=2)
    yield cluster
    cluster.delete()


async def test_the_managed_secret_opens_the_database_at_the_endpoint(cluster: Cluster) -> None:
    assert await cluster.ask("SELECT current_database() || current_user") == "vantamaster"


async def test_the_reader_endpoint_is_a_replica_that_follows(cluster: Cluster) -> None:
    assert await cluster.ask("SELECT pg_is_in_recovery()") is False
    assert await cluster.ask("SELECT pg_is_in_recovery()", endpoint="ReaderEndpoint") is True
    await cluster.ask("CREATE TABLE followed AS SELECT 1")
    await cluster.ask("SELECT pg_sleep(0)")
    end = time.monotonic() + 30
    while await cluster.ask("SELECT to_regclass('followed') IS NULL", endpoint="ReaderEndpoint"):
        assert time.monotonic() < end


def test_what_is_described_is_where_it_runs(cluster: Cluster) -> None:
    described = cluster.described
    assert (described["Endpoint"], described["ReaderEndpoint"]) == ("127.0.0.1", "127.0.0.2")
    assert [cluster.instance(number)["Endpoint"]["Address"] for number in (0, 1)] == [
        "127.0.0.1",
        "127.0.0.2",
    ]
    assert {cluster.instance(number)["Endpoint"]["Port"] for number in (0, 1)} == {described["Port"]}
    assert [member["IsClusterWriter"] for member in described["DBClusterMembers"]] == [True, False]


async def test_clear_text_is_refused(cluster: Cluster) -> None:
    with pytest.raises(asyncpg.InvalidAuthorizationSpecificationError):
        await cluster.ask("SELECT 1", encrypted=False)


def test_only_a_running_engine_is_available(own: Cluster) -> None:
    own.create()
    assert own.instance(0)["DBInstanceStatus"] == "available"
    process = Processes(own.aws.home).running(f"postgres-{HERE}-{own.name}-0")
    assert process is not None
    os.kill(process.pid, signal.SIGKILL)
    until(lambda: own.instance(0)["DBInstanceStatus"] == "failed")
    assert own.described["Status"] == "failed"
    own.aws.revive()
    assert own.instance(0)["DBInstanceStatus"] == "available"


async def test_without_readers_the_writer_answers_at_the_reader_endpoint(own: Cluster) -> None:
    own.create()
    assert await own.ask("SELECT pg_is_in_recovery()", endpoint="ReaderEndpoint") is False
    own.add(1)
    assert await own.ask("SELECT pg_is_in_recovery()", endpoint="ReaderEndpoint") is True
    own.remove(1)
    assert await own.ask("SELECT pg_is_in_recovery()", endpoint="ReaderEndpoint") is False


async def test_a_reader_takes_over_from_a_deleted_writer_with_nothing_lost(own: Cluster) -> None:
    own.create(members=3)
    await own.ask("CREATE TABLE kept AS SELECT 7 AS value")
    own.remove(0)
    assert await own.ask("SELECT value FROM kept") == 7
    await own.ask("CREATE TABLE later AS SELECT 8 AS value")
    assert [own.instance(number)["DBInstanceStatus"] for number in (1, 2)] == ["available", "available"]
    assert own.instance(1)["Endpoint"]["Address"] == "127.0.0.1"
    writer = [
        member["DBInstanceIdentifier"]
        for member in own.described["DBClusterMembers"]
        if member["IsClusterWriter"]
    ]
    assert writer == [f"{own.name}-1"]


async def test_the_storage_of_a_cluster_outlives_its_last_member(own: Cluster) -> None:
    own.create()
    await own.ask("CREATE TABLE kept AS SELECT 7 AS value")
    own.remove(0)
    own.add(5)
    assert await own.ask("SELECT value FROM kept") == 7


async def test_everything_is_there_again_after_kill_9_of_everything(emulator: Aws) -> None:
    cluster = Cluster(emulator, "main").create(members=2)
    await cluster.ask("CREATE TABLE kept AS SELECT 7 AS value")
    before, password = cluster.described, cluster.password
    for process in Processes(emulator.home).all():
        os.kill(process.pid, signal.SIGKILL)
    emulator.start()
    emulator.revive()
    assert cluster.described == before
    assert cluster.password == password
    assert await cluster.ask("SELECT value FROM kept") == 7
    assert await cluster.ask("SELECT value FROM kept", endpoint="ReaderEndpoint") == 7


async def test_engines_outlive_the_emulator_and_are_found_again(emulator: Aws) -> None:
    cluster = Cluster(emulator, "main").create()
    process = Processes(emulator.home).running(f"postgres-{HERE}-main-0")
    emulator.stop()
    emulator.start()
    emulator.revive()
    assert Processes(emulator.home).running(f"postgres-{HERE}-main-0") == process
    assert cluster.instance(0)["DBInstanceStatus"] == "available"


@pytest.mark.parametrize("action", ["failover_db_cluster", "stop_db_cluster"])
def test_what_is_not_carried_out_is_refused(cluster: Cluster, action: str) -> None:
    assert "is not carried out on one machine" in refused(
        getattr(cluster.rds, action), DBClusterIdentifier=cluster.name
    )
