"""The copies in the recovery region, made by the real engine: what is written in either region is in both."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import boto3
import pulumi
import pytest

from infra import settings
from infra.aws import place
from infra.aws.archive import Archive, ArchiveArgs
from infra.aws.audit import Audit, AuditArgs
from infra.aws.copies import Copies, CopiesArgs
from infra.aws.credential import Credential, CredentialArgs
from infra.aws.keys import Keys, KeysArgs
from infra.aws.notifications import Notifications, NotificationsArgs
from infra.names import Names
from local.aws.emulator import ACCOUNT, Aws
from local.pulumi.stack import Change, Stack

HERE, THERE = "eu-west-1", "eu-central-1"
CONFIG: Mapping[str, Any] = {"vanta:recovery": {"region": THERE}}


def part() -> None:
    """The rooms of the program that have something to do with copies, as stack ``local`` has them."""
    chosen = settings.load("local")
    here = place.find(zones=1, account=chosen.account)
    names = Names(stack="local", owner=chosen.owner, account_id=here.account_id, region=here.region)
    keys = Keys(
        "keys",
        KeysArgs(
            names=names,
            place=here,
            lifetime=chosen.lifetime,
            deletion_days=chosen.keys.deletion_days,
            rotation_days=chosen.keys.rotation_days,
            recovery_region=chosen.recovery.region,
        ),
    )
    secret = Credential(
        "token",
        CredentialArgs(
            names=names,
            lifetime=chosen.lifetime,
            kms_key_arn=keys.secrets,
            description="A secret with a copy",
            length=32,
            document=lambda password: {"token": password},
            copies=keys.secret_copies,
        ),
    )
    archive = Archive(
        "archive",
        ArchiveArgs(names=names, settings=chosen.archive, lifetime=chosen.lifetime, kms_key_arn=keys.archive),
    )
    audit = Audit(
        "audit",
        AuditArgs(names=names, settings=chosen.audit, lifetime=chosen.lifetime, kms_key_arn=keys.audit),
    )
    topic = Notifications(
        "notifications",
        NotificationsArgs(names=names, account_id=here.account_id, kms_key_arn=keys.notifications, email=""),
    )
    copies = Copies(
        "copies",
        CopiesArgs(
            names=names,
            region=chosen.recovery.region,
            lifetime=chosen.lifetime,
            keys=keys,
            secret_arns={"token": secret.arn},
            archive=archive,
            archive_settings=chosen.archive,
            audit=audit,
            audit_settings=chosen.audit,
            topic_arn=topic.topic_arn,
            email="",
            alarms=True,
        ),
    )
    pulumi.export("archive", {HERE: archive.name, THERE: copies.archive.name})
    pulumi.export("audit", {HERE: audit.name, THERE: copies.audit.name})
    pulumi.export("keys", {HERE: keys.archive, THERE: copies.key_arns["archive"]})
    pulumi.export("secrets", {HERE: secret.arn, THERE: copies.secret_arns["token"]})


@pytest.fixture(scope="module")
def stack(engine: Path, module_aws: Aws, tmp_path_factory: pytest.TempPathFactory) -> Callable[[], Stack]:
    """The part of the program above, as a stack."""
    folder = tmp_path_factory.mktemp("copies")
    return lambda: Stack(
        "local", folder=folder, engine=engine, endpoint=module_aws.endpoint, config=CONFIG, declare=part
    )


@pytest.fixture(scope="module")
def deployed(stack: Callable[[], Stack]) -> Change:
    """That stack, brought up once for the module."""
    return stack().up()


@pytest.fixture
def client(module_aws: Aws) -> Callable[[str, str], Any]:
    """boto3 clients by service and region."""
    return lambda service, region: boto3.client(
        service,
        region_name=region,
        endpoint_url=module_aws.endpoint,
        aws_access_key_id=ACCOUNT,
        aws_secret_access_key="local",
    )


@pytest.mark.parametrize(("written", "other"), [(HERE, THERE), (THERE, HERE)])
def test_what_is_written_in_one_region_is_in_the_other_under_the_key_of_that_region(
    deployed: Change, client: Callable[[str, str], Any], written: str, other: str
) -> None:
    buckets, keys = deployed.outputs["archive"], deployed.outputs["keys"]
    client("s3", written).put_object(
        Bucket=buckets[written], Key=f"from/{written}", Body=b"history", Tagging="tenant=acme"
    )
    reader = client("s3", other)
    found = reader.get_object(Bucket=buckets[other], Key=f"from/{written}")
    assert found["Body"].read() == b"history"
    assert found["ReplicationStatus"] == "REPLICA"
    assert found["SSEKMSKeyId"] == keys[other]
    assert keys[other].split(":")[3] == other
    tags = reader.get_object_tagging(Bucket=buckets[other], Key=f"from/{written}")["TagSet"]
    assert tags == [{"Key": "tenant", "Value": "acme"}]
    original = client("s3", written).head_object(Bucket=buckets[written], Key=f"from/{written}")
    assert (original["ReplicationStatus"], original["SSEKMSKeyId"]) == ("COMPLETED", keys[written])


@pytest.mark.parametrize(("written", "other"), [(HERE, THERE), (THERE, HERE)])
def test_a_copy_of_the_audit_is_locked_as_long_as_its_original(
    deployed: Change, client: Callable[[str, str], Any], written: str, other: str
) -> None:
    buckets, key = deployed.outputs["audit"], f"sealed/{written}"
    client("s3", written).put_object(Bucket=buckets[written], Key=key, Body=b"evidence")
    original = client("s3", written).head_object(Bucket=buckets[written], Key=key)
    reader = client("s3", other)
    copy = reader.head_object(Bucket=buckets[other], Key=key)
    assert copy["ObjectLockMode"] == original["ObjectLockMode"] == "GOVERNANCE"
    assert copy["ObjectLockRetainUntilDate"] == original["ObjectLockRetainUntilDate"]
    with pytest.raises(reader.exceptions.ClientError, match="AccessDenied"):
        reader.delete_object(Bucket=buckets[other], Key=key, VersionId=copy["VersionId"])


def test_a_deletion_hides_in_both_archives_and_in_no_other_audit(
    deployed: Change, client: Callable[[str, str], Any]
) -> None:
    here, there = client("s3", HERE), client("s3", THERE)
    for noun in ("archive", "audit"):
        here.put_object(Bucket=deployed.outputs[noun][HERE], Key="gone", Body=b"x")
        here.delete_object(Bucket=deployed.outputs[noun][HERE], Key="gone")
    archived = there.list_object_versions(Bucket=deployed.outputs["archive"][THERE], Prefix="gone")
    assert len(archived["DeleteMarkers"]) == len(archived["Versions"]) == 1
    kept = there.get_object(Bucket=deployed.outputs["audit"][THERE], Key="gone")
    assert kept["Body"].read() == b"x"


@pytest.mark.usefixtures("deployed")
def test_what_the_application_sealed_in_one_region_opens_in_the_other(
    client: Callable[[str, str], Any],
) -> None:
    alias, tenant = "alias/vanta-local-application", {"tenant": "acme"}
    sealed = client("kms", HERE).encrypt(KeyId=alias, Plaintext=b"open", EncryptionContext=tenant)
    opened = client("kms", THERE).decrypt(
        CiphertextBlob=sealed["CiphertextBlob"], EncryptionContext=tenant, KeyId=alias
    )
    assert opened["Plaintext"] == b"open"


def test_a_secret_can_be_read_in_the_other_region(
    deployed: Change, client: Callable[[str, str], Any]
) -> None:
    arns = deployed.outputs["secrets"]
    original = client("secretsmanager", HERE).get_secret_value(SecretId=arns[HERE])
    copy = client("secretsmanager", THERE).get_secret_value(SecretId=arns[THERE])
    assert copy["ARN"] == arns[THERE] != arns[HERE]
    assert copy["SecretString"] == original["SecretString"]


def test_a_second_preview_finds_nothing_to_do(deployed: Change, stack: Callable[[], Stack]) -> None:
    assert stack().preview().operations == {"same": deployed.operations["create"]}


def test_nothing_is_left_in_either_region(
    deployed: Change, stack: Callable[[], Stack], client: Callable[[str, str], Any]
) -> None:
    assert stack().destroy().operations == {"delete": deployed.operations["create"]}
    for region in (HERE, THERE):
        assert not client("s3", region).list_buckets()["Buckets"]
        assert not client("secretsmanager", region).list_secrets()["SecretList"]
        assert not client("cloudwatch", region).describe_alarms()["MetricAlarms"]
        assert not client("sns", region).list_topics()["Topics"]
