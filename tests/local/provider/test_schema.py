"""The provider refuses what the real provider's schema does not know."""

import pytest

from local.provider.schema import UnknownTypeError, problems, resource_schema
from local.provider.values import UNKNOWN, Properties

VERSIONING = "aws:s3/bucketVersioning:BucketVersioning"
LIFECYCLE = "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration"


def reasons(token: str, inputs: Properties) -> dict[str, str]:
    return dict(problems(inputs, resource_schema("pulumi_aws", token).inputs))


def test_a_type_that_the_sdk_does_not_have_is_refused_by_name() -> None:
    with pytest.raises(UnknownTypeError, match="aws:s3/nothing:Nothing is not a resource type of pulumi_aws"):
        resource_schema("pulumi_aws", "aws:s3/nothing:Nothing")


def test_an_unknown_argument_is_named_with_the_known_ones() -> None:
    found = reasons("aws:kms/key:Key", {"descripton": "a typo"})
    assert list(found) == ["descripton"]
    assert "description" in found["descripton"]


def test_a_missing_required_argument_is_named() -> None:
    assert reasons("aws:rds/cluster:Cluster", {}) == {"engine": "is required"}


def test_a_wrong_type_is_named_with_its_path() -> None:
    rules = [
        {"id": "hot", "status": "Enabled", "transitions": [{"days": "thirty", "storageClass": "GLACIER"}]}
    ]
    assert reasons(LIFECYCLE, {"bucket": "b", "rules": rules}) == {
        "rules[0].transitions[0].days": "must be an integer, not a string"
    }


def test_an_unknown_nested_argument_is_named_with_its_path() -> None:
    found = reasons(VERSIONING, {"bucket": "b", "versioningConfiguration": {"status": "Enabled", "mfa": "x"}})
    assert list(found) == ["versioningConfiguration.mfa"]


def test_a_boolean_is_no_integer_and_an_integer_no_boolean() -> None:
    assert reasons("aws:kms/key:Key", {"deletionWindowInDays": True, "enableKeyRotation": 1}) == {
        "deletionWindowInDays": "must be an integer, not a boolean",
        "enableKeyRotation": "must be a boolean, not an integer",
    }


def test_a_value_that_only_an_update_will_know_fits_everywhere() -> None:
    assert reasons(VERSIONING, {"bucket": UNKNOWN, "versioningConfiguration": UNKNOWN}) == {}


def test_a_resource_whose_inputs_share_their_name_with_an_object_type_uses_its_own() -> None:
    assert "versioningConfiguration" in resource_schema("pulumi_aws", VERSIONING).inputs.properties
