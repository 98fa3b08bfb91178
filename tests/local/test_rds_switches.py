"""Another region takes over on real PostgreSQL: what a switchover keeps, what a fail-over may lose, and that nobody writes twice."""

import asyncio
import signal
import time
from collections.abc import Awaitable, Callable
from typing import Any

import asyncpg
import pytest
from botocore.exceptions import ClientError

from local.aws.emulator import Aws
from local.home import Home

from .regions import HERE, THERE, Region, World

PAIR = {"here": HERE, "there": THERE}


def switch_over(world: World, target: Region) -> dict[str, Any]:
    return world.here.rds.switchover_global_cluster(
        GlobalClusterIdentifier=world.name, TargetDbClusterIdentifier=target.arn
    )["GlobalCluster"]


def fail_over(world: World, target: Region) -> dict[str, Any]:
    return target.rds.failover_global_cluster(
        GlobalClusterIdentifier=world.name, TargetDbClusterIdentifier=target.arn, AllowDataLoss=True
    )["GlobalCluster"]


def roles(world: World) -> dict[str, tuple[bool, str]]:
    """From cluster name to whether it leads, and its synchronisation."""
    (described,) = world.there.rds.describe_global_clusters(GlobalClusterIdentifier=world.name)[
        "GlobalClusters"
    ]
    return {
        member["DBClusterArn"].rpartition(":")[2]: (member["IsWriter"], member["SynchronizationStatus"])
        for member in described["GlobalClusterMembers"]
    }


def lags(region: Region) -> list[float]:
    query = {
        "Id": "lag",
        "MetricStat": {
            "Metric": {
                "Namespace": "AWS/RDS",
                "MetricName": "AuroraGlobalDBReplicationLag",
                "Dimensions": [{"Name": "DBClusterIdentifier", "Value": region.name}],
            },
            "Period": 60,
            "Stat": "Maximum",
        },
    }
    now = time.time()
    answer = region.client("cloudwatch").get_metric_data(
        MetricDataQueries=[query], StartTime=now - 600, EndTime=now + 60
    )
    return answer["MetricDataResults"][0]["Values"]


async def refused(write: Callable[[], Awaitable[object]]) -> None:
    """``write`` is refused, by a server that takes none or because there is no server."""
    with pytest.raises((asyncpg.ReadOnlySQLTransactionError, OSError)):
        await write()


async def test_a_switchover_loses_nothing_that_was_acknowledged(world: World) -> None:
    world.lead().follow()
    await world.here.ask("CREATE TABLE written (number serial)")
    acknowledged = 0
    warm, stopped = asyncio.Event(), asyncio.Event()

    async def write() -> None:
        nonlocal acknowledged
        while not stopped.is_set():
            try:
                acknowledged = await world.here.ask("INSERT INTO written DEFAULT VALUES RETURNING number")
            except (OSError, asyncpg.PostgresError):
                return
            if acknowledged >= 20:
                warm.set()

    writing = asyncio.create_task(write())
    await warm.wait()
    await asyncio.to_thread(switch_over, world, world.there)
    stopped.set()
    await writing
    assert await world.there.ask("SELECT count(*) FROM written") >= acknowledged >= 20
    assert roles(world) == {world.here.name: (False, "connected"), world.there.name: (True, "connected")}


async def test_a_switchover_whose_target_lacks_something_does_not_happen(world: World) -> None:
    world.lead().follow()
    await world.there.ask("SELECT pg_wal_replay_pause()")
    await world.here.ask("CREATE TABLE written AS SELECT 1 AS x")
    with pytest.raises(ClientError, match="did not get everything, so the old leader goes on"):
        switch_over(world, world.there)
    await world.here.ask("INSERT INTO written VALUES (2)")
    await world.there.ask("SELECT pg_wal_replay_resume()")
    await world.there.received(world.here)
    assert roles(world)[world.here.name] == (True, "connected")


async def test_after_a_switchover_the_old_leader_follows_and_can_lead_again(world: World) -> None:
    world.lead(members=2).follow(members=2)
    switch_over(world, world.there)
    await world.there.ask("CREATE TABLE after AS SELECT 1 AS x")
    await refused(lambda: world.here.ask("CREATE TABLE mine ()"))
    for endpoint in ("Endpoint", "ReaderEndpoint"):
        await world.here.received(world.there, endpoint=endpoint)
        assert await world.here.ask("SELECT x FROM after", endpoint=endpoint) == 1
    switch_over(world, world.here)
    await world.here.ask("INSERT INTO after VALUES (2)")
    await world.there.received(world.here, endpoint="ReaderEndpoint")
    assert await world.there.ask("SELECT sum(x) FROM after", endpoint="ReaderEndpoint") == 3
    # Slots that nobody reads from would keep WAL until the disk is full.
    assert await world.there.ask("SELECT count(*) FROM pg_replication_slots WHERE NOT active") == 0


async def test_a_switchover_without_a_leader_is_refused_and_a_fail_over_is_not(world: World) -> None:
    world.lead().follow()
    await world.here.ask("CREATE TABLE before AS SELECT 1 AS x")
    await world.there.received(world.here)
    world.kill(world.here)
    with pytest.raises(ClientError, match="fail over with AllowDataLoss"):
        switch_over(world, world.there)
    answer = fail_over(world, world.there)
    assert answer["FailoverState"] == {
        "Status": "pending",
        "FromDbClusterArn": world.here.arn,
        "ToDbClusterArn": world.there.arn,
        "IsDataLossAllowed": True,
    }
    await world.there.ask("INSERT INTO before VALUES (2)")
    assert roles(world) == {world.here.name: (False, "pending-resync"), world.there.name: (True, "connected")}


@pytest.mark.parametrize("fault", ["killed", "frozen", "alive"])
async def test_an_old_leader_that_comes_back_takes_no_write(home: Home, fault: str) -> None:
    emulator = Aws(home)
    emulator.start()
    world = World(emulator, fault).lead().follow()
    await world.here.ask("CREATE TABLE before AS SELECT 1 AS x")
    await world.there.received(world.here)
    # What it alone has seen is what a fail-over loses.
    world.signal(world.there, signal.SIGSTOP)
    await world.here.ask("INSERT INTO before VALUES (100)")
    old = world.process(world.here)
    if fault != "alive":
        world.signal(world.here, signal.SIGKILL if fault == "killed" else signal.SIGSTOP)
    world.signal(world.there, signal.SIGCONT)
    fail_over(world, world.there)
    await world.there.ask("INSERT INTO before VALUES (2)")

    # Somebody starts it as it was, behind everybody's back.
    world.start(old)
    await world.answers(world.here)
    await refused(lambda: world.here.ask("INSERT INTO before VALUES (1000)"))

    # Its region is back.
    emulator.revive()
    await refused(lambda: world.here.ask("INSERT INTO before VALUES (1000)"))
    await world.here.received(world.there)
    ours = await world.there.ask("SELECT array_agg(x ORDER BY x) FROM before")
    assert ours == await world.here.ask("SELECT array_agg(x ORDER BY x) FROM before")
    assert {1, 2} <= {*ours}
    assert 1000 not in ours
    assert roles(world)[world.here.name] == (False, "connected")
    # What only it had is not thrown away.
    (kept,) = world.here.rds.describe_db_cluster_snapshots(DBClusterIdentifier=world.here.name)[
        "DBClusterSnapshots"
    ]
    assert kept["DBClusterSnapshotIdentifier"].startswith(f"rds:unplanned-global-failover-{world.here.name}-")
    switch_over(world, world.here)
    await world.here.ask("INSERT INTO before VALUES (3)")


async def test_an_old_leader_is_no_second_writer_by_leaving(world: World) -> None:
    world.lead().follow()
    fail_over(world, world.there)
    with pytest.raises(ClientError, match="would be a second writer"):
        world.leave(world.here)
    world.here.remove(0)
    world.leave(world.here)


async def test_a_change_that_was_cut_short_leaves_one_writer(home: Home) -> None:
    """As if the emulator had died after the promotion: its records still say who led before."""
    emulator = Aws(home)
    emulator.start()
    world = World(emulator, "cut-short").lead().follow()
    await world.here.ask("CREATE TABLE before AS SELECT 1 AS x")
    await world.there.received(world.here)
    emulator.stop()
    saved = {path: path.read_bytes() for path in home.folder("aws", "state").glob("rds.json")}
    emulator.start()
    fail_over(world, world.there)
    emulator.stop()
    for path, content in saved.items():
        path.write_bytes(content)
    emulator.start()
    emulator.revive()
    await world.here.ask("INSERT INTO before VALUES (2)")
    await refused(lambda: world.there.ask("INSERT INTO before VALUES (1000)"))
    await world.there.received(world.here)
    assert await world.there.ask("SELECT sum(x) FROM before") == 3


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"AllowDataLoss": True, "Switchover": True}, "cannot both be specified"),
        ({"TargetDbClusterIdentifier": "nobody"}, "not found"),
        ({"GlobalClusterIdentifier": "nobody"}, "not found"),
    ],
)
def test_what_cannot_be_meant_is_refused(world: World, arguments: dict[str, Any], said: str) -> None:
    world.lead().follow(members=0)
    asked = {"GlobalClusterIdentifier": world.name, "TargetDbClusterIdentifier": world.there.arn} | arguments
    with pytest.raises(ClientError, match=said):
        world.here.rds.failover_global_cluster(**asked)


def test_a_target_without_an_instance_cannot_lead(world: World) -> None:
    world.lead().follow(members=0)
    with pytest.raises(ClientError, match="no instance that runs"):
        fail_over(world, world.there)
    with pytest.raises(ClientError, match="must have"):
        switch_over(world, world.here)


async def test_the_lag_is_what_the_engines_say(world: World) -> None:
    world.lead().follow()
    await world.here.ask("CREATE TABLE before AS SELECT 1 AS x")
    await world.there.received(world.here)
    assert lags(world.there)[0] == 0
    assert lags(world.here) == []
    await world.there.ask("SELECT pg_wal_replay_pause()")
    await world.here.ask("INSERT INTO before SELECT generate_series(1, 1000)")
    assert max(lags(world.there)) > 0


def test_no_lag_is_known_of_a_leader_that_is_lost(world: World) -> None:
    world.lead().follow()
    world.kill(world.here)
    assert lags(world.there) == []
