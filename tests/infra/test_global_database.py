"""A database of two regions: one cluster leads, the other follows with everything it has."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from infra.aws.database import Database, DatabaseArgs
from infra.aws.global_database import Joined
from infra.aws.state_alarms import database_alarms
from infra.names import Names
from infra.refusal import SettingsError
from infra.settings import parse
from infra.settings.database import check_joined
from infra.settings.lifetime import Lifetime

Configuration = Callable[..., dict[str, Any]]

LEADING = {"globalCluster": True, "instanceClass": "db.r8g.large"}
RECOVERY = {"region": "eu-central-1"}
REGISTRY = {"accountSettings": True}
CLUSTER = "rds/cluster:Cluster"
SECRET = "arn:aws:secretsmanager:eu-central-1:111122223333:secret:vanta-prod-database-"
CHANGED_ELSEWHERE = {"engineVersion", "globalClusterIdentifier", "replicationSourceIdentifier"}


@pytest.fixture(scope="module")
def leading(declare: Callable[..., Any]) -> Any:
    """A primary whose database leads a global cluster."""
    return declare("dev", {"database": LEADING, "recovery": RECOVERY, "registry": REGISTRY})


@pytest.fixture(scope="module")
def database(alone: Callable[..., Any], configuration: Configuration) -> Callable[..., Any]:
    """``database(joined, lifetime, changes)``: what a database alone registers."""

    def declare(
        joined: Joined | None = None,
        lifetime: Lifetime = Lifetime.THROWAWAY,
        **changes: Any,
    ) -> Any:
        settings = parse(
            configuration("dev", {"database": changes, "recovery": RECOVERY, "registry": REGISTRY}), "dev"
        ).database
        names = Names(stack="part", owner="us", account_id="111122223333", region="eu-central-1")
        key = "arn:aws:kms:eu-central-1:111122223333:key/"
        return alone(
            lambda: Database(
                "database",
                DatabaseArgs(
                    names=names,
                    settings=settings,
                    lifetime=lifetime,
                    subnet_ids=["subnet-1", "subnet-2"],
                    security_group_id="sg-1",
                    state_key_arn=f"{key}state",
                    secrets_key_arn=f"{key}secrets",
                    logs_key_arn=f"{key}logs",
                    joined=joined,
                ),
            )
        )

    return declare


@pytest.fixture(scope="module")
def following(database: Callable[..., Any]) -> Any:
    """The database of a standby."""
    joined = Joined(
        global_cluster="vanta-prod-database-global",
        source_region="eu-west-1",
        master_secret_arn=f"{SECRET}master",
        app_secret_arn=f"{SECRET}app",
    )
    return database(joined, instanceClass="db.r8g.large", readers=1)


def test_a_global_cluster_forms_around_the_cluster_that_exists(leading: Any) -> None:
    formed, cluster = leading.one("GlobalCluster"), leading.one(CLUSTER).inputs
    assert formed.inputs["sourceDbClusterIdentifier"].endswith(":database")
    assert formed.inputs["globalClusterIdentifier"] == "vanta-dev-database-global"
    assert formed.inputs["engineVersion"] == cluster["engineVersion"]
    # The API refuses them beside a source, whose own they are.
    assert not {"engine", "storageEncrypted", "databaseName"} & formed.inputs.keys()
    # Nobody can follow a cluster that nothing serves.
    assert "ClusterInstance database-1" in formed.dependencies
    assert leading.outputs["globalClusterIdentifier"] == "vanta-dev-database-global"


def test_without_a_global_cluster_nothing_of_it_is_made(dev: Any) -> None:
    assert not dev.all("GlobalCluster")
    assert dev.outputs["globalClusterIdentifier"] == ""


def test_the_master_password_of_a_global_cluster_is_generated_and_travels_as_a_secret(leading: Any) -> None:
    cluster = leading.one(CLUSTER)
    assert not {"manageMasterUserPassword", "masterUserSecretKmsKeyId"} & cluster.inputs.keys()
    assert "masterPassword" in cluster.secrets
    assert json.loads(leading.one("SecretVersion", "database-master").inputs["secretString"]) == {
        "username": cluster.inputs["masterUsername"],
        "password": cluster.inputs["masterPassword"],
    }
    assert leading.outputs["databaseMasterSecretArn"] == leading.outputs["appSecrets"]["database-master"]


def test_a_permanent_global_cluster_is_protected(database: Callable[..., Any]) -> None:
    formed = database(lifetime=Lifetime.PERMANENT, **LEADING).one("GlobalCluster")
    assert formed.inputs["deletionProtection"]
    assert formed.protect
    assert formed.retain_on_delete


def test_a_follower_has_its_data_users_and_passwords_from_the_primary(following: Any) -> None:
    cluster = following.one(CLUSTER).inputs
    assert cluster["globalClusterIdentifier"] == "vanta-prod-database-global"
    assert cluster["sourceRegion"] == "eu-west-1"
    own = {"databaseName", "masterUsername", "masterPassword", "manageMasterUserPassword"}
    assert not own & cluster.keys()
    assert not [*following.all("Secret"), *following.all("GlobalCluster")]


def test_a_follower_is_encrypted_with_the_key_of_its_own_region(following: Any) -> None:
    cluster = following.one(CLUSTER).inputs
    assert cluster["storageEncrypted"]
    assert cluster["kmsKeyId"] == "arn:aws:kms:eu-central-1:111122223333:key/state"


def test_a_follower_is_as_large_as_what_it_may_have_to_replace(following: Any) -> None:
    assert [i.inputs["promotionTier"] for i in following.all("ClusterInstance")] == [0, 1]


def test_a_fail_over_leaves_the_program_nothing_to_undo(leading: Any, following: Any, dev: Any) -> None:
    for recorded in (leading, following):
        assert recorded.one(CLUSTER).ignore_changes >= CHANGED_ELSEWHERE
    assert not dev.one(CLUSTER).ignore_changes & CHANGED_ELSEWHERE


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"database": LEADING},
            (
                "vanta:database.globalCluster is true but vanta:recovery.region is empty: no cluster could join with a "
                "copy of the secrets. Name the region, or set it to false."
            ),
        ),
        (
            {"database": LEADING, "recovery": {"role": "standby", "primaryStack": "prod"}},
            (
                "vanta:database.globalCluster is true but vanta:recovery.role is standby, which joins the global cluster "
                "of its primary. Remove it, and set it on the primary."
            ),
        ),
        (
            {"database": {"globalCluster": True}, "recovery": RECOVERY, "registry": REGISTRY},
            (
                "vanta:database.instanceClass is db.t4g.medium but a global cluster needs instances that are optimised "
                "for memory. Use a class like db.r8g.large."
            ),
        ),
        (
            {
                "database": {"globalCluster": True, "capacity": "serverless"},
                "recovery": RECOVERY,
                "registry": REGISTRY,
            },
            "vanta:database.minCapacityUnits is 1 which is out of range. Use 8 to 256 units in a global cluster.",
        ),
        (
            {
                "database": {**LEADING, "readers": 2, "maxReaders": 15},
                "recovery": RECOVERY,
                "registry": REGISTRY,
            },
            "vanta:database.maxReaders is 15 which is out of range. Use 0 to 14 readers in a global cluster.",
        ),
    ],
)
def test_what_aurora_does_not_make_global_is_refused(
    configuration: Configuration, changes: dict[str, Any], message: str
) -> None:
    with pytest.raises(SettingsError) as refused:
        parse(configuration("dev", changes), "dev")
    assert str(refused.value) == message


@pytest.mark.parametrize(
    ("changes", "key"),
    [
        ({"instanceClass": "db.t4g.medium"}, "instanceClass"),
        ({"maxReaders": 3}, "maxReaders"),
        ({"restoreCluster": "vanta-prod-database"}, "restoreCluster"),
    ],
)
def test_what_cannot_follow_is_refused(
    configuration: Configuration, changes: dict[str, Any], key: str
) -> None:
    standby = {"role": "standby", "primaryStack": "prod"}
    given = configuration(
        "dev", {"database": {"instanceClass": "db.r8g.large", **changes}, "recovery": standby}
    )
    with pytest.raises(SettingsError, match=f"^vanta:database.{key} is "):
        check_joined(parse(given, "dev").database)


def test_serverless_instances_may_lead_and_follow(configuration: Configuration) -> None:
    serverless = {"capacity": "serverless", "minCapacityUnits": 8, "maxCapacityUnits": 16}
    changes = {"database": {"globalCluster": True, **serverless}, "recovery": RECOVERY, "registry": REGISTRY}
    check_joined(parse(configuration("dev", changes), "dev").database)


def test_the_distance_to_the_leading_region_is_watched_where_it_is_measured() -> None:
    (distance,) = [
        alarm
        for alarm in database_alarms("vanta-dr-database", 16, readers=True, joined=True)
        if alarm.metric == "AuroraGlobalDBReplicationLag"
    ]
    assert distance.dimensions == {"DBClusterIdentifier": "vanta-dr-database"}
    assert distance.threshold == 10_000
    leading = database_alarms("vanta-dr-database", 16, readers=True)
    assert distance.noun not in {alarm.noun for alarm in leading}
