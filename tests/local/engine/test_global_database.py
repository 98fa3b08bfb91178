"""A database that two stacks share, made by the real engine: one leads, the other follows in another region."""

import json
import ssl
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import asyncpg
import boto3
import pulumi
import pulumi_aws as aws
import pytest

from infra import settings
from infra.aws import place
from infra.aws.database import MASTER_USER, Database, DatabaseArgs
from infra.aws.global_database import Joined
from infra.aws.keys import Keys, KeysArgs
from infra.names import Names
from infra.settings.database import check_joined
from local import tls
from local.aws.emulator import ACCOUNT, Aws
from local.pulumi.stack import Change, Stack

HERE, THERE = "eu-west-1", "eu-central-1"
LEADING = {
    "vanta:database": {"globalCluster": True, "instanceClass": "db.r8g.large"},
    "vanta:recovery": {"region": THERE},
}
FOLLOWING = {
    "aws:region": THERE,
    "vanta:database": {"instanceClass": "db.r8g.large"},
    "vanta:recovery": {"role": "standby", "primaryStack": "local"},
}


def part(stack: str, joined: Joined | None = None) -> None:
    """The database with what it needs, as stack ``local`` has it."""
    chosen = settings.load("local")
    if joined:
        check_joined(chosen.database)
    here = place.find(zones=2, account=chosen.account)
    names = Names(stack=stack, owner=chosen.owner, account_id=here.account_id, region=here.region)
    network = aws.ec2.Vpc("network", cidr_block="10.20.0.0/16")
    subnets = [
        aws.ec2.Subnet(
            f"data-{zone}", vpc_id=network.id, cidr_block=f"10.20.{number}.0/24", availability_zone=zone
        )
        for number, zone in enumerate(here.zones)
    ]
    guard = aws.ec2.SecurityGroup("database", name="database", description="Guards it", vpc_id=network.id)
    keys = Keys(
        "keys",
        KeysArgs(
            names=names,
            place=here,
            lifetime=chosen.lifetime,
            deletion_days=chosen.keys.deletion_days,
            rotation_days=chosen.keys.rotation_days,
        ),
    )
    database = Database(
        "database",
        DatabaseArgs(
            names=names,
            settings=chosen.database,
            lifetime=chosen.lifetime,
            subnet_ids=[subnet.id for subnet in subnets],
            security_group_id=guard.id,
            state_key_arn=keys.state,
            secrets_key_arn=keys.secrets,
            logs_key_arn=keys.logs,
            joined=joined,
        ),
    )
    for name in (
        "identifier",
        "endpoint",
        "port",
        "name",
        "master_secret_arn",
        "app_secret_arn",
        "global_cluster",
    ):
        pulumi.export(name, getattr(database, name))


@pytest.fixture(scope="module")
def make(engine: Path, module_aws: Aws, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Stack]:
    """``make(name, config, joined)``: a stack of the module's emulator; the same name is the same stack."""
    folders: dict[str, Path] = {}

    def stack(name: str, config: dict[str, Any], joined: Joined | None = None) -> Stack:
        return Stack(
            "local",
            folder=folders.setdefault(name, tmp_path_factory.mktemp(name)),
            engine=engine,
            endpoint=module_aws.endpoint,
            config=config,
            declare=lambda: part(name, joined),
        )

    return stack


@pytest.fixture(scope="module")
def managed(make: Callable[..., Stack]) -> Change:
    """The primary before anybody thought of another region: RDS manages its password."""
    return make("here", {}).up()


@pytest.fixture(scope="module")
def leading(make: Callable[..., Stack], managed: Change) -> Change:
    """The primary's global cluster around the database that it has."""
    assert managed.outputs["global_cluster"] == ""
    return make("here", LEADING).up()


@pytest.fixture(scope="module")
def joined(leading: Change) -> Joined:
    """What the standby reads from its primary."""
    return Joined(
        global_cluster=leading.outputs["global_cluster"],
        source_region=HERE,
        master_secret_arn=leading.outputs["master_secret_arn"],
        app_secret_arn=leading.outputs["app_secret_arn"],
    )


@pytest.fixture(scope="module")
def following(make: Callable[..., Stack], joined: Joined) -> Change:
    """The standby."""
    return make("there", FOLLOWING, joined).up()


def client(aws: Aws, service: str, region: str = HERE) -> Any:
    return boto3.client(
        service,
        region_name=region,
        endpoint_url=aws.endpoint,
        aws_access_key_id=ACCOUNT,
        aws_secret_access_key="any",
    )


async def ask(emulator: Aws, outputs: dict[str, Any], sql: str) -> Any:
    secrets = client(emulator, "secretsmanager")
    secret = secrets.get_secret_value(SecretId=outputs["master_secret_arn"])["SecretString"]
    connection = await asyncpg.connect(
        host=outputs["endpoint"],
        port=outputs["port"],
        user=MASTER_USER,
        password=json.loads(secret)["password"],
        database=outputs["name"],
        ssl=ssl.create_default_context(cafile=tls.ensure(emulator.home).ca),
    )
    try:
        return await connection.fetchval(sql)
    finally:
        await connection.close()


async def test_a_database_that_exists_leads_without_being_replaced(
    managed: Change, leading: Change, module_aws: Aws
) -> None:
    assert not {kind for kind in leading.operations if "replace" in kind or "delete" in kind}
    assert leading.outputs["identifier"] == managed.outputs["identifier"]
    assert await ask(module_aws, leading.outputs, "SELECT 1") == 1
    (formed,) = client(module_aws, "rds").describe_global_clusters()["GlobalClusters"]
    assert formed["GlobalClusterIdentifier"] == leading.outputs["global_cluster"]


async def test_the_standby_has_what_the_primary_writes(
    leading: Change, following: Change, module_aws: Aws
) -> None:
    await ask(module_aws, leading.outputs, "CREATE TABLE written AS SELECT 7 AS x")
    end = time.monotonic() + 30
    while await ask(module_aws, following.outputs, "SELECT to_regclass('written') IS NULL"):
        assert time.monotonic() < end, "what was written did not arrive in time"
    assert await ask(module_aws, following.outputs, "SELECT pg_is_in_recovery()") is True


@pytest.mark.usefixtures("following")
def test_nothing_is_left_to_do_in_either_region(make: Callable[..., Stack], joined: Joined) -> None:
    assert not make("there", FOLLOWING, joined).preview().changed
    assert not make("here", LEADING).preview().changed


async def test_after_a_fail_over_the_state_says_what_is_and_nothing_is_undone(
    make: Callable[..., Stack], joined: Joined, leading: Change, following: Change, module_aws: Aws
) -> None:
    there = client(module_aws, "rds", THERE)
    target = there.describe_db_clusters(DBClusterIdentifier=following.outputs["identifier"])["DBClusters"][0]
    there.failover_global_cluster(
        GlobalClusterIdentifier=leading.outputs["global_cluster"],
        TargetDbClusterIdentifier=target["DBClusterArn"],
        AllowDataLoss=True,
    )
    await ask(module_aws, following.outputs, "CREATE TABLE later AS SELECT 1 AS x")
    make("there", FOLLOWING, joined).refresh()
    assert not make("there", FOLLOWING, joined).preview().changed
    # An update in the old region neither starts what was fenced as a writer, nor takes the lead back.
    make("here", LEADING).refresh()
    assert not make("here", LEADING).preview().changed
    module_aws.revive()
    make("here", LEADING).refresh()
    assert not make("here", LEADING).up().changed
    assert await ask(module_aws, leading.outputs, "SELECT pg_is_in_recovery()") is True
    assert await ask(module_aws, following.outputs, "SELECT count(*) FROM later") == 1
    here = client(module_aws, "rds")
    first = here.describe_db_clusters(DBClusterIdentifier=leading.outputs["identifier"])["DBClusters"][0]
    here.switchover_global_cluster(
        GlobalClusterIdentifier=leading.outputs["global_cluster"],
        TargetDbClusterIdentifier=first["DBClusterArn"],
    )
    await ask(module_aws, leading.outputs, "INSERT INTO later VALUES (2)")
    assert not make("here", LEADING).preview().changed


@pytest.mark.usefixtures("following")
def test_both_stacks_go_whole_the_standby_first(
    make: Callable[..., Stack], joined: Joined, module_aws: Aws
) -> None:
    make("there", FOLLOWING, joined).destroy()
    make("here", LEADING).destroy()
    for region in (HERE, THERE):
        assert not client(module_aws, "rds", region).describe_db_clusters()["DBClusters"]
    assert not client(module_aws, "rds").describe_global_clusters()["GlobalClusters"]
