"""The command on an account: what it makes, that it makes it once, what it mends, and what it refuses."""

import json
from collections.abc import Callable
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

ACCOUNT = "111122223333"
REGIONS = ("eu-west-1", "eu-central-1")
WRITES = ("Create", "Put", "Delete", "Update", "Attach", "Detach", "Enable", "Replicate", "Add", "Tag")


@pytest.fixture(scope="module", autouse=True)
def made(cloud: None, run: Callable[..., Any]) -> Any:  # noqa: ARG001  # the account has to be there
    """The account after a first run."""
    return run()


def s3(region: str) -> Any:
    return boto3.client("s3", region_name=region)


def kms(region: str) -> Any:
    return boto3.client("kms", region_name=region)


def state_bucket(region: str) -> str:
    return f"vanta-state-{ACCOUNT}-{region}"


def changes(run: Callable[..., Any], *flags: str) -> list[str]:
    """What a run changed; the double forgets two members of a replication, so that its repetition shows here and not in AWS."""
    ran = run("--json", *flags)
    assert ran.code == 0, ran.err
    return [change for change in json.loads(ran.out)["changes"] if not change.endswith("mend replication")]


@pytest.fixture
def called(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The operations that are called from here on."""
    import botocore.client

    operations: list[str] = []
    real = botocore.client.BaseClient._make_api_call  # noqa: SLF001  # every call goes through it, whatever the client

    def record(self: Any, operation: str, arguments: dict[str, Any]) -> Any:
        operations.append(operation)
        return real(self, operation, arguments)

    monkeypatch.setattr(botocore.client.BaseClient, "_make_api_call", record)
    return operations


def test_one_key_serves_both_regions_under_one_name() -> None:
    keys = [kms(region).describe_key(KeyId="alias/vanta-state")["KeyMetadata"] for region in REGIONS]
    assert len({key["KeyId"] for key in keys}) == 1
    assert kms(REGIONS[0]).get_key_rotation_status(KeyId=keys[0]["KeyId"])["KeyRotationEnabled"]


@pytest.mark.parametrize("region", REGIONS)
def test_a_state_bucket_is_private_versioned_and_encrypted_by_its_regions_key(region: str) -> None:
    client, bucket = s3(region), state_bucket(region)
    assert client.get_bucket_versioning(Bucket=bucket)["Status"] == "Enabled"
    assert set(client.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"].values()) == {
        True
    }
    owned = client.get_bucket_ownership_controls(Bucket=bucket)["OwnershipControls"]["Rules"]
    assert owned == [{"ObjectOwnership": "BucketOwnerEnforced"}]
    (rule,) = client.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]["Rules"]
    key = kms(region).describe_key(KeyId="alias/vanta-state")["KeyMetadata"]["Arn"]
    assert rule["ApplyServerSideEncryptionByDefault"] == {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key}


@pytest.mark.parametrize("region", REGIONS)
def test_old_versions_of_the_state_are_kept_for_400_days(region: str) -> None:
    (rule,) = s3(region).get_bucket_lifecycle_configuration(Bucket=state_bucket(region))["Rules"]
    assert rule["NoncurrentVersionExpiration"] == {"NoncurrentDays": 400}
    assert "Days" not in rule["Expiration"]


@pytest.mark.parametrize("region", REGIONS)
def test_requests_to_the_state_are_written_down_in_another_bucket(region: str) -> None:
    logging = s3(region).get_bucket_logging(Bucket=state_bucket(region))["LoggingEnabled"]
    assert logging["TargetBucket"] == f"vanta-state-logs-{ACCOUNT}-{region}"


@pytest.mark.parametrize(("source", "target"), [REGIONS, REGIONS[::-1]])
def test_each_region_copies_to_the_other_and_encrypts_with_the_others_key(source: str, target: str) -> None:
    answer = s3(source).get_bucket_replication(Bucket=state_bucket(source))["ReplicationConfiguration"]
    (rule,) = answer["Rules"]
    assert rule["Destination"]["Bucket"] == f"arn:aws:s3:::{state_bucket(target)}"
    key = kms(target).describe_key(KeyId="alias/vanta-state")["KeyMetadata"]["Arn"]
    assert rule["Destination"]["EncryptionConfiguration"] == {"ReplicaKmsKeyID": key}


def test_a_session_of_a_deployment_lasts_two_hours() -> None:
    role = boto3.client("iam").get_role(RoleName="vanta-dev-deploy")["Role"]
    assert role["MaxSessionDuration"] == 7200


def test_a_second_run_changes_nothing(run: Callable[..., Any], called: list[str]) -> None:
    assert changes(run) == []
    assert [name for name in called if name.startswith(WRITES)] == ["PutBucketReplication"] * 2


def test_a_dry_run_writes_nothing_even_where_there_is_nothing(
    run: Callable[..., Any], called: list[str]
) -> None:
    ran = run("--dry-run", stacks="dev,other")
    assert ran.code == 0
    assert "would make the role" in ran.out
    assert [name for name in called if name.startswith(WRITES)] == []


def test_what_somebody_changed_by_hand_is_mended(run: Callable[..., Any]) -> None:
    region, bucket = REGIONS[0], state_bucket(REGIONS[0])
    client, iam = s3(region), boto3.client("iam")
    client.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Suspended"})
    client.delete_public_access_block(Bucket=bucket)
    client.delete_bucket_policy(Bucket=bucket)
    client.delete_bucket_lifecycle(Bucket=bucket)
    open_to_all = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "sts:AssumeRole"}],
    }
    iam.update_assume_role_policy(RoleName="vanta-dev-deploy", PolicyDocument=json.dumps(open_to_all))
    everything = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
    theirs = iam.create_policy(PolicyName="theirs", PolicyDocument=json.dumps(everything))["Policy"]["Arn"]
    iam.attach_role_policy(RoleName="vanta-dev-preview", PolicyArn=theirs)
    iam.put_role_policy(
        RoleName="vanta-dev-preview", PolicyName="more", PolicyDocument=json.dumps(everything)
    )
    iam.create_policy_version(
        PolicyArn=f"arn:aws:iam::{ACCOUNT}:policy/vanta-dev-boundary",
        PolicyDocument=json.dumps(everything),
        SetAsDefault=True,
    )
    key = kms(region).describe_key(KeyId="alias/vanta-state")["KeyMetadata"]["KeyId"]
    kms(region).disable_key_rotation(KeyId=key)

    assert sorted(change.partition(": ")[2] for change in changes(run)) == sorted(
        [
            "set yearly rotation",
            "set the public access block",
            "set the bucket policy",
            "mend versioning",
            "set the lifecycle",
            "mend who may take it",
            "mend the policy vanta-dev-boundary",
            "detach theirs",
            "remove its own policy more",
        ]
    )
    assert changes(run) == []


def test_a_policy_is_renewed_even_when_iam_keeps_no_more_versions_of_it(run: Callable[..., Any]) -> None:
    iam, arn = boto3.client("iam"), f"arn:aws:iam::{ACCOUNT}:policy/vanta-dev-boundary"
    for number in range(6):
        text = {
            "Version": "2012-10-17",
            "Statement": [{"Effect": "Deny", "Action": f"s3:Get{number}", "Resource": "*"}],
        }
        versions = iam.list_policy_versions(PolicyArn=arn)["Versions"]
        if len(versions) < 5:
            iam.create_policy_version(PolicyArn=arn, PolicyDocument=json.dumps(text), SetAsDefault=True)
    assert len(iam.list_policy_versions(PolicyArn=arn)["Versions"]) == 5
    assert changes(run) == ["boundary vanta-dev-boundary: mend the policy vanta-dev-boundary"]


def test_a_provider_that_others_use_keeps_their_audience_and_gets_ours(
    run: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    # No double knows the call, so that its answer is played here.
    import botocore.client

    real = botocore.client.BaseClient._make_api_call  # noqa: SLF001  # as above
    added: list[dict[str, Any]] = []

    def answer(self: Any, name: str, arguments: dict[str, Any]) -> Any:
        if name == "GetOpenIDConnectProvider":
            return {"ClientIDList": ["theirs"]}
        if name == "AddClientIDToOpenIDConnectProvider":
            return added.append(arguments)
        return real(self, name, arguments)

    monkeypatch.setattr(botocore.client.BaseClient, "_make_api_call", answer)
    assert len(changes(run)) == 1
    arn = f"arn:aws:iam::{ACCOUNT}:oidc-provider/token.actions.githubusercontent.com"
    assert added == [{"OpenIDConnectProviderArn": arn, "ClientID": "sts.amazonaws.com"}]


def test_the_summary_has_the_commands_that_come_next(made: Any) -> None:
    lines = [line.strip() for line in made.out.splitlines()]
    for region in REGIONS:
        assert f"pulumi login 's3://{state_bucket(region)}?region={region}'" in lines
    assert "pulumi stack init dev --secrets-provider 'awskms://alias/vanta-state?context_stack=dev'" in lines
    role = f"arn:aws:iam::{ACCOUNT}:role"
    assert f"gh variable set AWS_ROLE_ARN --env dev-preview --body {role}/vanta-dev-preview" in lines
    assert f"gh variable set AWS_ROLE_ARN --env dev --body {role}/vanta-dev-deploy" in lines


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"replica_region": "eu-west-1"}, "--replica-region is eu-west-1, the same as --region"),
        ({"region": "europe"}, "--region is europe, which is no AWS region"),
        ({"repository": "vanta"}, "--repository is vanta, which is not owner/name"),
        ({"repository": "example/*"}, "--repository is example/*, which is not owner/name"),
        ({"stacks": "dev,dev"}, "--stacks is empty or names one twice"),
        ({"stacks": "Dev"}, "--stacks has Dev: use lower-case letters"),
        ({"stacks": "state"}, "--stacks has state, which the bootstrap uses for its own resources"),
        (
            {"account": "999999999999"},
            f"These credentials are account {ACCOUNT}'s, but --account is 999999999999",
        ),
    ],
)
def test_what_cannot_be_meant_is_refused_before_anything_is_made(
    run: Callable[..., Any], called: list[str], given: dict[str, str], said: str
) -> None:
    ran = run(**given)
    assert ran.code == 1
    assert said in ran.err
    assert set(called) <= {"GetCallerIdentity"}


def refused(code: str, operation: str) -> Callable[..., Any]:
    """AWS answering one operation with an error, and every other one as it would."""
    import botocore.client

    real = botocore.client.BaseClient._make_api_call  # noqa: SLF001  # as above

    def answer(self: Any, name: str, arguments: dict[str, Any]) -> Any:
        if name == operation:
            raise ClientError({"Error": {"Code": code, "Message": "no."}}, name)
        return real(self, name, arguments)

    return answer


@pytest.mark.parametrize(
    ("code", "operation", "said"),
    [
        ("403", "HeadBucket", f"is not account {ACCOUNT}'s, or these credentials may not see it"),
        ("AccessDenied", "GetRole", "these credentials may not call GetRole. Take an administrator's role"),
        ("ExpiredToken", "DescribeKey", "the credentials are expired or unknown. Sign in again"),
        ("Throttling", "GetPolicy", "AWS refused GetPolicy with Throttling: no. Mend that"),
    ],
)
def test_a_refusal_of_aws_is_told_in_a_sentence_with_a_remedy(
    run: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, code: str, operation: str, said: str
) -> None:
    monkeypatch.setattr("botocore.client.BaseClient._make_api_call", refused(code, operation))
    ran = run()
    assert ran.code == 1
    assert said in ran.err
    assert "Traceback" not in ran.err


def test_a_bucket_in_a_strangers_hands_is_not_used(
    run: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "botocore.client.BaseClient._make_api_call", refused("BucketAlreadyExists", "CreateBucket")
    )
    ran = run(region="eu-west-2")
    assert ran.code == 1
    assert f"is not account {ACCOUNT}'s" in ran.err


def test_a_key_that_waits_for_its_deletion_is_refused(run: Callable[..., Any]) -> None:
    region = "us-east-1"
    key = kms(region).create_key(MultiRegion=True)["KeyMetadata"]["KeyId"]
    kms(region).create_alias(AliasName="alias/vanta-state", TargetKeyId=key)
    kms(region).schedule_key_deletion(KeyId=key, PendingWindowInDays=7)
    ran = run(region=region)
    assert ran.code == 1
    assert f"names {key}, which is PendingDeletion" in ran.err


def test_a_key_of_one_region_alone_is_refused(run: Callable[..., Any]) -> None:
    region = "us-west-2"
    key = kms(region).create_key()["KeyMetadata"]["KeyId"]
    kms(region).create_alias(AliasName="alias/vanta-state", TargetKeyId=key)
    ran = run(region=region)
    assert ran.code == 1
    assert "is no multi-Region key" in ran.err


def test_two_keys_under_the_one_name_are_refused(run: Callable[..., Any]) -> None:
    for region in ("ap-south-1", "ap-south-2"):
        key = kms(region).create_key(MultiRegion=True)["KeyMetadata"]["KeyId"]
        kms(region).create_alias(AliasName="alias/vanta-state", TargetKeyId=key)
    ran = run(region="ap-south-1", replica_region="ap-south-2")
    assert ran.code == 1
    assert "names one key in ap-south-1 and another in ap-south-2" in ran.err
