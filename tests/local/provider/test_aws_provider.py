"""The aws provider judges before it calls anything: nothing listens at the address given here.

A restore is asked of the emulator, for its refusal, and a cache, for how many nodes it has.
"""

from typing import Any

import boto3
import botocore.session
import pytest

from local.aws.emulator import ACCOUNT, Aws
from local.provider.aws.api import Api, CallError
from local.provider.aws.parameters import creator, parameters
from local.provider.aws.provider import AwsProvider, UnsupportedTypeError
from local.provider.aws.table import TABLE
from local.provider.schema import resource_schema

KEY, CLUSTER, BUCKET = "aws:kms/key:Key", "aws:rds/cluster:Cluster", "aws:s3/bucket:Bucket"
CACHE = "aws:elasticache/replicationGroup:ReplicationGroup"


@pytest.fixture(scope="module")
def provider() -> AwsProvider:
    return AwsProvider("http://127.0.0.1:1", "000000000000")


def test_a_type_that_is_not_in_the_table_is_refused_by_name(provider: AwsProvider) -> None:
    with pytest.raises(UnsupportedTypeError, match="aws:sqs/queue:Queue"):
        provider.check("aws:sqs/queue:Queue", {})


def test_a_function_that_is_not_implemented_is_refused_by_name(provider: AwsProvider) -> None:
    with pytest.raises(UnsupportedTypeError, match="aws:ec2/getAmi:getAmi"):
        provider.invoke("aws:ec2/getAmi:getAmi", {})


def test_an_argument_that_the_real_provider_does_not_know_is_refused_by_name(provider: AwsProvider) -> None:
    assert [f.property for f in provider.check(BUCKET, {"bucket": "b", "bukcet": "b"})] == ["bukcet"]


def test_an_argument_of_the_wrong_type_is_refused_by_name(provider: AwsProvider) -> None:
    (failure,) = provider.check(KEY, {"deletionWindowInDays": "seven"})
    assert (failure.property, failure.reason) == ("deletionWindowInDays", "must be an integer, not a string")


def test_an_argument_that_no_call_of_the_table_takes_is_refused_rather_than_ignored(
    provider: AwsProvider,
) -> None:
    (failure,) = provider.check(BUCKET, {"bucket": "b", "accelerationStatus": "Enabled"})
    assert failure.property == "accelerationStatus"
    assert "not implemented" in failure.reason


def test_a_value_that_the_service_model_does_not_allow_is_refused(provider: AwsProvider) -> None:
    (failure,) = provider.check(KEY, {"keyUsage": "PAPERWEIGHT"})
    assert "'PAPERWEIGHT'; AWS knows" in failure.reason


def test_only_what_no_call_can_change_means_a_replacement(provider: AwsProvider) -> None:
    inputs = {
        "clusterIdentifier": "c",
        "engine": "aurora-postgresql",
        "backupRetentionPeriod": 7,
        "kmsKeyId": "k",
    }
    changed = {"backupRetentionPeriod", "kmsKeyId", "tags", "skipFinalSnapshot"}
    assert provider.replaces(CLUSTER, changed, inputs | {"skipFinalSnapshot": True}) == {"kmsKeyId"}


RESTORED = {
    "clusterIdentifier": "restored",
    "engine": "aurora-postgresql",
    "engineVersion": "17.5",
    "databaseName": "vanta",
    "masterUsername": "vanta_master",
    "manageMasterUserPassword": True,
    "storageEncrypted": True,
    "region": "eu-west-1",
}
SOURCES = [
    ({"snapshotIdentifier": "before"}, "restore_db_cluster_from_snapshot"),
    (
        {
            "restoreToPointInTime": {
                "sourceClusterIdentifier": "lost",
                "restoreType": "full-copy",
                "restoreToTime": "2026-01-01T00:00:00Z",
            }
        },
        "restore_db_cluster_to_point_in_time",
    ),
]


@pytest.mark.parametrize(("source", "operation"), SOURCES)
def test_a_restore_can_be_previewed_and_is_refused_where_its_source_is_missing(
    aws: Aws, source: dict[str, Any], operation: str
) -> None:
    provider = AwsProvider(aws.endpoint, ACCOUNT)
    assert provider.check(CLUSTER, {**RESTORED, **source}) == []
    with pytest.raises(CallError, match=rf"{operation}: DBCluster(Snapshot)?NotFoundFault"):
        provider.create(CLUSTER, {**RESTORED, **source})


def test_a_restore_sends_source_and_moment_and_leaves_out_what_the_source_settles() -> None:
    inputs = {**RESTORED, **SOURCES[1][0]}
    entry = TABLE[CLUSTER]
    assert parameters(entry, creator(entry, inputs), inputs, inputs) == {
        "DBClusterIdentifier": "restored",
        "SourceDBClusterIdentifier": "lost",
        "RestoreType": "full-copy",
        "RestoreToTime": "2026-01-01T00:00:00Z",
    }


def test_nodes_of_a_cache_come_and_go_without_a_new_one(aws: Aws) -> None:
    provider = AwsProvider(aws.endpoint, ACCOUNT)

    def of(nodes: int) -> dict[str, Any]:
        return {
            "replicationGroupId": "grown",
            "description": "a cache",
            "engine": "valkey",
            "engineVersion": "8.0",
            "nodeType": "cache.r7g.large",
            "numCacheClusters": nodes,
            "automaticFailoverEnabled": nodes > 1,
            "transitEncryptionEnabled": True,
            "region": "eu-west-1",
        }

    assert provider.replaces(CACHE, {"numCacheClusters", "automaticFailoverEnabled"}, of(1)) == set()
    elasticache = boto3.client(
        "elasticache",
        endpoint_url=aws.endpoint,
        region_name="eu-west-1",
        aws_access_key_id=ACCOUNT,
        aws_secret_access_key="local",
    )
    state = provider.create(CACHE, of(1))
    for before, after in ((1, 3), (3, 2), (2, 1)):
        state = provider.update(CACHE, state, of(before), of(after))
        (group,) = elasticache.describe_replication_groups()["ReplicationGroups"]
        assert len(group["NodeGroups"][0]["NodeGroupMembers"]) == after


def test_a_service_model_is_read_once_however_many_resources_there_are(
    provider: AwsProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    provider.check(KEY, {"description": "first"})

    def reading(*_: Any) -> None:
        raise AssertionError("read again")

    monkeypatch.setattr(botocore.session.Session, "get_service_model", reading)
    assert AwsProvider("http://127.0.0.1:1", ACCOUNT).check(KEY, {"description": "second"}) == []


def test_what_is_made_by_one_call_is_read_back_by_one(
    provider: AwsProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def answer(_: Api, *call: Any) -> dict[str, Any]:
        asked.append(call[2])
        return {"DBSubnetGroups": [{"DBSubnetGroupArn": "arn:x", "VpcId": "v"}]}

    monkeypatch.setattr(Api, "call", answer)
    made = provider.create("aws:rds/subnetGroup:SubnetGroup", {"name": "data", "subnetIds": ["a", "b"]})
    assert asked == ["create_db_subnet_group", "describe_db_subnet_groups"]
    assert (made.id, made.properties["arn"], made.properties["vpcId"]) == ("data", "arn:x", "v")


@pytest.mark.parametrize("token", sorted(TABLE))
def test_each_entry_is_of_a_type_that_the_real_provider_has(token: str) -> None:
    entry = TABLE[token]
    schema = resource_schema("pulumi_aws", token)
    known = schema.inputs.properties.keys() | schema.outputs
    named = {name.split(".")[0] for name in (*entry.names, *entry.outputs, *entry.unsent)}
    assert named <= known
