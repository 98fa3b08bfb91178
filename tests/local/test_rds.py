"""An RDS cluster here is a running PostgreSQL, and what the emulator says of it is true."""

import json
import os
import re
import signal
import ssl
import time
from collections.abc import Callable, Iterator
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

REGION = "eu-west-1"
FAMILY = "aurora-postgresql17"


def client(aws: Aws, service: str) -> Any:
    return boto3.client(
        service,
        endpoint_url=aws.endpoint,
        region_name=REGION,
        aws_access_key_id="000000000000",
        aws_secret_access_key="any",
        config=Config(retries={"total_max_attempts": 1}),
    )


def refused(call: Callable[..., object], **arguments: object) -> str:
    """``Code: message`` with which ``call`` is refused."""
    with pytest.raises(ClientError) as error:
        call(**arguments)
    details = error.value.response["Error"]
    return f"{details['Code']}: {details['Message']}"


def until(condition: Callable[[], bool], deadline: float = 30) -> None:
    end = time.monotonic() + deadline
    while not condition():
        assert time.monotonic() < end, "the condition did not come true in time"
        time.sleep(0.02)


class Cluster:
    """One cluster of the emulator and how to reach it."""

    def __init__(self, aws: Aws, name: str) -> None:
        self.aws, self.name, self.rds = aws, name, client(aws, "rds")

    def create(self, *, members: int = 1, **arguments: object) -> "Cluster":
        defaults = {
            "Engine": "aurora-postgresql",
            "EngineVersion": "17.7",
            "MasterUsername": "master",
            "ManageMasterUserPassword": True,
            "DatabaseName": "vanta",
        }
        self.rds.create_db_cluster(DBClusterIdentifier=self.name, **{**defaults, **arguments})
        for number in range(members):
            self.add(number)
        return self

    def add(self, number: int) -> dict[str, Any]:
        identifier = f"{self.name}-{number}"
        arguments = {"Engine": "aurora-postgresql", "DBInstanceClass": "db.r6g.large"}
        created = self.rds.create_db_instance(
            DBInstanceIdentifier=identifier, DBClusterIdentifier=self.name, **arguments
        )
        return created["DBInstance"]

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

    def instance(self, number: int) -> dict[str, Any]:
        found = self.rds.describe_db_instances(DBInstanceIdentifier=f"{self.name}-{number}")
        return found["DBInstances"][0]

    @property
    def password(self) -> str:
        arn = self.described["MasterUserSecret"]["SecretArn"]
        text = client(self.aws, "secretsmanager").get_secret_value(SecretId=arn)["SecretString"]
        secret = json.loads(text)
        assert set(secret) == {"username", "password"}
        return secret["password"]

    async def ask(
        self, sql: str, *, reader: bool = False, password: str | None = None, encrypted: bool = True
    ) -> Any:
        described = self.described
        context = ssl.create_default_context(cafile=tls.ensure(self.aws.home).ca) if encrypted else False
        connection = await asyncpg.connect(
            host=described["ReaderEndpoint" if reader else "Endpoint"],
            port=described["Port"],
            user="master",
            password=password or self.password,
            database="vanta",
            ssl=context,
        )
        try:
            return await connection.fetchval(sql)
        finally:
            await connection.close()


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


@pytest.fixture
def own(aws: Aws, request: pytest.FixtureRequest) -> Iterator[Cluster]:
    """A cluster of the test's own: created by the test, deleted after it."""
    name = re.sub(r"[^a-z0-9]+", "-", request.node.name.lower())[-40:].strip("-")
    cluster = Cluster(aws, f"c-{name}")
    yield cluster
    if any(
        found["DBClusterIdentifier"] == cluster.name
        for found in cluster.rds.describe_db_clusters()["DBClusters"]
    ):
        cluster.delete()


async def test_the_managed_secret_opens_the_database_at_the_endpoint(cluster: Cluster) -> None:
    assert await cluster.ask("SELECT current_database() || current_user") == "vantamaster"


async def test_the_reader_endpoint_is_a_replica_that_follows(cluster: Cluster) -> None:
    assert await cluster.ask("SELECT pg_is_in_recovery()") is False
    assert await cluster.ask("SELECT pg_is_in_recovery()", reader=True) is True
    await cluster.ask("CREATE TABLE followed AS SELECT 1")
    await cluster.ask("SELECT pg_sleep(0)")
    end = time.monotonic() + 30
    while await cluster.ask("SELECT to_regclass('followed') IS NULL", reader=True):
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
    process = Processes(own.aws.home).running(f"postgres-{REGION}-{own.name}-0")
    assert process is not None
    os.kill(process.pid, signal.SIGKILL)
    until(lambda: own.instance(0)["DBInstanceStatus"] == "failed")
    assert own.described["Status"] == "failed"
    own.aws.revive()
    assert own.instance(0)["DBInstanceStatus"] == "available"


async def test_without_readers_the_writer_answers_at_the_reader_endpoint(own: Cluster) -> None:
    own.create()
    assert await own.ask("SELECT pg_is_in_recovery()", reader=True) is False
    own.add(1)
    assert await own.ask("SELECT pg_is_in_recovery()", reader=True) is True
    own.remove(1)
    assert await own.ask("SELECT pg_is_in_recovery()", reader=True) is False


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
    assert await cluster.ask("SELECT value FROM kept", reader=True) == 7


async def test_engines_outlive_the_emulator_and_are_found_again(emulator: Aws) -> None:
    cluster = Cluster(emulator, "main").create()
    process = Processes(emulator.home).running(f"postgres-{REGION}-main-0")
    emulator.stop()
    emulator.start()
    emulator.revive()
    assert Processes(emulator.home).running(f"postgres-{REGION}-main-0") == process
    assert cluster.instance(0)["DBInstanceStatus"] == "available"


async def test_a_changed_master_password_is_the_engines(own: Cluster) -> None:
    own.create(ManageMasterUserPassword=False, MasterUserPassword="first password")
    assert await own.ask("SELECT 1", password="first password") == 1
    own.rds.modify_db_cluster(
        DBClusterIdentifier=own.name, MasterUserPassword="second password", ApplyImmediately=True
    )
    assert await own.ask("SELECT 1", password="second password") == 1
    with pytest.raises(asyncpg.InvalidPasswordError):
        await own.ask("SELECT 1", password="first password")


async def test_a_rotated_managed_password_is_the_engines(own: Cluster) -> None:
    own.create()
    before = own.password
    own.rds.modify_db_cluster(
        DBClusterIdentifier=own.name, RotateMasterUserPassword=True, ApplyImmediately=True
    )
    assert own.password != before
    assert await own.ask("SELECT 1") == 1


async def test_a_password_rotated_while_nothing_served_the_storage_is_the_engines(own: Cluster) -> None:
    own.create(members=0)
    own.rds.modify_db_cluster(
        DBClusterIdentifier=own.name, RotateMasterUserPassword=True, ApplyImmediately=True
    )
    own.add(0)
    assert await own.ask("SELECT 1") == 1


def group(aws: Aws, name: str, **parameters: str) -> str:
    rds = client(aws, "rds")
    rds.create_db_cluster_parameter_group(
        DBClusterParameterGroupName=name, DBParameterGroupFamily=FAMILY, Description=name
    )
    modify_group(aws, name, **parameters)
    return name


def modify_group(aws: Aws, name: str, **parameters: str) -> None:
    rows = [
        {"ParameterName": key.replace("__", "."), "ParameterValue": value, "ApplyMethod": "immediate"}
        for key, value in parameters.items()
    ]
    client(aws, "rds").modify_db_cluster_parameter_group(DBClusterParameterGroupName=name, Parameters=rows)


async def test_a_parameter_group_configures_every_member_and_its_change_too(own: Cluster) -> None:
    name = group(own.aws, "tuned", work_mem="8192", rds__force_ssl="1")
    own.create(members=2, DBClusterParameterGroupName=name)
    assert [await own.ask("SHOW work_mem", reader=reader) for reader in (False, True)] == ["8MB", "8MB"]
    modify_group(own.aws, name, work_mem="16384")
    end = time.monotonic() + 30
    while [await own.ask("SHOW work_mem", reader=reader) for reader in (False, True)] != ["16MB", "16MB"]:
        assert time.monotonic() < end


async def test_clear_text_is_taken_only_when_the_group_does_not_force_tls(own: Cluster) -> None:
    own.create(DBClusterParameterGroupName=group(own.aws, "clear", rds__force_ssl="0"))
    assert await own.ask("SELECT 1", encrypted=False) == 1


async def test_a_static_parameter_is_applied_by_a_reboot(own: Cluster) -> None:
    name = group(own.aws, "static", max_connections="150")
    own.create(DBClusterParameterGroupName=name)
    modify_group(own.aws, name, max_connections="160")
    assert await own.ask("SHOW max_connections") == "150"
    own.rds.reboot_db_instance(DBInstanceIdentifier=f"{own.name}-0")
    assert await own.ask("SHOW max_connections") == "160"


@pytest.mark.parametrize(
    ("parameter", "value"), [("work_mem", "much"), ("no_such_parameter", "1"), ("rds__nothing", "1")]
)
def test_a_value_the_engine_refuses_is_refused_and_not_kept(aws: Aws, parameter: str, value: str) -> None:
    name = group(aws, f"bad-{parameter.replace('_', '-').replace('--', '-')}", log_statement="ddl")
    with pytest.raises(ClientError) as error:
        modify_group(aws, name, log_statement="all", **{parameter: value})
    assert error.value.response["Error"]["Code"] == "InvalidParameterValue"
    assert parameter.replace("__", ".") in error.value.response["Error"]["Message"]
    found = client(aws, "rds").describe_db_cluster_parameters(DBClusterParameterGroupName=name, Source="user")
    assert {row["ParameterName"]: row["ParameterValue"] for row in found["Parameters"]} == {
        "log_statement": "ddl"
    }


def test_another_major_version_is_refused_with_a_sentence(own: Cluster) -> None:
    arguments = {"DBClusterIdentifier": own.name, "Engine": "aurora-postgresql", "EngineVersion": "16.9"}
    answer = refused(
        own.rds.create_db_cluster, **arguments, MasterUsername="master", ManageMasterUserPassword=True
    )
    assert answer == (
        "InvalidParameterCombination: EngineVersion is 16.9: the engine here is PostgreSQL 17, "
        "so give a version of that major."
    )
    assert not (own.aws.home.databases / REGION / own.name).exists()


def test_another_engine_is_refused(own: Cluster) -> None:
    answer = refused(own.rds.create_db_cluster, DBClusterIdentifier=own.name, Engine="aurora-mysql")
    assert "only aurora-postgresql runs here" in answer


def test_an_instance_without_a_cluster_is_refused(own: Cluster) -> None:
    arguments = {
        "DBInstanceIdentifier": own.name,
        "DBInstanceClass": "db.t3.micro",
        "Engine": "aurora-postgresql",
    }
    assert "DBClusterNotFoundFault" in refused(own.rds.create_db_instance, **arguments)
    assert "DBClusterNotFoundFault" in refused(
        own.rds.create_db_instance, DBClusterIdentifier="none", **arguments
    )


def test_a_cluster_that_could_not_be_made_leaves_nothing(own: Cluster) -> None:
    # The name of a database may have 63 bytes, but PostgreSQL refuses a user of a reserved name.
    arguments = {
        "DBClusterIdentifier": own.name,
        "Engine": "aurora-postgresql",
        "MasterUsername": "pg_reserved",
    }
    assert "InternalFailure" in refused(own.rds.create_db_cluster, **arguments, ManageMasterUserPassword=True)
    assert own.name not in [
        found["DBClusterIdentifier"] for found in own.rds.describe_db_clusters()["DBClusters"]
    ]
    secrets = client(own.aws, "secretsmanager").list_secrets()["SecretList"]
    assert not [secret for secret in secrets if own.name in secret.get("Description", "")]
    assert not (own.aws.home.databases / REGION / own.name).exists()


def test_deletion_protection_is_honoured(own: Cluster) -> None:
    own.create(members=0, DeletionProtection=True)
    delete = {"DBClusterIdentifier": own.name, "SkipFinalSnapshot": True}
    assert "DeletionProtection" in refused(own.rds.delete_db_cluster, **delete)
    assert (own.aws.home.databases / REGION / own.name / "storage").exists()
    own.rds.modify_db_cluster(DBClusterIdentifier=own.name, DeletionProtection=False, ApplyImmediately=True)


def test_a_deleted_cluster_leaves_no_process_and_no_data(own: Cluster) -> None:
    own.create(members=2)
    own.delete()
    assert not [process for process in Processes(own.aws.home).all() if own.name in process.command.name]
    assert not (own.aws.home.databases / REGION / own.name).exists()


async def test_a_final_snapshot_keeps_what_the_cluster_held(own: Cluster) -> None:
    own.create(members=1)
    await own.ask("CREATE TABLE kept (what text)")
    own.remove(0)
    final = f"{own.name}-final"
    delete = {"DBClusterIdentifier": own.name}
    assert "FinalDBSnapshotIdentifier" in refused(own.rds.delete_db_cluster, **delete)
    own.rds.delete_db_cluster(**delete, FinalDBSnapshotIdentifier=final)
    (found,) = own.rds.describe_db_cluster_snapshots(DBClusterSnapshotIdentifier=final)["DBClusterSnapshots"]
    assert found["DBClusterIdentifier"] == own.name
    assert list((own.aws.home.root / "snapshots" / REGION / final).rglob("PG_VERSION"))
    assert not (own.aws.home.databases / REGION / own.name).exists()


@pytest.mark.parametrize("action", ["failover_db_cluster", "stop_db_cluster"])
def test_what_is_not_carried_out_is_refused(cluster: Cluster, action: str) -> None:
    assert "is not carried out on one machine" in refused(
        getattr(cluster.rds, action), DBClusterIdentifier=cluster.name
    )
