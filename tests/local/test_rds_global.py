"""A global cluster here is PostgreSQL that streams from one region to another, and what has followed can go on alone."""

import os
import signal

import asyncpg
import pytest
from botocore.exceptions import ClientError

from local.aws.emulator import Aws
from local.home import Home
from local.processes import Processes

from .regions import World


async def test_what_is_written_in_one_region_is_read_in_the_other(world: World) -> None:
    await world.lead().here.ask("CREATE TABLE before AS SELECT 1 AS x")
    world.follow(members=2)
    await world.here.ask("CREATE TABLE after AS SELECT 2 AS x")
    for endpoint in ("Endpoint", "ReaderEndpoint"):
        await world.there.received(world.here, endpoint=endpoint)
        assert await world.there.ask("SELECT b.x + a.x FROM before b, after a", endpoint=endpoint) == 3


async def test_nothing_is_written_where_a_cluster_follows(world: World) -> None:
    world.lead().follow()
    with pytest.raises(asyncpg.ReadOnlySQLTransactionError):
        await world.there.ask("CREATE TABLE mine ()")


async def test_a_cluster_that_leaves_goes_on_alone_with_what_it_received(world: World) -> None:
    world.lead().follow(members=2)
    await world.here.ask("CREATE TABLE before AS SELECT 1 AS x")
    await world.there.received(world.here)
    world.leave(world.there)
    await world.there.ask("CREATE TABLE after AS SELECT x + 1 AS x FROM before")
    await world.there.received(world.there, endpoint="ReaderEndpoint")
    assert await world.there.ask("SELECT x FROM after", endpoint="ReaderEndpoint") == 2
    # What nobody fetches any more would fill the disk.
    assert await world.slots() == 0


async def test_a_fail_over_within_the_leading_region_is_followed(world: World) -> None:
    world.lead(members=2).follow()
    world.here.remove(0)
    await world.here.ask("CREATE TABLE after AS SELECT 1 AS x")
    await world.there.received(world.here)
    assert await world.there.ask("SELECT x FROM after") == 1


async def test_a_fail_over_within_the_region_that_follows_makes_no_writer(world: World) -> None:
    world.lead().follow(members=2)
    world.there.remove(0)
    await world.here.ask("CREATE TABLE after AS SELECT 1 AS x")
    await world.there.received(world.here)
    assert await world.there.ask("SELECT pg_is_in_recovery()") is True
    assert await world.slots() == 1


async def test_a_cluster_that_lost_its_only_member_gets_everything_again(world: World) -> None:
    world.lead().follow()
    world.there.remove(0)
    assert await world.slots() == 0
    await world.here.ask("CREATE TABLE after AS SELECT 1 AS x")
    world.there.add(0)
    await world.there.received(world.here)
    assert await world.there.ask("SELECT x FROM after") == 1


async def test_both_regions_are_there_again_after_kill_9_of_everything(home: Home) -> None:
    emulator = Aws(home)
    emulator.start()
    world = World(emulator, "killed").lead().follow(members=2)
    await world.here.ask("CREATE TABLE before AS SELECT 1 AS x")
    await world.there.received(world.here)
    for process in Processes(home).all():
        os.kill(process.pid, signal.SIGKILL)
    emulator.start()
    emulator.revive()
    await world.here.ask("INSERT INTO before VALUES (2)")
    await world.there.received(world.here)
    assert await world.there.ask("SELECT sum(x) FROM before") == 3


def test_a_cluster_whose_password_rds_manages_cannot_lead(world: World) -> None:
    world.here.create(members=0, MasterUsername="master", ManageMasterUserPassword=True, DatabaseName="vanta")
    with pytest.raises(ClientError, match="The master password of the source is managed by RDS"):
        world.here.rds.create_global_cluster(
            GlobalClusterIdentifier=world.name, SourceDBClusterIdentifier=world.here.arn
        )
    world.here.delete()
    world.lead()


def test_a_member_cannot_be_deleted_and_the_leader_not_leave_before_the_others(world: World) -> None:
    world.lead().follow(members=0)
    with pytest.raises(ClientError, match="member of a global cluster"):
        world.there.delete()
    with pytest.raises(ClientError, match="while reader members remain"):
        world.leave(world.here)
