"""Properties become API parameters by the service model, and what it does not allow is refused."""

import re

import boto3
import pytest
from botocore.model import OperationModel

from local.provider.aws.shapes import TranslationError, camel, check, observed, parameters, properties
from local.provider.values import UNKNOWN


def operation(service: str, name: str) -> OperationModel:
    client = boto3.client(service, region_name="eu-west-1", aws_access_key_id="x", aws_secret_access_key="x")
    return client.meta.service_model.operation_model(name)


def test_spellings_meet_by_their_letters() -> None:
    found = parameters(operation("rds", "CreateDBCluster"), {"dbSubnetGroupName": "g", "kmsKeyId": "k"}, {})
    assert found == {"DBSubnetGroupName": "g", "KmsKeyId": "k"}


def test_nested_objects_are_spelled_as_the_api_does() -> None:
    rules = [{"applyServerSideEncryptionByDefault": {"sseAlgorithm": "aws:kms", "kmsMasterKeyId": "k"}}]
    names = {"rules": "ServerSideEncryptionConfiguration.Rules"}
    assert parameters(operation("s3", "PutBucketEncryption"), {"bucket": "b", "rules": rules}, names) == {
        "Bucket": "b",
        "ServerSideEncryptionConfiguration": {
            "Rules": [
                {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": "k"}}
            ]
        },
    }


def test_what_there_is_one_of_may_stand_in_a_list() -> None:
    repository = {"repositoryName": "images", "encryptionConfigurations": [{"encryptionType": "KMS"}]}
    names = {"encryptionConfigurations": "encryptionConfiguration"}
    assert parameters(operation("ecr", "CreateRepository"), repository, names) == {
        "repositoryName": "images",
        "encryptionConfiguration": {"encryptionType": "KMS"},
    }


@pytest.mark.parametrize("encrypted", [True, False])
def test_a_boolean_may_be_spelled_out(encrypted: bool) -> None:
    mapping = [{"ebs": {"encrypted": str(encrypted).lower()}}]
    names = {"blockDeviceMappings": "LaunchTemplateData.BlockDeviceMappings"}
    template = operation("ec2", "CreateLaunchTemplate")
    assert parameters(template, {"blockDeviceMappings": mapping}, names) == {
        "LaunchTemplateData": {"BlockDeviceMappings": [{"Ebs": {"Encrypted": encrypted}}]}
    }


def test_a_number_may_be_written_as_text() -> None:
    names = {"metricTransformation": "metricTransformations[]", "metricTransformation.value": "metricValue"}
    given = {"metricTransformation": {"value": "1", "defaultValue": "0"}}
    assert parameters(operation("logs", "PutMetricFilter"), given, names) == {
        "metricTransformations": [{"metricValue": "1", "defaultValue": 0.0}]
    }


def test_a_map_of_tags_becomes_the_list_that_the_service_wants() -> None:
    assert parameters(operation("kms", "CreateKey"), {"tags": {"layer": "state"}}, {}) == {
        "Tags": [{"TagKey": "layer", "TagValue": "state"}]
    }


def test_a_map_of_dimensions_becomes_a_list_of_names_and_values() -> None:
    found = parameters(operation("cloudwatch", "PutMetricAlarm"), {"dimensions": {"Role": "WRITER"}}, {})
    assert found == {"Dimensions": [{"Name": "Role", "Value": "WRITER"}]}


def test_a_property_without_counterpart_is_left_to_another_call() -> None:
    assert parameters(operation("kms", "CreateKey"), {"enableKeyRotation": True}, {}) == {}


def test_a_nested_property_without_counterpart_is_refused_by_name() -> None:
    names = {"rule": "ObjectLockConfiguration.Rule"}
    rule = {"defaultRetention": {"decades": 1}}
    with pytest.raises(TranslationError, match=r"rule\.defaultRetention\.decades has no counterpart"):
        parameters(operation("s3", "PutObjectLockConfiguration"), {"rule": rule}, names)


def test_a_value_outside_the_enumeration_is_refused_with_the_allowed_ones() -> None:
    names = {"rule": "ObjectLockConfiguration.Rule"}
    rule = {"defaultRetention": {"mode": "GUIDANCE"}}
    with pytest.raises(TranslationError, match="'GUIDANCE'; AWS knows GOVERNANCE, COMPLIANCE"):
        parameters(operation("s3", "PutObjectLockConfiguration"), {"rule": rule}, names)


def test_a_text_that_is_too_long_is_refused_without_being_quoted() -> None:
    with pytest.raises(
        TranslationError, match="secretString has 70000 characters; AWS allows 1 to 65536"
    ) as refusal:
        parameters(
            operation("secretsmanager", "PutSecretValue"),
            {"secretString": "s3cret" * 10000 + "x" * 10000},
            {},
        )
    assert "s3cret" not in str(refusal.value)


def test_what_only_an_update_will_know_is_not_sent() -> None:
    assert parameters(operation("kms", "CreateKey"), {"description": UNKNOWN, "policy": "p"}, {}) == {
        "Policy": "p"
    }


@pytest.mark.parametrize(
    ("api", "pulumi"),
    [("SecretArn", "secretArn"), ("ARN", "arn"), ("KMSKeyId", "kmsKeyId"), ("DBClusterArn", "dbClusterArn")],
)
def test_api_names_are_spelled_as_pulumi_does(api: str, pulumi: str) -> None:
    assert camel(api) == pulumi


def test_an_answer_tells_the_properties_that_are_asked_of_it() -> None:
    answer = {"DBClusterArn": "arn:x", "Port": 5432, "Endpoint": "h", "MasterUserSecret": {"SecretArn": "s"}}
    assert dict(observed(answer, {"arn": "DBClusterArn"}, {"arn", "port", "readerEndpoint"})) == {
        "arn": "arn:x",
        "port": 5432,
    }
    assert properties(answer["MasterUserSecret"]) == {"secretArn": "s"}


@pytest.mark.parametrize(
    ("service", "name", "params", "sentence"),
    [
        ("kms", "CreateKey", {"KeyUsage": "PAPERWEIGHT"}, "KeyUsage is 'PAPERWEIGHT'; AWS knows"),
        ("kms", "CreateKey", {"Tags": [{"TagKey": "k" * 129}]}, "Tags[0].TagKey has 129 characters"),
        ("kms", "EnableKeyRotation", {"RotationPeriodInDays": 9999}, "RotationPeriodInDays is 9999"),
        ("rds", "CreateDBCluster", {"Tags": [{"Key": "k"}]}, None),
        (
            "cloudwatch",
            "PutMetricAlarm",
            {"Dimensions": [{}] * 31},
            "Dimensions has 31 items; AWS allows 0 to 30",
        ),
    ],
)
def test_parameters_are_held_to_enumerations_lengths_and_ranges_however_they_were_made(
    service: str, name: str, params: dict[str, object], sentence: str | None
) -> None:
    shape = operation(service, name).input_shape
    if sentence is None:
        check(params, shape)
    else:
        with pytest.raises(TranslationError, match=re.escape(sentence)):
            check(params, shape)
