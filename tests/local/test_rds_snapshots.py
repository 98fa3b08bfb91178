"""Backups on real PostgreSQL: a cluster as it was, in this region or another, at the moment of a snapshot or at any other."""

import datetime as dt
import json
import re
from collections.abc import Iterator

import asyncpg
import pytest
from botocore.exceptions import ClientError

from local.aws.emulator import Aws
from local.home import Home

from .regions import HERE, MASTER, MEMBER, THERE, Region, World


@pytest.fixture
def original(aws: Aws, request: pytest.FixtureRequest) -> Iterator[Region]:
    """A cluster of the test's own."""
    region = Region(aws, HERE, re.sub(r"[^a-z0-9]+", "-", f"o-{request.node.name[-30:]}"))
    region.create(**MASTER)
    yield region
    region.delete()


@pytest.fixture
def restored(aws: Aws, original: Region, request: pytest.FixtureRequest) -> Iterator[Region]:
    """Where a test puts what it restores."""
    where = THERE if "another_region" in request.node.name else HERE
    region = Region(aws, where, f"{original.name}-again")
    yield region
    if region.exists:
        region.delete()


def snapshot(original: Region, name: str) -> str:
    """The ARN of a snapshot that is taken now."""
    taken = original.rds.create_db_cluster_snapshot(
        DBClusterIdentifier=original.name, DBClusterSnapshotIdentifier=name
    )
    return taken["DBClusterSnapshot"]["DBClusterSnapshotArn"]


def restore(region: Region, arn: str) -> None:
    region.rds.restore_db_cluster_from_snapshot(
        DBClusterIdentifier=region.name, SnapshotIdentifier=arn, Engine=MEMBER["Engine"]
    )
    region.add(0)


async def test_a_snapshot_has_what_was_there_and_nothing_of_later(original: Region, restored: Region) -> None:
    await original.ask("CREATE TABLE written AS SELECT 1 AS x")
    arn = snapshot(original, f"{original.name}-s")
    await original.ask("INSERT INTO written VALUES (2)")
    restore(restored, arn)
    assert await restored.ask("SELECT array_agg(x) FROM written") == [1]
    # Both go on, each on its own.
    await restored.ask("INSERT INTO written VALUES (3)")
    assert await original.ask("SELECT array_agg(x) FROM written") == [1, 2]


async def test_a_copy_of_a_snapshot_is_restored_in_another_region(original: Region, restored: Region) -> None:
    await original.ask("CREATE TABLE written AS SELECT 1 AS x")
    arn = snapshot(original, f"{original.name}-s")
    copied = restored.rds.copy_db_cluster_snapshot(
        SourceDBClusterSnapshotIdentifier=arn,
        TargetDBClusterSnapshotIdentifier=f"{original.name}-c",
        SourceRegion=HERE,
    )["DBClusterSnapshot"]
    original.rds.delete_db_cluster_snapshot(DBClusterSnapshotIdentifier=f"{original.name}-s")
    assert f":{THERE}:" in copied["DBClusterSnapshotArn"]
    restore(restored, copied["DBClusterSnapshotArn"])
    assert await restored.ask("SELECT x FROM written") == 1


async def test_a_bad_write_is_undone_by_going_to_the_moment_before_it(
    original: Region, restored: Region
) -> None:
    await original.ask("CREATE TABLE written AS SELECT 1 AS x")
    before = await original.ask("SELECT clock_timestamp()")
    await original.ask("DELETE FROM written")
    restored.rds.restore_db_cluster_to_point_in_time(
        DBClusterIdentifier=restored.name, SourceDBClusterIdentifier=original.name, RestoreToTime=before
    )
    restored.add(0)
    assert await restored.ask("SELECT array_agg(x) FROM written") == [1]
    assert await original.ask("SELECT count(*) FROM written") == 0
    await restored.ask("INSERT INTO written VALUES (2)")


async def test_rds_takes_over_the_password_of_what_was_restored(original: Region, restored: Region) -> None:
    restore(restored, snapshot(original, f"{original.name}-s"))
    restored.rds.modify_db_cluster(
        DBClusterIdentifier=restored.name, ManageMasterUserPassword=True, ApplyImmediately=True
    )
    with pytest.raises(asyncpg.InvalidPasswordError):
        await restored.ask("SELECT 1")
    kept = restored.client("secretsmanager").get_secret_value(
        SecretId=restored.described["MasterUserSecret"]["SecretArn"]
    )
    assert await restored.ask("SELECT 1", password=json.loads(kept["SecretString"])["password"]) == 1


async def test_the_latest_moment_is_this_one(original: Region, restored: Region) -> None:
    await original.ask("CREATE TABLE written AS SELECT 1 AS x")
    restored.rds.restore_db_cluster_to_point_in_time(
        DBClusterIdentifier=restored.name,
        SourceDBClusterIdentifier=original.name,
        UseLatestRestorableTime=True,
    )
    restored.add(0)
    assert await restored.ask("SELECT x FROM written") == 1


async def test_what_only_a_fenced_leader_had_can_be_read(home: Home) -> None:
    emulator = Aws(home)
    emulator.start()
    world = World(emulator, "kept").lead().follow()
    await world.here.ask("CREATE TABLE written AS SELECT 1 AS x")
    await world.there.received(world.here)
    # What is written while nobody listens is lost.
    world.kill(world.there)
    await world.here.ask("INSERT INTO written VALUES (2)")
    world.kill(world.here)
    world.there.rds.reboot_db_instance(DBInstanceIdentifier=f"{world.there.name}-0")
    world.there.rds.failover_global_cluster(
        GlobalClusterIdentifier=world.name, TargetDbClusterIdentifier=world.there.arn, AllowDataLoss=True
    )
    emulator.revive()
    (kept,) = world.here.rds.describe_db_cluster_snapshots(SnapshotType="automated")["DBClusterSnapshots"]
    old = Region(emulator, HERE, "old")
    restore(old, kept["DBClusterSnapshotArn"])
    assert await old.ask("SELECT array_agg(x ORDER BY x) FROM written") == [1, 2]


def test_what_cannot_be_restored_is_refused(original: Region, restored: Region) -> None:
    later = dt.datetime.now(dt.UTC) + dt.timedelta(hours=1)
    for arguments, said in (
        ({"RestoreToTime": later}, "is in the future"),
        ({}, "Give one of"),
        ({"UseLatestRestorableTime": True, "SourceDBClusterIdentifier": "nobody"}, "not found"),
    ):
        asked = {"DBClusterIdentifier": restored.name, "SourceDBClusterIdentifier": original.name} | arguments
        with pytest.raises(ClientError, match=said):
            restored.rds.restore_db_cluster_to_point_in_time(**asked)
    with pytest.raises(ClientError, match="is not found"):
        restore(restored, "nobody")
    snapshot(original, f"{original.name}-s")
    with pytest.raises(ClientError, match="already exists"):
        snapshot(original, f"{original.name}-s")


async def test_a_cluster_that_has_followed_is_restored_from_snapshots_alone(world: World) -> None:
    world.lead().follow()
    world.here.rds.switchover_global_cluster(
        GlobalClusterIdentifier=world.name, TargetDbClusterIdentifier=world.there.arn
    )
    for region in (world.here, world.there):
        with pytest.raises(ClientError, match="use one of its snapshots"):
            region.rds.restore_db_cluster_to_point_in_time(
                DBClusterIdentifier="again",
                SourceDBClusterIdentifier=region.name,
                UseLatestRestorableTime=True,
            )
    with pytest.raises(asyncpg.ReadOnlySQLTransactionError):
        await world.here.ask("CREATE TABLE mine ()")
