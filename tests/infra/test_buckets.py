"""The buckets: private, encrypted, versioned; the archive gets colder, and the audit log cannot be taken away."""

import json
from collections.abc import Callable
from typing import Any

import pytest


def statements(policy: Any) -> dict[str, dict[str, Any]]:
    return {statement["Sid"]: statement for statement in json.loads(policy.inputs["policy"])["Statement"]}


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
