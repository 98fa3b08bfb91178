"""Backups made by the real engine: vaults in two regions, a plan, and the copies that are made every few minutes."""

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3
import pytest

from infra import settings
from infra.aws import place
from infra.aws.backup import Backup, BackupArgs
from infra.names import Names
from local.aws.emulator import ACCOUNT, Aws
from local.pulumi.stack import Stack

HERE, THERE = "eu-west-1", "eu-central-1"
KEY = f"arn:aws:kms:{HERE}:{ACCOUNT}:key/of-the-test"


def part() -> None:
    """The backup of a database that nothing replicates."""
    chosen = settings.load("local")
    here = place.find(zones=1, account=chosen.account)
    names = Names(stack="local", owner=chosen.owner, account_id=here.account_id, region=here.region)
    Backup(
        "backup",
        BackupArgs(
            names=names,
            place=here,
            settings=dataclasses.replace(chosen.backup, enabled=True),
            lifetime=chosen.lifetime,
            cluster_arn=f"arn:aws:rds:{HERE}:{ACCOUNT}:cluster:of-the-test",
            state_key_arn=KEY,
            backup_key_arn=KEY,
            copy_key_arns={THERE: KEY.replace(HERE, THERE)},
            replicated=False,
            topic_arn=f"arn:aws:sns:{HERE}:{ACCOUNT}:of-the-test",
        ),
    )


@pytest.fixture(scope="module")
def make(engine: Path, module_aws: Aws, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Stack]:
    """``make(backup)``: the stack, with its own configuration of backups."""
    folder = tmp_path_factory.mktemp("backup")

    def stack(**backup: Any) -> Stack:
        return Stack(
            "local",
            folder=folder,
            engine=engine,
            endpoint=module_aws.endpoint,
            config={"vanta:backup": backup},
            declare=part,
        )

    return stack


@pytest.fixture(scope="module")
def client(module_aws: Aws) -> Callable[..., Any]:
    """boto3 clients by service and region."""
    return lambda service, region=HERE: boto3.client(
        service,
        region_name=region,
        endpoint_url=module_aws.endpoint,
        aws_access_key_id=ACCOUNT,
        aws_secret_access_key="any",
    )


def test_backups_come_change_in_place_and_go(make: Callable[..., Stack], client: Callable[..., Any]) -> None:
    make().up()
    assert not make().preview().changed
    for region in (HERE, THERE):
        (vault,) = client("backup", region).list_backup_vaults()["BackupVaultList"]
        assert vault["BackupVaultName"] == "vanta-local-backup"
        assert vault["EncryptionKeyArn"].split(":")[3] == region

    changed = make(retentionDays=70, copyMinutes=15).up()
    assert not {kind for kind in changed.operations if "replace" in kind or "delete" in kind}
    backup = client("backup")
    (plan,) = backup.list_backup_plans()["BackupPlansList"]
    (rule,) = backup.get_backup_plan(BackupPlanId=plan["BackupPlanId"])["BackupPlan"]["Rules"]
    assert rule["Lifecycle"]["DeleteAfterDays"] == 70
    schedule = client("scheduler").get_schedule(Name="vanta-local-database-copies")
    assert schedule["ScheduleExpression"] == "rate(15 minutes)"
    assert not make(retentionDays=70, copyMinutes=15).preview().changed

    make().destroy()
    assert not backup.list_backup_vaults()["BackupVaultList"]
    assert not client("stepfunctions").list_state_machines()["stateMachines"]
