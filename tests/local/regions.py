"""Clusters of PostgreSQL: one alone, or two regions of a global cluster, for tests that ask what happens between them."""

import asyncio
import json
import signal
import ssl
import time
from contextlib import suppress
from pathlib import Path
from typing import Any, Self

import asyncpg
import psutil
from botocore.exceptions import ClientError

from local import tls
from local.aws.emulator import Aws
from local.processes import Process, Processes

from .calls import HERE, client

THERE = "eu-central-1"
PASSWORD = "of-our-own-making"
MASTER: dict[str, Any] = {"MasterUsername": "master", "MasterUserPassword": PASSWORD, "DatabaseName": "vanta"}
MEMBER = {"Engine": "aurora-postgresql", "DBInstanceClass": "db.r8g.large"}


class Region:
    """A cluster in one region."""

    def __init__(self, aws: Aws, region: str, name: str) -> None:
        self.aws, self.region, self.name = aws, region, name
        self.rds = self.client("rds")

    def client(self, service: str) -> Any:
        return client(self.aws, service, self.region)

    def create(self, *, members: int = 1, **arguments: object) -> Self:
        self.rds.create_db_cluster(DBClusterIdentifier=self.name, Engine="aurora-postgresql", **arguments)
        for number in range(members):
            self.add(number)
        return self

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
    def exists(self) -> bool:
        found = self.rds.describe_db_clusters()["DBClusters"]
        return any(cluster["DBClusterIdentifier"] == self.name for cluster in found)

    @property
    def arn(self) -> str:
        return self.described["DBClusterArn"]

    def instance(self, number: int) -> dict[str, Any]:
        found = self.rds.describe_db_instances(DBInstanceIdentifier=f"{self.name}-{number}")
        return found["DBInstances"][0]

    @property
    def password(self) -> str:
        """The master's."""
        return PASSWORD

    async def ask(
        self, sql: str, *, endpoint: str = "Endpoint", password: str | None = None, encrypted: bool = True
    ) -> Any:
        described = self.described
        connection = await asyncpg.connect(
            host=described[endpoint],
            port=described["Port"],
            user="master",
            password=password or self.password,
            database="vanta",
            ssl=ssl.create_default_context(cafile=tls.ensure(self.aws.home).ca) if encrypted else False,
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


class Cluster(Region):
    """One of no global cluster, whose master's password RDS makes and keeps."""

    def __init__(self, aws: Aws, name: str) -> None:
        super().__init__(aws, HERE, name)

    def create(self, *, members: int = 1, **arguments: object) -> Self:
        defaults = {
            "EngineVersion": "17.7",
            "MasterUsername": "master",
            "ManageMasterUserPassword": True,
            "DatabaseName": "vanta",
        }
        return super().create(members=members, **{**defaults, **arguments})

    @property
    def password(self) -> str:
        """What the secret of RDS says now."""
        arn = self.described["MasterUserSecret"]["SecretArn"]
        secret = json.loads(self.client("secretsmanager").get_secret_value(SecretId=arn)["SecretString"])
        assert set(secret) == {"username", "password"}
        return secret["password"]


class World:
    """A leading cluster and one that follows, under one name."""

    def __init__(self, aws: Aws, name: str) -> None:
        self.name = name
        self.here, self.there = Region(aws, HERE, f"{name}-here"), Region(aws, THERE, f"{name}-there")

    def lead(self, *, members: int = 1) -> "World":
        self.here.create(members=members, **MASTER)
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

    def process(self, region: Region) -> Process:
        """The engine of the first member of ``region``."""
        process = Processes(self.here.aws.home).get(f"postgres-{region.region}-{region.name}-0")
        assert process is not None
        return process

    def signal(self, region: Region, number: signal.Signals) -> None:
        """Send ``number`` to every process of that engine."""
        handle = self.process(region).handle()
        assert handle is not None
        for process in [handle, *handle.children(recursive=True)]:
            with suppress(psutil.NoSuchProcess):
                process.send_signal(number)

    def kill(self, region: Region) -> None:
        """End that engine as a lost machine would."""
        self.signal(region, signal.SIGKILL)

    def start(self, process: Process) -> None:
        """Start an engine as it was, with its old command."""
        # Where nobody reaps the dead, PostgreSQL takes one for a server that runs.
        Path(process.command.argv[-1], "postmaster.pid").unlink(missing_ok=True)
        Processes(self.here.aws.home).start(process.command)

    async def answers(self, region: Region) -> None:
        """Wait until that engine takes connections."""
        end = time.monotonic() + 30
        while True:
            try:
                await region.ask("SELECT 1")
            except (OSError, asyncpg.CannotConnectNowError):
                assert time.monotonic() < end, "the engine did not come back in time"
                await asyncio.sleep(0.05)
            else:
                return

    def slots(self) -> Any:
        return self.here.ask("SELECT count(*) FROM pg_replication_slots")

    def end(self) -> None:
        """Remove what a test has left, whoever leads: engines first, for one that was promoted away may not leave with them."""
        for region in (self.here, self.there):
            for number in (0, 1):
                with suppress(ClientError):
                    region.remove(number)
        for region in (self.there, self.here, self.there):
            with suppress(ClientError):
                self.leave(region)
            with suppress(ClientError):
                region.delete()
        self.here.rds.delete_global_cluster(GlobalClusterIdentifier=self.name)
        for region in (self.here, self.there):
            assert not region.exists
