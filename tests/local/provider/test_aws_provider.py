"""The aws provider judges before it calls anything: nothing listens at the address given here."""

import pytest

from local.provider.aws.provider import AwsProvider, UnsupportedTypeError
from local.provider.aws.table import TABLE
from local.provider.schema import resource_schema

KEY, CLUSTER, BUCKET = "aws:kms/key:Key", "aws:rds/cluster:Cluster", "aws:s3/bucket:Bucket"


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


@pytest.mark.parametrize("token", sorted(TABLE))
def test_each_entry_is_of_a_type_that_the_real_provider_has(token: str) -> None:
    entry = TABLE[token]
    schema = resource_schema("pulumi_aws", token)
    known = schema.inputs.properties.keys() | schema.outputs
    named = {name.split(".")[0] for name in (*entry.names, *entry.outputs, *entry.unsent)}
    assert named <= known
