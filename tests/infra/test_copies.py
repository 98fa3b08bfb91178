"""What a lost region does not take with it."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from infra.aws.deletion_attempts import pattern
from infra.refusal import SettingsError

HERE, THERE = "eu-west-1", "eu-central-1"
COPIED = {"secrets", "archive", "audit", "notifications", "application", "backup"}
DIRECTIONS = [
    ("archive-out", "archive", "archive-copy"),
    ("archive-back", "archive-copy", "archive"),
    ("audit-out", "audit", "audit-copy"),
    ("audit-back", "audit-copy", "audit"),
]


def statements(resource: Any) -> dict[str, dict[str, Any]]:
    return {each["Sid"]: each for each in json.loads(resource.inputs["policy"])["Statement"]}


def rule(recorded: Any, name: str) -> dict[str, Any]:
    (only,) = recorded.one("BucketReplicationConfig", name).inputs["rules"]
    return only


def region_of(bucket: str) -> str:
    return THERE if bucket.endswith("-copy") else HERE


def physical(bucket: str) -> str:
    return f"vanta-prod-{bucket.removesuffix('-copy')}-111122223333-{region_of(bucket)}"


# keys


def test_each_class_of_data_with_copies_has_its_key_in_the_other_region(prod: Any) -> None:
    replicas = {replica.name.removesuffix("-copy"): replica.inputs for replica in prod.all("ReplicaKey")}
    assert set(replicas) == COPIED
    for noun, replica in replicas.items():
        assert replica["region"] == THERE
        assert replica["primaryKeyArn"] == prod.outputs["keyArns"][noun]
    aliases = {a.inputs["name"] for a in prod.all("Alias") if a.inputs.get("region") == THERE}
    assert aliases == {f"alias/vanta-prod-{noun}" for noun in COPIED}


def test_a_replica_serves_the_same_services_as_its_primary_in_its_own_region(prod: Any) -> None:
    for noun in ("secrets", "archive", "audit"):
        there = json.dumps(statements(prod.one("ReplicaKey", f"{noun}-copy")), sort_keys=True)
        here = statements(prod.one("Key", noun))
        here.pop("CopiedToTheRecoveryRegion")
        assert f".{HERE}.amazonaws.com" not in there
        assert there == json.dumps(here, sort_keys=True).replace(f".{HERE}.", f".{THERE}.")


def test_a_key_can_be_copied_to_the_recovery_region_and_no_other(prod: Any, dev: Any) -> None:
    allowed = {
        key.name: statements(key)["CopiedToTheRecoveryRegion"]
        for key in prod.all("Key")
        if "kms:ReplicateKey" in key.inputs["policy"]
    }
    assert set(allowed) == COPIED
    for statement in allowed.values():
        assert statement["Condition"] == {"StringEquals": {"kms:ReplicaRegion": THERE}}
    assert not [key for key in dev.all("Key") if "Replicate" in key.inputs["policy"]]


@pytest.mark.parametrize("stack", ["dev", "prod"])
def test_copies_can_begin_later_without_replacing_a_key(declare: Callable[..., Any], stack: str) -> None:
    keys = declare(stack).all("Key")
    assert {key.name for key in keys if key.inputs["multiRegion"]} == COPIED & {key.name for key in keys}


# secrets


def test_every_credential_of_the_program_can_be_read_in_the_other_region(prod: Any) -> None:
    key = prod.outputs["recovery"]["keyArns"]["secrets"]
    secrets = prod.all("Secret")
    assert len(secrets) >= 2
    for secret in secrets:
        assert secret.inputs["replicas"] == [{"region": THERE, "kmsKeyId": key}], secret.name


# buckets


@pytest.mark.parametrize("bucket", ["archive", "audit", "audit-logs"])
def test_a_bucket_in_the_other_region_is_kept_as_its_original_is(prod: Any, bucket: str) -> None:
    def shapes(label: str) -> dict[str, Any]:
        text = json.dumps({r.type: r.inputs for r in prod.resources if r.name == label and "s3/" in r.type})
        # What has to differ: where it is, and what is called after that.
        for copy, original in (("-copy", ""), (THERE, HERE)):
            text = text.replace(copy, original)
        return json.loads(text)

    assert shapes(f"{bucket}-copy") == shapes(bucket)
    assert prod.one("Bucket", f"{bucket}-copy").inputs["bucket"] == physical(f"{bucket}-copy")
    assert len(shapes(bucket)) >= 7


def test_the_audit_copy_is_locked_before_anything_is_copied_into_it(prod: Any) -> None:
    for direction in ("audit-out", "audit-back"):
        assert {
            "BucketObjectLockConfiguration audit",
            "BucketObjectLockConfiguration audit-copy",
        } <= prod.one("BucketReplicationConfig", direction).dependencies


@pytest.mark.parametrize(("name", "source", "destination"), DIRECTIONS)
def test_whatever_is_written_to_either_bucket_is_in_the_other_in_a_quarter_of_an_hour(
    prod: Any, name: str, source: str, destination: str
) -> None:
    config = prod.one("BucketReplicationConfig", name)
    only = rule(prod, name)
    assert (config.inputs["bucket"], config.inputs["region"]) == (physical(source), region_of(source))
    assert (only["status"], only["filter"]) == ("Enabled", {"prefix": ""})
    target = only["destination"]
    assert target["bucket"].endswith(f":{destination}")
    assert target["replicationTime"] == {"status": "Enabled", "time": {"minutes": 15}}
    assert target["metrics"] == {"status": "Enabled", "eventThreshold": {"minutes": 15}}
    # S3 refuses replication between buckets that keep no versions.
    versioned = {f"BucketVersioning {source}", f"BucketVersioning {destination}"}
    assert versioned | {f"RolePolicy {name}"} <= config.dependencies


@pytest.mark.parametrize(("name", "source", "destination"), DIRECTIONS)
def test_a_copy_is_encrypted_with_the_key_of_its_own_region(
    prod: Any, name: str, source: str, destination: str
) -> None:
    only = rule(prod, name)
    assert only["sourceSelectionCriteria"]["sseKmsEncryptedObjects"] == {"status": "Enabled"}
    key = only["destination"]["encryptionConfiguration"]["replicaKmsKeyId"]
    assert key.split(":")[3] == region_of(destination) != region_of(source)
    # What asks for another key is refused by the bucket itself.
    allowed = statements(prod.one("BucketPolicy", destination))["NoOtherKey"]["Condition"]["StringNotEquals"]
    assert set(allowed.values()) == {key}


def test_a_deletion_is_copied_between_archives_and_never_between_audit_buckets(prod: Any) -> None:
    copied = {name: rule(prod, name)["deleteMarkerReplication"]["status"] for name, *_ in DIRECTIONS}
    assert copied == {
        "archive-out": "Enabled",
        "archive-back": "Enabled",
        "audit-out": "Disabled",
        "audit-back": "Disabled",
    }
    for bucket in ("audit", "audit-copy"):
        assert (
            "s3:ReplicateDelete" in statements(prod.one("BucketPolicy", bucket))["NothingIsDeleted"]["Action"]
        )


def test_a_lock_that_is_prolonged_on_a_copy_is_prolonged_on_its_original(prod: Any) -> None:
    for name, *_ in DIRECTIONS:
        assert rule(prod, name)["sourceSelectionCriteria"]["replicaModifications"] == {"status": "Enabled"}


def test_the_lock_of_a_copy_is_not_measured_from_the_day_of_copying(prod: Any) -> None:
    """A copy has the lock of its original, some of which has passed: asked for the whole period, it would be refused."""
    for sid, statement in statements(prod.one("BucketPolicy", "audit-copy")).items():
        assert "s3:ReplicateObject" not in statement["Action"], sid


# roles


@pytest.mark.parametrize(("name", "source", "destination"), DIRECTIONS)
def test_the_role_of_a_replication_reads_one_bucket_and_writes_one_other(
    prod: Any, name: str, source: str, destination: str
) -> None:
    own = statements(prod.one("RolePolicy", name))
    locked = source.startswith("audit")
    assert set(own["ReadTheRules"]["Action"]) == {"s3:GetReplicationConfiguration", "s3:ListBucket"}
    assert own["ReadTheRules"]["Resource"].endswith(f":{source}")
    reading = {
        "s3:GetObjectVersionAcl",
        "s3:GetObjectVersionForReplication",
        "s3:GetObjectVersionTagging",
    }
    # S3 copies no locked object whose lock it may not read.
    locks = {"s3:GetObjectRetention", "s3:GetObjectLegalHold"} if locked else set()
    assert set(own["ReadTheOriginals"]["Action"]) == reading | locks
    assert own["ReadTheOriginals"]["Resource"].endswith(f":{source}/*")
    deletions = set() if locked else {"s3:ReplicateDelete"}
    assert set(own["WriteTheCopies"]["Action"]) == {"s3:ReplicateObject", "s3:ReplicateTags"} | deletions
    assert own["WriteTheCopies"]["Resource"].endswith(f":{destination}/*")
    assert len(own) == 5


@pytest.mark.parametrize(("name", "source", "destination"), DIRECTIONS)
def test_the_role_of_a_replication_decrypts_originals_and_encrypts_copies_through_s3_alone(
    prod: Any, name: str, source: str, destination: str
) -> None:
    own = statements(prod.one("RolePolicy", name))
    decrypt, encrypt = own["DecryptTheOriginals"], own["EncryptTheCopies"]
    assert (set(decrypt["Action"]), set(encrypt["Action"])) == (
        {"kms:Decrypt"},
        {"kms:Decrypt", "kms:Encrypt"},
    )
    for statement, bucket in ((decrypt, source), (encrypt, destination)):
        region = region_of(bucket)
        assert statement["Resource"].split(":")[3] == region
        condition = statement["Condition"]
        assert condition["StringEquals"] == {"kms:ViaService": f"s3.{region}.amazonaws.com"}
        contexts = condition["StringLike"]["kms:EncryptionContext:aws:s3:arn"]
        assert [context.split(":")[-1] for context in contexts] == [bucket, f"{bucket}/*"]


def test_only_s3_takes_the_roles_of_replication(prod: Any) -> None:
    for name, *_ in DIRECTIONS:
        (trust,) = json.loads(prod.one("iam/role:Role", name).inputs["assumeRolePolicy"])["Statement"]
        assert trust["Principal"] == {"Service": "s3.amazonaws.com"}


# alarms


def replication_alarms(recorded: Any) -> list[dict[str, Any]]:
    return [a.inputs for a in recorded.all("MetricAlarm") if a.inputs["namespace"] == "AWS/S3"]


def test_late_and_failed_copies_are_watched_in_both_directions(prod: Any) -> None:
    watched = {
        (a["metricName"], a["dimensions"]["SourceBucket"], a["dimensions"]["DestinationBucket"])
        for a in replication_alarms(prod)
    }
    metrics = ("ReplicationLatency", "OperationsPendingReplication", "OperationsFailedReplication")
    assert watched == {(m, physical(s), physical(d)) for m in metrics for _, s, d in DIRECTIONS}
    for alarm in replication_alarms(prod):
        ids = {
            rule(prod, name)["id"]
            for name, s, _ in DIRECTIONS
            if physical(s) == alarm["dimensions"]["SourceBucket"]
        }
        assert {alarm["dimensions"]["RuleId"]} == ids


def test_an_alarm_stands_where_s3_tells_its_metric_and_calls_a_topic_there(prod: Any) -> None:
    for alarm in replication_alarms(prod):
        failed = alarm["metricName"] == "OperationsFailedReplication"
        told = alarm["dimensions"]["SourceBucket" if failed else "DestinationBucket"]
        assert told.endswith(f"-{alarm['region']}")
        (topic,) = alarm["alarmActions"]
        assert topic.split(":")[3] == alarm["region"]


def test_one_object_that_was_not_copied_is_told_within_a_minute_and_lateness_after_the_promise(
    prod: Any,
) -> None:
    for alarm in replication_alarms(prod):
        bound = (alarm["threshold"], alarm["evaluationPeriods"])
        if alarm["metricName"] == "OperationsFailedReplication":
            assert bound == (0, 1)
        if alarm["metricName"] == "ReplicationLatency":
            assert bound == (900, 5)


def test_an_attempt_to_delete_from_the_audit_log_in_either_region_is_told(prod: Any) -> None:
    found = prod.one("LogMetricFilter")
    assert found.inputs["pattern"] == pattern([physical("audit"), physical("audit-copy")])
    assert found.inputs["logGroupName"] == prod.one("LogGroup", "trail").inputs["name"]
    alarm = prod.one("MetricAlarm", "audit-deletion-attempts").inputs
    transformation = found.inputs["metricTransformation"]
    assert (alarm["namespace"], alarm["metricName"]) == (transformation["namespace"], transformation["name"])
    assert (alarm["threshold"], alarm["evaluationPeriods"]) == (0, 1)


# the whole


def test_a_stack_without_a_recovery_region_has_nothing_elsewhere(dev: Any) -> None:
    assert {r.inputs.get("region", HERE) for r in dev.resources} == {HERE}
    assert dev.outputs["recovery"] == {}
    assert not [secret for secret in dev.all("Secret") if secret.inputs["replicas"]]


def test_a_standby_is_told_all_that_it_has_to_find(prod: Any) -> None:
    recovery = prod.outputs["recovery"]
    assert recovery["region"] == THERE
    assert recovery["archiveBucket"] == physical("archive-copy")
    assert recovery["auditBucket"] == physical("audit-copy")
    assert set(recovery["keyArns"]) == COPIED
    copied = {"database-app", "cache", *(("database-master",) if prod.all("GlobalCluster") else ())}
    assert set(recovery["secretArns"]) == copied
    for arn in (
        recovery["notificationTopicArn"],
        *recovery["keyArns"].values(),
        *recovery["secretArns"].values(),
    ):
        assert arn.split(":")[3] == THERE
    for noun, arn in recovery["secretArns"].items():
        assert arn.replace(THERE, HERE) == prod.outputs["appSecrets"][noun]


def test_copies_in_the_region_of_their_originals_are_refused(
    declare: Callable[..., Any], recorded: Any
) -> None:
    with pytest.raises(SettingsError) as refused:
        declare("local", {"recovery": {"region": HERE}}, into=recorded)
    assert str(refused.value) == (
        "vanta:recovery.region is eu-west-1 but the stack stands there itself: the copies would be lost with their "
        "originals. Use another region."
    )
    assert not recorded.resources
