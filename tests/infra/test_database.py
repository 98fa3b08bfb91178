"""The primary store: encrypted, restorable, and reached over TLS alone."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from infra.aws.database import Database, DatabaseArgs
from infra.names import Names
from infra.settings import parse

KEY = "arn:aws:kms:eu-west-1:111122223333:key/"


@pytest.fixture(scope="module")
def declared(alone: Callable[..., Any], configuration: Callable[..., Any]) -> Callable[..., Any]:
    """``declared(readers=2)``: the database alone, of stack ``dev`` but for these settings."""

    def database(**changes: Any) -> Any:
        settings = parse(configuration("dev", {"database": changes}), "dev")
        args = DatabaseArgs(
            names=Names(stack="dev", owner="platform", account_id="111122223333", region="eu-west-1"),
            settings=settings.database,
            lifetime=settings.lifetime,
            subnet_ids=["subnet-a", "subnet-b"],
            security_group_id="sg-data",
            state_key_arn=f"{KEY}state",
            secrets_key_arn=f"{KEY}secrets",
            logs_key_arn=f"{KEY}logs",
        )
        return alone(lambda: Database("database", args))

    return database


def cluster_parameters(recorded: Any) -> dict[str, str]:
    return {p["name"]: p["value"] for p in recorded.one("ClusterParameterGroup").inputs["parameters"]}


def test_the_database_speaks_tls_only(dev: Any) -> None:
    assert cluster_parameters(dev)["rds.force_ssl"] == "1"


def test_slow_statements_are_logged_without_what_tenants_put_into_them(declared: Callable[..., Any]) -> None:
    parameters = cluster_parameters(declared(slowQueryMs=77))
    assert parameters["log_min_duration_statement"] == "77"
    assert parameters["log_parameter_max_length"] == "0"
    # It would log the passwords of CREATE ROLE.
    assert "log_statement" not in parameters


def test_the_database_is_encrypted_with_the_keys_of_its_data_classes(dev: Any) -> None:
    cluster = dev.one("rds/cluster:Cluster").inputs
    assert cluster["storageEncrypted"]
    assert cluster["kmsKeyId"].endswith(":state")
    assert cluster["masterUserSecretKmsKeyId"].endswith(":secrets")
    assert all(i.inputs["performanceInsightsKmsKeyId"].endswith(":state") for i in dev.all("ClusterInstance"))


def test_nobody_ever_knew_the_master_password(dev: Any) -> None:
    cluster = dev.one("rds/cluster:Cluster").inputs
    assert cluster["manageMasterUserPassword"]
    assert "masterPassword" not in cluster


@pytest.mark.parametrize("readers", [0, 1, 3])
def test_the_writer_comes_first_and_the_readers_after_it(declared: Callable[..., Any], readers: int) -> None:
    writer, *others = declared(readers=readers).all("ClusterInstance")
    assert len(others) == readers
    assert writer.inputs["promotionTier"] == 0
    assert all(
        other.inputs["promotionTier"] == 1 and "ClusterInstance database-1" in other.dependencies
        for other in others
    )
    assert not any(i.inputs["publiclyAccessible"] for i in (writer, *others))


def test_the_configured_days_can_be_restored_to(declared: Callable[..., Any]) -> None:
    cluster = declared(backupRetentionDays=21).one("rds/cluster:Cluster").inputs
    assert cluster["backupRetentionPeriod"] == 21
    assert cluster["copyTagsToSnapshot"]


def test_the_log_group_is_there_encrypted_before_the_database_writes_to_it(dev: Any) -> None:
    group, cluster = dev.one("LogGroup", "database").inputs, dev.one("rds/cluster:Cluster")
    assert group["name"] == f"/aws/rds/cluster/{cluster.inputs['clusterIdentifier']}/postgresql"
    assert group["kmsKeyId"].endswith(":logs")
    assert group["retentionInDays"] == 7
    assert cluster.inputs["enabledCloudwatchLogsExports"] == ["postgresql"]
    assert "LogGroup database" in cluster.dependencies


def test_performance_data_is_kept_for_the_configured_days(prod: Any) -> None:
    instances = prod.all("ClusterInstance")
    assert all(i.inputs["performanceInsightsEnabled"] for i in instances)
    assert {i.inputs["performanceInsightsRetentionPeriod"] for i in instances} == {465}


def test_the_secret_of_the_app_holds_the_name_and_password_of_its_role(dev: Any) -> None:
    assert json.loads(dev.one("SecretVersion", "database-app").inputs["secretString"]) == {
        "username": "vanta_app",
        "password": "Generated1database-app",
    }
    assert all(secret.inputs["kmsKeyId"].endswith(":secrets") for secret in dev.all("Secret"))


def test_serverless_instances_grow_between_the_configured_bounds(
    declared: Callable[..., Any], dev: Any
) -> None:
    recorded = declared(capacity="serverless", minCapacityUnits=2, maxCapacityUnits=16)
    assert recorded.one("rds/cluster:Cluster").inputs["serverlessv2ScalingConfiguration"] == {
        "minCapacity": 2,
        "maxCapacity": 16,
    }
    assert {i.inputs["instanceClass"] for i in recorded.all("ClusterInstance")} == {"db.serverless"}
    # There from the start: the cluster can be told, and untold, without being replaced.
    assert dev.one("rds/cluster:Cluster").inputs["serverlessv2ScalingConfiguration"] == {
        "minCapacity": 1,
        "maxCapacity": 4,
    }
    assert "db.serverless" not in {i.inputs["instanceClass"] for i in dev.all("ClusterInstance")}


def test_readers_are_added_while_those_there_are_stay_busy(declared: Callable[..., Any], dev: Any) -> None:
    recorded = declared(readers=2, maxReaders=6)
    target, policy = recorded.one("Target"), recorded.one("Policy").inputs
    assert (target.inputs["minCapacity"], target.inputs["maxCapacity"]) == (2, 6)
    assert target.inputs["resourceId"] == policy["resourceId"] == "cluster:vanta-dev-database"
    assert target.inputs["scalableDimension"] == policy["scalableDimension"] == "rds:cluster:ReadReplicaCount"
    # Scaling that comes first would make the declared readers itself.
    assert {"ClusterInstance database-2", "ClusterInstance database-3"} <= target.dependencies
    tracked = policy["targetTrackingScalingPolicyConfiguration"]
    assert tracked["predefinedMetricSpecification"] == {
        "predefinedMetricType": "RDSReaderAverageCPUUtilization"
    }
    assert not [*dev.all("Target"), *dev.all("Policy")]


@pytest.mark.parametrize(
    ("changes", "given"),
    [
        ({}, {}),
        ({"restoreSnapshot": "before-upgrade"}, {"snapshotIdentifier": "before-upgrade"}),
        (
            {"restoreCluster": "vanta-prod-database"},
            {
                "restoreToPointInTime": {
                    "sourceClusterIdentifier": "vanta-prod-database",
                    "restoreType": "full-copy",
                    "useLatestRestorableTime": True,
                }
            },
        ),
        (
            {"restoreCluster": "vanta-prod-database", "restoreTime": "2026-01-31T13:05:00Z"},
            {
                "restoreToPointInTime": {
                    "sourceClusterIdentifier": "vanta-prod-database",
                    "restoreType": "full-copy",
                    "restoreToTime": "2026-01-31T13:05:00Z",
                }
            },
        ),
    ],
)
def test_a_new_database_begins_from_what_it_is_restored_from(
    declared: Callable[..., Any], changes: dict[str, Any], given: dict[str, Any]
) -> None:
    cluster = declared(**changes).one("rds/cluster:Cluster")
    origins = {"snapshotIdentifier", "restoreToPointInTime"}
    assert {key: value for key, value in cluster.inputs.items() if key in origins} == given
    # A change of either would replace the cluster, and its data with it.
    assert origins <= cluster.ignore_changes
