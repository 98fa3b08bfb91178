"""A global cluster here is PostgreSQL that streams from one region to another, and what has followed can go on alone."""

import os
import re
import signal
import ssl
import time
from collections.abc import Iterator
from typing import Any

import asyncpg
import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from local import tls
from local.aws.emulator import Aws
from local.home import Home
from local.processes import Processes

HERE, THERE = "eu-west-1", "eu-central-1"
PASSWORD = "of-our-own-making"
MEMBER = {"Engine": "aurora-postgresql", "DBInstanceClass": "db.r8g.large"}


class Region:
    """One region's cluster of a global cluster."""

    def __init__(self, aws: Aws, region: str, name: str) -> None:
        self.aws, self.name = aws, name
        self.rds = boto3.client(
            "rds",
            endpoint_url=aws.endpoint,
            region_name=region,
            aws_access_key_id="000000000000",
            aws_secret_access_key="any",
            config=Config(retries={"total_max_attempts": 1}),
        )

    def create(self, *, members: int = 1, **arguments: object) -> None:
        self.rds.create_db_cluster(DBClusterIdentifier=self.name, Engine="aurora-postgresql", **arguments)
        for number in range(members):
            self.add(number)

    def add(self, number: int) -> None:
        self.rds.create_db_instance(
            DBInstanceIdentifier=f"{self.name}-{number}", DBClusterIdentifier=self.name, **MEMBER
        )

    def remove(self, number: int) -> None:
        self.rds.delete_db_instance(DBInstanceIdentifier=f"{self.name}-{number}", SkipFinalSnapshot=True)

    def delete(self) -> None:
        for member in self.described["DBClusterMembers"]:
            self.rds.delete_db_instance(
                DBInstanceIdentifier=member["DBInstanceIdentifier"], SkipFinalSnapshot=True
            )
        self.rds.delete_db_cluster(DBClusterIdentifier=self.name, SkipFinalSnapshot=True)

    @property
    def described(self) -> dict[str, Any]:
        return self.rds.describe_db_clusters(DBClusterIdentifier=self.name)["DBClusters"][0]

    @property
    def arn(self) -> str:
        return self.described["DBClusterArn"]

    async def ask(self, sql: str, *, endpoint: str = "Endpoint") -> Any:
        described = self.described
        connection = await asyncpg.connect(
            host=described[endpoint],
            port=described["Port"],
            user="master",
            password=PASSWORD,
            database="vanta",
            ssl=ssl.create_default_context(cafile=tls.ensure(self.aws.home).ca),
        )
        try:
            return await connection.fetchval(sql)
        finally:
            await connection.close()

    async def received(self, other: "Region", *, endpoint: str = "Endpoint") -> None:
        """Wait until everything that ``other`` has written is here."""
        position = await other.ask("SELECT pg_current_wal_lsn()::text")
        end = time.monotonic() + 30
        while not await self.ask(f"SELECT pg_last_wal_replay_lsn() >= '{position}'", endpoint=endpoint):
            assert time.monotonic() < end, "what was written did not arrive in time"


class World:
    """A leading cluster and one that follows, under one name."""

    def __init__(self, aws: Aws, name: str) -> None:
        self.name = name
        self.here, self.there = Region(aws, HERE, f"{name}-here"), Region(aws, THERE, f"{name}-there")

    def lead(self, *, members: int = 1) -> "World":
        self.here.create(
            members=members,
            MasterUsername="master",
            MasterUserPassword=PASSWORD,
            DatabaseName="vanta",
        )
        self.here.rds.create_global_cluster(
            GlobalClusterIdentifier=self.name, SourceDBClusterIdentifier=self.here.arn
        )
        return self

    def follow(self, *, members: int = 1) -> "World":
        self.there.create(members=members, GlobalClusterIdentifier=self.name, SourceRegion=HERE)
        return self

    def leave(self, region: Region) -> None:
        self.here.rds.remove_from_global_cluster(
            GlobalClusterIdentifier=self.name, DbClusterIdentifier=region.arn
        )

    def slots(self) -> Any:
        return self.here.ask("SELECT count(*) FROM pg_replication_slots")

    def end(self) -> None:
        for region in (self.there, self.here):
            try:
                self.leave(region)
            except ClientError as error:
                assert "NotFound" in error.response["Error"]["Code"]  # noqa: PT017 - whatever the test has left
            try:
                region.delete()
            except ClientError as error:
                assert "NotFound" in error.response["Error"]["Code"]  # noqa: PT017 - whatever the test has left
        self.here.rds.delete_global_cluster(GlobalClusterIdentifier=self.name)


@pytest.fixture
def world(aws: Aws, request: pytest.FixtureRequest) -> Iterator[World]:
    """Two regions of the test's own."""
    world = World(aws, re.sub(r"[^a-z0-9]+", "-", f"w-{request.node.name[-40:]}"))
    yield world
    world.end()


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
