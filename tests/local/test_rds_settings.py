"""What is set of an RDS cluster is set in its engine: the master's password, and the parameters of its group."""

import time
from typing import Any

import asyncpg
import pytest
from botocore.exceptions import ClientError

from .regions import Cluster

FAMILY = "aurora-postgresql17"


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


def group(rds: Any, name: str, **parameters: str) -> str:
    rds.create_db_cluster_parameter_group(
        DBClusterParameterGroupName=name, DBParameterGroupFamily=FAMILY, Description=name
    )
    modify_group(rds, name, **parameters)
    return name


def modify_group(rds: Any, name: str, **parameters: str) -> None:
    rows = [
        {"ParameterName": key.replace("__", "."), "ParameterValue": value, "ApplyMethod": "immediate"}
        for key, value in parameters.items()
    ]
    rds.modify_db_cluster_parameter_group(DBClusterParameterGroupName=name, Parameters=rows)


async def shown(cluster: Cluster) -> list[str]:
    """``work_mem`` of the writer and of a reader."""
    return [await cluster.ask("SHOW work_mem", endpoint=name) for name in ("Endpoint", "ReaderEndpoint")]


async def test_a_parameter_group_configures_every_member_and_its_change_too(own: Cluster) -> None:
    name = group(own.rds, "tuned", work_mem="8192", rds__force_ssl="1")
    own.create(members=2, DBClusterParameterGroupName=name)
    assert await shown(own) == ["8MB", "8MB"]
    modify_group(own.rds, name, work_mem="16384")
    end = time.monotonic() + 30
    while await shown(own) != ["16MB", "16MB"]:
        assert time.monotonic() < end


async def test_clear_text_is_taken_only_when_the_group_does_not_force_tls(own: Cluster) -> None:
    own.create(DBClusterParameterGroupName=group(own.rds, "clear", rds__force_ssl="0"))
    assert await own.ask("SELECT 1", encrypted=False) == 1


async def test_a_static_parameter_is_applied_by_a_reboot(own: Cluster) -> None:
    name = group(own.rds, "static", max_connections="150")
    own.create(DBClusterParameterGroupName=name)
    modify_group(own.rds, name, max_connections="160")
    assert await own.ask("SHOW max_connections") == "150"
    own.rds.reboot_db_instance(DBInstanceIdentifier=f"{own.name}-0")
    assert await own.ask("SHOW max_connections") == "160"


@pytest.mark.parametrize(
    ("parameter", "value"), [("work_mem", "much"), ("no_such_parameter", "1"), ("rds__nothing", "1")]
)
def test_a_value_the_engine_refuses_is_refused_and_not_kept(own: Cluster, parameter: str, value: str) -> None:
    name = group(own.rds, f"bad-{parameter.replace('_', '-').replace('--', '-')}", log_statement="ddl")
    with pytest.raises(ClientError) as error:
        modify_group(own.rds, name, log_statement="all", **{parameter: value})
    assert error.value.response["Error"]["Code"] == "InvalidParameterValue"
    assert parameter.replace("__", ".") in error.value.response["Error"]["Message"]
    found = own.rds.describe_db_cluster_parameters(DBClusterParameterGroupName=name, Source="user")
    assert {row["ParameterName"]: row["ParameterValue"] for row in found["Parameters"]} == {
        "log_statement": "ddl"
    }
