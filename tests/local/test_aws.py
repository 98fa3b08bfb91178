"""The AWS emulator keeps what it answered, whatever kills it, and S3 object lock keeps what it promises."""

import os
import shutil
import signal
import urllib.error
import urllib.request
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.aws.emulator import Aws
from local.home import Home
from local.processes import Processes

from .calls import HERE, client

LOCATION = {"LocationConstraint": HERE}


def code(call: Callable[..., object], **arguments: object) -> str:
    """The AWS error code with which ``call`` is refused."""
    with pytest.raises(ClientError) as refused:
        call(**arguments)
    return refused.value.response["Error"]["Code"]


def kill_and_restart(aws: Aws) -> None:
    process = Processes(aws.home).running("aws")
    assert process is not None
    os.kill(process.pid, signal.SIGKILL)
    aws.start()


@pytest.fixture
def emulator(home: Home) -> Aws:
    """An emulator of the test's own, to be killed."""
    emulator = Aws(home)
    emulator.start()
    return emulator


def test_what_was_answered_survives_kill_9(emulator: Aws) -> None:
    kms, secrets, iam = (client(emulator, service) for service in ("kms", "secretsmanager", "iam"))
    key = kms.create_key()["KeyMetadata"]["KeyId"]
    kms.create_alias(AliasName="alias/state", TargetKeyId=key)
    sealed = kms.encrypt(KeyId=key, Plaintext=b"before")["CiphertextBlob"]
    secret = secrets.create_secret(Name="token", SecretString="kept")["ARN"]
    iam.create_role(RoleName="reader", AssumeRolePolicyDocument="{}")
    kill_and_restart(emulator)
    assert kms.describe_key(KeyId="alias/state")["KeyMetadata"]["KeyId"] == key
    assert kms.decrypt(CiphertextBlob=sealed)["Plaintext"] == b"before"
    assert secrets.get_secret_value(SecretId=secret)["SecretString"] == "kept"
    assert iam.get_role(RoleName="reader")["Role"]["RoleName"] == "reader"


def test_what_was_deleted_stays_deleted_after_kill_9(emulator: Aws) -> None:
    secrets = client(emulator, "secretsmanager")
    secrets.create_secret(Name="token", SecretString="gone")
    secrets.delete_secret(SecretId="token", ForceDeleteWithoutRecovery=True)
    kill_and_restart(emulator)
    assert code(secrets.get_secret_value, SecretId="token") == "ResourceNotFoundException"


def test_a_locked_object_is_locked_after_kill_9(emulator: Aws) -> None:
    s3 = client(emulator, "s3")
    s3.create_bucket(Bucket="audit", ObjectLockEnabledForBucket=True, CreateBucketConfiguration=LOCATION)
    rule = {"DefaultRetention": {"Mode": "COMPLIANCE", "Years": 7}}
    lock = {"ObjectLockEnabled": "Enabled", "Rule": rule}
    s3.put_object_lock_configuration(Bucket="audit", ObjectLockConfiguration=lock)
    first = s3.put_object(Bucket="audit", Key="tile/0", Body=b"first")["VersionId"]
    second = s3.put_object(Bucket="audit", Key="tile/0", Body=b"second")["VersionId"]
    s3.put_object_legal_hold(Bucket="audit", Key="tile/0", VersionId=first, LegalHold={"Status": "ON"})
    until = s3.get_object_retention(Bucket="audit", Key="tile/0", VersionId=second)["Retention"][
        "RetainUntilDate"
    ]
    kill_and_restart(emulator)
    assert s3.get_object_lock_configuration(Bucket="audit")["ObjectLockConfiguration"] == lock
    assert s3.get_bucket_versioning(Bucket="audit")["Status"] == "Enabled"
    for version, body in ((first, b"first"), (second, b"second")):
        assert s3.get_object(Bucket="audit", Key="tile/0", VersionId=version)["Body"].read() == body
        assert code(s3.delete_object, Bucket="audit", Key="tile/0", VersionId=version) == "AccessDenied"
    kept = s3.get_object_retention(Bucket="audit", Key="tile/0", VersionId=second)["Retention"]
    assert kept == {"Mode": "COMPLIANCE", "RetainUntilDate": until}
    hold = s3.get_object_legal_hold(Bucket="audit", Key="tile/0", VersionId=first)["LegalHold"]
    assert hold == {"Status": "ON"}


def test_a_released_legal_hold_stays_released_after_kill_9(emulator: Aws) -> None:
    s3 = client(emulator, "s3")
    s3.create_bucket(Bucket="holds", ObjectLockEnabledForBucket=True, CreateBucketConfiguration=LOCATION)
    version = s3.put_object(Bucket="holds", Key="note", Body=b"text")["VersionId"]
    for status in ("ON", "OFF"):
        s3.put_object_legal_hold(Bucket="holds", Key="note", VersionId=version, LegalHold={"Status": status})
    kill_and_restart(emulator)
    s3.delete_object(Bucket="holds", Key="note", VersionId=version)
    assert code(s3.get_object, Bucket="holds", Key="note", VersionId=version) == "NoSuchVersion"


def test_nothing_is_acknowledged_that_could_not_be_saved(emulator: Aws) -> None:
    state = emulator.home.aws / "state"
    shutil.rmtree(state)
    state.touch()  # no folder: nothing can be written into it
    secrets = client(emulator, "secretsmanager")
    assert code(secrets.create_secret, Name="token", SecretString="lost") == "InternalFailure"


def test_no_secret_is_in_the_log(emulator: Aws) -> None:
    client(emulator, "secretsmanager").create_secret(Name="token", SecretString="do-not-log-me")
    process = Processes(emulator.home).running("aws")
    assert process is not None
    assert "do-not-log-me" not in process.log.read_text()


def test_what_the_emulator_keeps_is_readable_by_its_owner_alone(emulator: Aws) -> None:
    client(emulator, "secretsmanager").create_secret(Name="token", SecretString="kept")
    files = [path for path in emulator.home.aws.rglob("*") if path.is_file()]
    assert files
    assert not [path for path in files if path.stat().st_mode & 0o077]


@pytest.fixture(scope="module")
def locked(aws: Aws) -> tuple[Any, str, str]:
    """A client, a bucket and a version in it that is under COMPLIANCE retention for a day."""
    s3 = client(aws, "s3")
    s3.create_bucket(Bucket="compliance", ObjectLockEnabledForBucket=True, CreateBucketConfiguration=LOCATION)
    put = s3.put_object(
        Bucket="compliance",
        Key="record",
        Body=b"evidence",
        ObjectLockMode="COMPLIANCE",
        ObjectLockRetainUntilDate=datetime.now(UTC) + timedelta(days=1),
    )
    return s3, "compliance", put["VersionId"]


def test_a_locked_version_cannot_be_deleted(locked: tuple[Any, str, str]) -> None:
    s3, bucket, version = locked
    assert code(s3.delete_object, Bucket=bucket, Key="record", VersionId=version) == "AccessDenied"
    assert (
        code(s3.delete_object, Bucket=bucket, Key="record", VersionId=version, BypassGovernanceRetention=True)
        == "AccessDenied"
    )
    several = s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": "record", "VersionId": version}]})
    assert several["Errors"][0]["Code"] == "AccessDenied"
    assert s3.get_object(Bucket=bucket, Key="record", VersionId=version)["Body"].read() == b"evidence"


@pytest.mark.parametrize("mode", ["COMPLIANCE", "GOVERNANCE"])
def test_compliance_retention_cannot_be_shortened_or_weakened(
    locked: tuple[Any, str, str], mode: str
) -> None:
    s3, bucket, version = locked
    sooner = {"Mode": mode, "RetainUntilDate": datetime.now(UTC) + timedelta(hours=1)}
    arguments = {"Bucket": bucket, "Key": "record", "VersionId": version, "Retention": sooner}
    assert code(s3.put_object_retention, **arguments, BypassGovernanceRetention=True) == "AccessDenied"


def test_compliance_retention_can_be_extended(locked: tuple[Any, str, str]) -> None:
    s3, bucket, version = locked
    later = {"Mode": "COMPLIANCE", "RetainUntilDate": datetime.now(UTC) + timedelta(days=2)}
    s3.put_object_retention(Bucket=bucket, Key="record", VersionId=version, Retention=later)


def test_a_plain_delete_hides_a_locked_object_and_keeps_its_version(locked: tuple[Any, str, str]) -> None:
    s3, bucket, version = locked
    marker = s3.delete_object(Bucket=bucket, Key="record")
    assert marker["DeleteMarker"]
    assert s3.get_object(Bucket=bucket, Key="record", VersionId=version)["Body"].read() == b"evidence"
    s3.delete_object(Bucket=bucket, Key="record", VersionId=marker["VersionId"])


def test_a_bucket_with_a_locked_version_cannot_be_deleted(locked: tuple[Any, str, str]) -> None:
    s3, bucket, _ = locked
    assert code(s3.delete_bucket, Bucket=bucket) == "BucketNotEmpty"


def test_versioning_of_a_locked_bucket_cannot_be_suspended(locked: tuple[Any, str, str]) -> None:
    s3, bucket, _ = locked
    suspended = {"Status": "Suspended"}
    assert (
        code(s3.put_bucket_versioning, Bucket=bucket, VersioningConfiguration=suspended)
        == "InvalidBucketState"
    )


def test_whatever_writes_an_object_gives_it_the_lock_of_its_bucket(aws: Aws) -> None:
    s3 = client(aws, "s3")
    s3.create_bucket(Bucket="default", ObjectLockEnabledForBucket=True, CreateBucketConfiguration=LOCATION)
    rule = {"DefaultRetention": {"Mode": "COMPLIANCE", "Days": 1}}
    lock = {"ObjectLockEnabled": "Enabled", "Rule": rule}
    s3.put_object_lock_configuration(Bucket="default", ObjectLockConfiguration=lock)
    s3.put_object(Bucket="default", Key="put", Body=b"text")
    s3.copy_object(Bucket="default", Key="copied", CopySource={"Bucket": "default", "Key": "put"})
    upload = s3.create_multipart_upload(Bucket="default", Key="uploaded")["UploadId"]
    part = s3.upload_part(Bucket="default", Key="uploaded", UploadId=upload, PartNumber=1, Body=b"text")
    s3.complete_multipart_upload(
        Bucket="default",
        Key="uploaded",
        UploadId=upload,
        MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": part["ETag"]}]},
    )
    for key in ("put", "copied", "uploaded"):
        assert s3.get_object_retention(Bucket="default", Key=key)["Retention"]["Mode"] == "COMPLIANCE"


def test_the_command_that_deletes_everything_is_closed(aws: Aws) -> None:
    request = urllib.request.Request(f"{aws.endpoint}/_ministack/reset", method="POST")  # noqa: S310 - our own address
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(request)  # noqa: S310 - our own address
    with refused.value as answer:
        assert answer.code == 404
