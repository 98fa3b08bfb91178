"""What each room promises."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from infra.aws.keys import CLASSES

# keys


def statements(policy: Any) -> dict[str, dict[str, Any]]:
    return {statement["Sid"]: statement for statement in json.loads(policy.inputs["policy"])["Statement"]}


def test_every_class_of_data_has_a_rotating_key_of_its_own_with_an_alias(dev: Any) -> None:
    classes = {key.name for key in dev.all("Key")}
    # Some classes have data only if the configuration asks for what makes it.
    assert set(CLASSES) <= classes <= {*CLASSES, "registry", "cluster", "backup"}
    assert all(key.inputs["enableKeyRotation"] for key in dev.all("Key"))
    assert {alias.inputs["name"] for alias in dev.all("Alias")} == {f"alias/vanta-dev-{c}" for c in classes}


def test_a_deleted_key_can_be_brought_back_for_the_configured_days(prod: Any) -> None:
    keys = [*prod.all("Key"), *prod.all("ReplicaKey")]
    assert {key.inputs["deletionWindowInDays"] for key in keys} == {30}


def test_an_administrator_of_a_key_cannot_use_it_nor_grant_its_use(dev: Any) -> None:
    using = (
        "kms:Decrypt",
        "kms:Encrypt",
        "kms:GenerateDataKey",
        "kms:ReEncryptFrom",
        "kms:CreateGrant",
        "kms:Sign",
    )
    for key in dev.all("Key"):
        for action in statements(key)["AdministeredThroughIam"]["Action"]:
            assert not [use for use in using if _matches(action, use)], action


def _matches(pattern: str, action: str) -> bool:
    return action.startswith(pattern[:-1]) if pattern.endswith("*") else action == pattern


@pytest.mark.parametrize(
    ("key", "services"),
    [
        ("state", {"rds", "elasticache"}),
        ("secrets", {"secretsmanager", "rds"}),
        ("archive", {"s3"}),
        ("audit", {"s3"}),
    ],
)
def test_a_key_serves_only_requests_through_its_services(dev: Any, key: str, services: set[str]) -> None:
    own = statements(dev.one("Key", key))
    via = sorted(f"{service}.eu-west-1.amazonaws.com" for service in services)
    for sid in ("UsedThroughServices", "GrantsForServices"):
        assert sorted(own[sid]["Condition"]["StringEquals"]["kms:ViaService"]) == via
    assert own["GrantsForServices"]["Condition"]["Bool"] == {"kms:GrantIsForAWSResource": "true"}
    assert set(own) == {"AdministeredThroughIam", "UsedThroughServices", "GrantsForServices"}


def test_log_groups_of_this_account_alone_use_the_key_of_the_logs(dev: Any) -> None:
    condition = statements(dev.one("Key", "logs"))["UsedByCloudWatchLogs"]["Condition"]
    assert condition == {
        "ArnLike": {"kms:EncryptionContext:aws:logs:arn": "arn:aws:logs:eu-west-1:111122223333:log-group:*"}
    }


def test_the_app_decrypts_nothing_without_naming_the_tenant(dev: Any) -> None:
    statement = statements(dev.one("Key", "application"))["UsedByTheApp"]
    assert statement["Condition"] == {"Null": {"kms:EncryptionContext:tenant": "false"}}


# database


def cluster_parameters(recorded: Any) -> dict[str, str]:
    return {p["name"]: p["value"] for p in recorded.one("ClusterParameterGroup").inputs["parameters"]}


def test_the_database_speaks_tls_only(dev: Any) -> None:
    assert cluster_parameters(dev)["rds.force_ssl"] == "1"


def test_slow_statements_are_logged_without_what_tenants_put_into_them(declare: Callable[..., Any]) -> None:
    parameters = cluster_parameters(declare("dev", {"database": {"slowQueryMs": 77}}))
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
def test_the_writer_comes_first_and_the_readers_after_it(declare: Callable[..., Any], readers: int) -> None:
    writer, *others = declare("dev", {"database": {"readers": readers}}).all("ClusterInstance")
    assert len(others) == readers
    assert writer.inputs["promotionTier"] == 0
    assert all(
        other.inputs["promotionTier"] == 1 and "ClusterInstance database-1" in other.dependencies
        for other in others
    )
    assert not any(i.inputs["publiclyAccessible"] for i in (writer, *others))


def test_the_configured_days_can_be_restored_to(declare: Callable[..., Any]) -> None:
    cluster = declare("dev", {"database": {"backupRetentionDays": 21}}).one("rds/cluster:Cluster").inputs
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
    declare: Callable[..., Any], dev: Any
) -> None:
    bounds = {"capacity": "serverless", "minCapacityUnits": 2, "maxCapacityUnits": 16}
    recorded = declare("dev", {"database": bounds})
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


def test_readers_are_added_while_those_there_are_stay_busy(declare: Callable[..., Any], dev: Any) -> None:
    recorded = declare("dev", {"database": {"readers": 2, "maxReaders": 6}})
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
    declare: Callable[..., Any], changes: dict[str, Any], given: dict[str, Any]
) -> None:
    cluster = declare("dev", {"database": changes}).one("rds/cluster:Cluster")
    origins = {"snapshotIdentifier", "restoreToPointInTime"}
    assert {key: value for key, value in cluster.inputs.items() if key in origins} == given
    # A change of either would replace the cluster, and its data with it.
    assert origins <= cluster.ignore_changes


# cache


def test_the_cache_speaks_tls_to_those_who_know_its_token(dev: Any) -> None:
    group = dev.one("ReplicationGroup").inputs
    assert group["transitEncryptionEnabled"]
    assert group["transitEncryptionMode"] == "required"
    assert json.loads(dev.one("SecretVersion", "cache-auth").inputs["secretString"]) == {
        "authToken": group["authToken"]
    }


def test_the_token_has_only_characters_that_elasticache_accepts(dev: Any) -> None:
    token = dev.one("RandomPassword", "cache-auth").inputs
    assert not token["special"]
    assert token["length"] == 64


@pytest.mark.parametrize(("nodes", "fails_over"), [(1, False), (2, True)])
def test_the_cache_fails_over_by_itself_when_it_can(
    declare: Callable[..., Any], nodes: int, fails_over: bool
) -> None:
    group = declare("dev", {"cache": {"nodes": nodes}}).one("ReplicationGroup").inputs
    assert group["automaticFailoverEnabled"] is group["multiAzEnabled"] is fails_over
    assert group["numCacheClusters"] == nodes


def test_a_sharded_cache_has_its_nodes_in_every_shard_and_is_found_by_one_name(
    declare: Callable[..., Any],
) -> None:
    recorded = declare("dev", {"cache": {"shards": 3, "nodes": 2}})
    group = recorded.one("ReplicationGroup").inputs
    assert (group["numNodeGroups"], group["replicasPerNodeGroup"]) == (3, 1)
    assert "numCacheClusters" not in group
    parameters = recorded.one("elasticache/parameterGroup:ParameterGroup").inputs
    assert {"name": "cluster-enabled", "value": "yes"} in parameters["parameters"]
    # Whether a group is sharded cannot be changed while a cache uses it.
    assert parameters["name"] == "vanta-dev-cache-valkey8-sharded"
    assert recorded.outputs["appEnvironment"]["VANTA_CACHE_HOST"] == "cache.configuration.example"
    assert recorded.outputs["cacheReaderEndpoint"] == "cache.configuration.example"


def test_a_sharded_cache_fails_over_even_without_replicas(declare: Callable[..., Any]) -> None:
    """ElastiCache refuses a sharded group that does not; it has no other zone to fail over to."""
    group = declare("dev", {"cache": {"shards": 3, "nodes": 1}}).one("ReplicationGroup").inputs
    assert (group["automaticFailoverEnabled"], group["multiAzEnabled"]) == (True, False)


def test_a_full_cache_drops_what_would_expire_and_keeps_streams(dev: Any) -> None:
    parameters = dev.one("elasticache/parameterGroup:ParameterGroup").inputs["parameters"]
    assert parameters == [{"name": "maxmemory-policy", "value": "volatile-lfu"}]


def test_the_cache_is_encrypted_at_rest(dev: Any) -> None:
    group = dev.one("ReplicationGroup").inputs
    assert group["atRestEncryptionEnabled"]
    assert group["kmsKeyId"].endswith(":state")


# buckets


@pytest.mark.parametrize("bucket", ["archive", "audit", "audit-logs"])
def test_no_bucket_can_be_public_or_read_without_tls(dev: Any, bucket: str) -> None:
    inputs = dev.one("BucketPublicAccessBlock", bucket).inputs
    flags = {k: v for k, v in inputs.items() if k not in ("bucket", "region")}
    assert len(flags) == 4
    assert set(flags.values()) == {True}
    assert dev.one("BucketOwnershipControls", bucket).inputs["rule"] == {
        "objectOwnership": "BucketOwnerEnforced"
    }
    tls = statements(dev.one("BucketPolicy", bucket))["OnlyOverTls"]
    assert (tls["Effect"], tls["Principal"], tls["Action"]) == ("Deny", "*", "s3:*")
    assert tls["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    assert dev.one("BucketVersioning", bucket).inputs["versioningConfiguration"] == {"status": "Enabled"}


@pytest.mark.parametrize("bucket", ["archive", "audit"])
def test_data_is_encrypted_with_the_key_of_its_class_and_no_other(dev: Any, bucket: str) -> None:
    (rule,) = dev.one("BucketServerSideEncryptionConfiguration", bucket).inputs["rules"]
    default = rule["applyServerSideEncryptionByDefault"]
    assert default["sseAlgorithm"] == "aws:kms"
    assert default["kmsMasterKeyId"].endswith(f":{bucket}")
    assert rule["bucketKeyEnabled"]
    own = statements(dev.one("BucketPolicy", bucket))
    for sid in ("NoOtherEncryption", "NoOtherKey", "NoCustomerKey"):
        assert (own[sid]["Effect"], own[sid]["Action"]) == ("Deny", "s3:PutObject")
        # Without this a write that names no encryption, and so gets the right one, would be refused.
        assert set(own[sid]["Condition"]["Null"].values()) == {"false"}


def test_history_gets_colder_as_it_gets_older_and_then_goes(dev: Any) -> None:
    configuration = dev.one("BucketLifecycleConfiguration", "archive").inputs
    tiers, left_overs = configuration["rules"]
    assert tiers["transitions"] == [
        {"days": 30, "storageClass": "STANDARD_IA"},
        {"days": 365, "storageClass": "GLACIER_IR"},
    ]
    assert tiers["expiration"] == {"days": 2557}
    assert tiers["noncurrentVersionExpiration"] == {"noncurrentDays": 30}
    assert left_overs["abortIncompleteMultipartUpload"] == {"daysAfterInitiation": 7}
    assert configuration["transitionDefaultMinimumObjectSize"] == "all_storage_classes_128K"


def test_no_object_has_to_be_restored_before_it_can_be_read(prod: Any) -> None:
    for rule in prod.one("BucketLifecycleConfiguration", "archive").inputs["rules"]:
        assert {t["storageClass"] for t in rule.get("transitions", [])}.isdisjoint(
            {"GLACIER", "DEEP_ARCHIVE"}
        )


@pytest.mark.parametrize(
    ("stack", "retention"),
    [("dev", {"mode": "GOVERNANCE", "days": 1}), ("prod", {"mode": "COMPLIANCE", "years": 7})],
)
def test_audit_objects_are_locked_for_the_configured_time(
    declare: Callable[..., Any], stack: str, retention: dict[str, Any]
) -> None:
    recorded = declare(stack)
    assert recorded.one("Bucket", "audit").inputs["objectLockEnabled"]
    lock = recorded.one("BucketObjectLockConfiguration", "audit")
    assert lock.inputs["rule"] == {"defaultRetention": retention}
    # S3 refuses a lock without versions.
    assert "BucketVersioning audit" in lock.dependencies


def test_nobody_deletes_from_the_audit_bucket_or_gets_around_its_lock(prod: Any) -> None:
    own = statements(prod.one("BucketPolicy", "audit"))
    assert own["NothingIsDeleted"]["Principal"] == "*"
    assert set(own["NothingIsDeleted"]["Action"]) == {
        "s3:DeleteObject",
        "s3:DeleteObjectVersion",
        "s3:ReplicateDelete",
        "s3:BypassGovernanceRetention",
    }
    assert own["NoOtherLock"]["Condition"]["StringNotEquals"] == {"s3:object-lock-mode": "COMPLIANCE"}
    assert own["NoShorterLock"]["Condition"] == {
        "NumericLessThan": {"s3:object-lock-remaining-retention-days": str(7 * 365)}
    }
    assert {s["Effect"] for s in own.values()} == {"Deny"}


@pytest.mark.parametrize("bucket", ["archive", "audit"])
def test_each_access_to_data_is_logged_into_a_bucket_that_s3_can_deliver_to(dev: Any, bucket: str) -> None:
    logging = dev.one("BucketLogging", bucket)
    target = dev.one("Bucket", "audit-logs").inputs
    assert (logging.inputs["bucket"], logging.inputs["targetBucket"]) == (
        dev.one("Bucket", bucket).inputs["bucket"],
        target["bucket"],
    )
    assert logging.inputs["targetPrefix"] == f"{bucket}/"
    # Nothing is delivered into a bucket whose policy does not let it.
    assert "BucketPolicy audit-logs" in logging.dependencies
    assert not target["objectLockEnabled"]
    (rule,) = dev.one("BucketServerSideEncryptionConfiguration", "audit-logs").inputs["rules"]
    assert rule["applyServerSideEncryptionByDefault"] == {"sseAlgorithm": "AES256"}
    delivery = statements(dev.one("BucketPolicy", "audit-logs"))["AccessLogDelivery"]
    assert delivery["Principal"] == {"Service": "logging.s3.amazonaws.com"}
    assert delivery["Condition"] == {
        "StringEquals": {"aws:SourceAccount": "111122223333"},
        "ArnLike": {
            "aws:SourceArn": [f"arn:aws:s3:eu-west-1:111122223333:{b}" for b in ("archive", "audit")]
        },
    }


@pytest.mark.parametrize("bucket", ["archive", "audit"])
def test_each_day_lists_every_version_with_its_lock_and_its_encryption(dev: Any, bucket: str) -> None:
    inventory = dev.one("Inventory", bucket)
    assert inventory.inputs["includedObjectVersions"] == "All"
    assert inventory.inputs["schedule"] == {"frequency": "Daily"}
    assert {"ObjectLockRetainUntilDate", "EncryptionStatus", "ReplicationStatus"} <= {
        *inventory.inputs["optionalFields"]
    }
    assert "BucketPolicy audit-logs" in inventory.dependencies
    delivery = statements(dev.one("BucketPolicy", "audit-logs"))["InventoryDelivery"]
    assert delivery["Principal"] == {"Service": "s3.amazonaws.com"}
    assert delivery["Condition"]["StringEquals"] == {
        "aws:SourceAccount": "111122223333",
        "s3:x-amz-acl": "bucket-owner-full-control",
    }
