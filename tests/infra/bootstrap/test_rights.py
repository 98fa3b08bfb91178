"""What the roles may do: enough for every resource type of the program, and nothing that a security team would refuse."""

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

from infra.bootstrap import rights
from infra.bootstrap.bucket_policies import PROTECTED, state
from infra.bootstrap.plan import Plan, Stack
from infra.bootstrap.services import SERVICES
from local.provider.aws.table import TABLE

ROOT = Path(__file__).resolve().parents[3]
ACCOUNT = "111122223333"
KEY = "mrk-0123456789abcdef0123456789abcdef"
STATE = [f"arn:aws:s3:::vanta-state-{ACCOUNT}-{region}" for region in ("eu-west-1", "eu-central-1")]
KEY_ARN = f"arn:aws:kms:eu-central-1:{ACCOUNT}:key/{KEY}"

Judge = Callable[..., bool]

# A service's prefix in IAM, where boto3 calls it differently.
PREFIXES = {"elbv2": "elasticloadbalancing", "stepfunctions": "states"}
# Where a permission is not called as its operation.
BUDGETS_ACTIONS = {
    "CreateBudget": "ModifyBudget",
    "DeleteBudget": "ModifyBudget",
    "DescribeBudget": "ViewBudget",
    "UpdateBudget": "ModifyBudget",
}
S3_ACTIONS = {
    "HeadBucket": "ListBucket",
    "DeleteBucketEncryption": "PutEncryptionConfiguration",
    "DeleteBucketInventoryConfiguration": "PutInventoryConfiguration",
    "DeleteBucketLifecycle": "PutLifecycleConfiguration",
    "DeleteBucketMetricsConfiguration": "PutMetricsConfiguration",
    "DeleteBucketOwnershipControls": "PutBucketOwnershipControls",
    "DeleteBucketReplication": "PutReplicationConfiguration",
    "DeletePublicAccessBlock": "PutBucketPublicAccessBlock",
    "GetBucketEncryption": "GetEncryptionConfiguration",
    "GetBucketInventoryConfiguration": "GetInventoryConfiguration",
    "GetBucketLifecycleConfiguration": "GetLifecycleConfiguration",
    "GetBucketMetricsConfiguration": "GetMetricsConfiguration",
    "GetBucketReplication": "GetReplicationConfiguration",
    "GetObjectLockConfiguration": "GetBucketObjectLockConfiguration",
    "GetPublicAccessBlock": "GetBucketPublicAccessBlock",
    "PutBucketEncryption": "PutEncryptionConfiguration",
    "PutBucketInventoryConfiguration": "PutInventoryConfiguration",
    "PutBucketLifecycleConfiguration": "PutLifecycleConfiguration",
    "PutBucketMetricsConfiguration": "PutMetricsConfiguration",
    "PutBucketReplication": "PutReplicationConfiguration",
    "PutObjectLockConfiguration": "PutBucketObjectLockConfiguration",
    "PutPublicAccessBlock": "PutBucketPublicAccessBlock",
}


def stack(plan: Plan, name: str) -> Stack:
    (found,) = [each for each in plan.stacks if each.name == name]
    return found


def preview(plan: Plan, name: str) -> list[dict[str, Any]]:
    one = stack(plan, name)
    return [*rights.reads(plan, one), *rights.state_read(plan, one, KEY)]


def deploy(plan: Plan, name: str) -> list[dict[str, Any]]:
    one = stack(plan, name)
    return [
        *preview(plan, name),
        *rights.refusals(plan, one),
        *rights.state_write(plan, one, KEY),
        *rights.changes(plan, one),
    ]


def policies(plan: Plan) -> Iterator[list[dict[str, Any]]]:
    for one in plan.stacks:
        yield preview(plan, one.name)
        yield deploy(plan, one.name)
        yield rights.boundary(plan, one)
    yield rights.replication(plan, KEY)
    yield rights.registry(plan)


def operations() -> dict[str, set[str]]:
    """The IAM actions of every call that the provider's table makes, by resource type."""
    actions: dict[str, set[str]] = {}
    apis: dict[str, dict[str, str]] = {}
    for token, entry in TABLE.items():
        if entry.service not in apis:
            client = boto3.client(
                entry.service, region_name="eu-west-1", aws_access_key_id="x", aws_secret_access_key="x"
            )
            apis[entry.service] = client.meta.method_to_api_mapping
        calls = [call.operation for call in (entry.create, *entry.updates, entry.read, *entry.delete) if call]
        calls += [entry.tagging.add, entry.tagging.remove] if entry.tagging else []
        names = [apis[entry.service][call] for call in calls]
        renamed = {"budgets": BUDGETS_ACTIONS, "s3": S3_ACTIONS}.get(entry.service, {})
        prefix = PREFIXES.get(entry.service, entry.service)
        actions[token] = {f"{prefix}:{renamed.get(name, name)}" for name in names}
    return actions


def test_a_deployment_may_make_every_call_of_every_resource_type(plan: Plan) -> None:
    granted = {
        action.lower()
        for statement in deploy(plan, "prod")
        if statement["Effect"] == "Allow"
        for action in statement["Action"]
    }
    patterns = [re.compile(action.replace("*", ".*")) for action in granted]
    missing = {
        token: lacking
        for token, actions in operations().items()
        if (lacking := {a for a in actions if not any(p.fullmatch(a.lower()) for p in patterns)})
    }
    assert missing == {}, "grant these in infra/bootstrap/services/"


def test_no_service_is_granted_that_the_program_does_not_use() -> None:
    source = "".join(path.read_text() for path in (ROOT / "infra" / "aws").glob("*.py"))
    modules = {
        "appautoscaling": "application-autoscaling",
        "cfg": "config",
        "lambda_": "lambda",
        "lb": "elasticloadbalancing",
        "sfn": "states",
        "vpc": "ec2",
    }
    used = {modules.get(name, name) for name in re.findall(r"\baws\.([a-z0-9_]+)\.[A-Z]", source)}
    # The SDK puts log groups and event rules into its module cloudwatch.
    used |= {
        service
        for service, kind in (("logs", "LogGroup"), ("events", "EventRule"))
        if f"aws.cloudwatch.{kind}(" in source
    }
    # Which scanner a registry asks for decides whether Amazon Inspector is turned on.
    used |= {"inspector2"} if "aws.ecr.RegistryScanningConfiguration(" in source else set()
    used |= {"backup-storage"} if "backup" in used else set()
    assert set(SERVICES) <= used


def test_no_statement_allows_everything_of_a_service_or_everywhere(plan: Plan) -> None:
    boundaries = [rights.boundary(plan, one) for one in plan.stacks]
    for statements in policies(plan):
        for statement in statements:
            assert statement["Sid"]
            if statement["Effect"] == "Allow":
                assert "*" not in statement["Action"]
                if statements not in boundaries:  # a boundary grants nothing
                    assert not [action for action in statement["Action"] if action.endswith(":*")]


def test_every_statement_of_a_policy_has_a_name_of_its_own_that_iam_takes(plan: Plan) -> None:
    for statements in policies(plan):
        names = [statement["Sid"] for statement in statements]
        assert len(names) == len(set(names))
        assert all(re.fullmatch(r"[A-Za-z0-9]+", name) for name in names)


def test_what_changes_where_aws_names_nothing_is_known_by_name(plan: Plan) -> None:
    anywhere = {
        statement["Sid"]
        for statement in rights.changes(plan, stack(plan, "prod"))
        if statement["Resource"] == ["*"]
    }
    assert anywhere == {
        "CertificatesAskedFor",
        "ConfigurationRecorded",
        "ImagesInspected",
        "KeysMade",
        "LogsDelivered",
        "NetworkMade",
        "NodesTried",
        "RegistryConfigured",
        "SubscriptionsEnded",
        "VaultsMounted",
    }


def test_every_grant_says_what_it_is_for_and_is_written_once() -> None:
    grants = [grant for service in SERVICES.values() for grant in (*service.changes, *service.emptying)]
    assert all(grant.need for grant in grants)
    assert len({grant.sid for grant in grants}) == len(grants)


def test_policies_fit_into_iams_limits(plan: Plan) -> None:
    for statements in policies(plan):
        packs = rights.packed(statements)
        assert all(len(pack) <= rights.POLICY_LENGTH for pack in packs)
        assert len(packs) <= 10  # policies that a role takes
        assert [s for pack in packs for s in json.loads(pack)["Statement"]] == statements


def test_a_preview_changes_nothing(plan: Plan, allowed: Judge) -> None:
    for statement in preview(plan, "prod"):
        for action in statement["Action"]:
            assert re.match(r"[a-z0-9-]+:(Get|List|Describe|Decrypt|View)", action), action
    assert not allowed(
        preview(plan, "prod"), "s3:PutObject", f"{STATE[0]}/.pulumi/locks/organization/vanta/prod/x.json"
    )


@pytest.mark.parametrize("bucket", STATE)
def test_a_preview_reads_its_own_state_in_either_region_and_no_other_stacks(
    plan: Plan, allowed: Judge, bucket: str
) -> None:
    said = preview(plan, "prod")
    assert allowed(said, "s3:GetObject", f"{bucket}/.pulumi/stacks/vanta/prod.json")
    assert allowed(said, "s3:GetObject", f"{bucket}/.pulumi/meta.yaml")
    assert not allowed(said, "s3:GetObject", f"{bucket}/.pulumi/stacks/vanta/prod-dr.json")
    assert not allowed(said, "s3:GetObject", f"{bucket}/.pulumi/stacks/vanta/dev.json")


def test_the_secrets_of_another_stack_cannot_be_decrypted(plan: Plan, allowed: Judge) -> None:
    for said in (preview(plan, "dev"), deploy(plan, "dev")):
        assert allowed(said, "kms:Decrypt", KEY_ARN, {"kms:EncryptionContext:stack": "dev"})
        assert not allowed(said, "kms:Decrypt", KEY_ARN, {"kms:EncryptionContext:stack": "prod"})
        assert not allowed(said, "kms:Decrypt", KEY_ARN)


def test_a_standby_reads_the_state_of_its_primary_and_does_not_write_it(plan: Plan, allowed: Judge) -> None:
    said, primary = deploy(plan, "prod-dr"), f"{STATE[0]}/.pulumi/stacks/vanta/prod.json"
    assert allowed(said, "s3:GetObject", primary)
    assert allowed(said, "kms:Decrypt", KEY_ARN, {"kms:EncryptionContext:stack": "prod"})
    assert not allowed(said, "s3:PutObject", primary)


@pytest.mark.parametrize("bucket", STATE)
def test_a_deployment_cannot_take_the_state_or_its_past_away(plan: Plan, allowed: Judge, bucket: str) -> None:
    said, file = deploy(plan, "dev"), f"{bucket}/.pulumi/stacks/vanta/dev.json"
    assert allowed(said, "s3:PutObject", file)
    for action in PROTECTED:
        assert not allowed(said, action, bucket), action
        assert not allowed(said, action, file), action


def test_a_state_bucket_refuses_that_of_every_role_of_ours_whatever_its_policies_say(
    plan: Plan, allowed: Judge
) -> None:
    anything = {"Sid": "Any", "Effect": "Allow", "Action": ["*"], "Resource": ["*"]}
    said = [*state(plan, "eu-west-1", KEY_ARN)["Statement"], anything]
    context = {
        "aws:SecureTransport": "true",
        "aws:PrincipalAccount": ACCOUNT,
        "aws:PrincipalIsAWSService": "false",
    }
    role = context | {"aws:PrincipalArn": f"arn:aws:iam::{ACCOUNT}:role/vanta-dev-deploy"}
    person = context | {"aws:PrincipalArn": f"arn:aws:iam::{ACCOUNT}:role/administrator"}
    for action in PROTECTED:
        assert not allowed(said, action, STATE[0], role), action
        assert allowed(said, action, STATE[0], person), action


@pytest.mark.parametrize(
    "context",
    [
        {"aws:SecureTransport": "false"},
        {"aws:PrincipalAccount": "999999999999"},
        {"s3:x-amz-server-side-encryption": "AES256"},
        {"s3:x-amz-server-side-encryption-aws-kms-key-id": "arn:aws:kms:eu-west-1:999999999999:key/theirs"},
    ],
    ids=["without TLS", "another account", "another encryption", "another key"],
)
def test_a_state_bucket_refuses(plan: Plan, allowed: Judge, context: dict[str, str]) -> None:
    anything = {"Sid": "Any", "Effect": "Allow", "Action": ["*"], "Resource": ["*"]}
    said = [*state(plan, "eu-west-1", KEY_ARN)["Statement"], anything]
    usual = {
        "aws:SecureTransport": "true",
        "aws:PrincipalAccount": ACCOUNT,
        "aws:PrincipalIsAWSService": "false",
    }
    assert allowed(said, "s3:PutObject", f"{STATE[0]}/x", usual)
    assert not allowed(said, "s3:PutObject", f"{STATE[0]}/x", usual | context)


def test_a_deployment_makes_roles_within_its_boundary_alone(plan: Plan, allowed: Judge) -> None:
    said, role = deploy(plan, "dev"), f"arn:aws:iam::{ACCOUNT}:role/vanta-dev-flow-logs"
    boundary = {"iam:PermissionsBoundary": f"arn:aws:iam::{ACCOUNT}:policy/vanta-dev-boundary"}
    for action in ("iam:CreateRole", "iam:PutRolePolicy", "iam:AttachRolePolicy"):
        assert allowed(said, action, role, boundary)
        assert not allowed(said, action, role), action
        assert not allowed(said, action, f"arn:aws:iam::{ACCOUNT}:role/theirs", boundary), action
    assert not allowed(said, "iam:DeleteRolePermissionsBoundary", role)


@pytest.mark.parametrize("name", ["vanta-dev-deploy", "vanta-dev-preview", "vanta-prod-deploy"])
def test_a_deployment_cannot_raise_its_own_rights(plan: Plan, allowed: Judge, name: str) -> None:
    said, role = deploy(plan, "dev"), f"arn:aws:iam::{ACCOUNT}:role/{name}"
    context = {
        "iam:PermissionsBoundary": f"arn:aws:iam::{ACCOUNT}:policy/vanta-dev-boundary",
        "iam:PassedToService": "s3.amazonaws.com",
    }
    for action in ("AttachRolePolicy", "PutRolePolicy", "UpdateAssumeRolePolicy", "DeleteRole", "PassRole"):
        assert not allowed(said, f"iam:{action}", role, context), action
    policy = f"arn:aws:iam::{ACCOUNT}:policy/vanta-dev-boundary"
    assert not allowed(said, "iam:CreatePolicyVersion", policy)


def test_a_deployment_passes_roles_of_its_stack_to_known_services_alone(plan: Plan, allowed: Judge) -> None:
    said, role = deploy(plan, "dev"), f"arn:aws:iam::{ACCOUNT}:role/vanta-dev-flow-logs"
    assert allowed(said, "iam:PassRole", role, {"iam:PassedToService": "vpc-flow-logs.amazonaws.com"})
    assert not allowed(said, "iam:PassRole", role, {"iam:PassedToService": "sagemaker.amazonaws.com"})
    assert not allowed(said, "iam:PassRole", role)
    theirs = f"arn:aws:iam::{ACCOUNT}:role/administrator"
    assert not allowed(said, "iam:PassRole", theirs, {"iam:PassedToService": "vpc-flow-logs.amazonaws.com"})


def test_a_deployment_lends_a_key_to_services_and_the_clusters_to_eks(plan: Plan, allowed: Judge) -> None:
    said, own = deploy(plan, "dev"), {"aws:ResourceTag/stack": "dev"}
    assert allowed(said, "kms:CreateGrant", KEY_ARN, own | {"kms:GrantIsForAWSResource": "true"})
    assert allowed(said, "kms:CreateGrant", KEY_ARN, own | {"kms:ResourceAliases": "alias/vanta-dev-cluster"})
    assert not allowed(
        said, "kms:CreateGrant", KEY_ARN, own | {"kms:ResourceAliases": "alias/vanta-dev-audit"}
    )


def test_a_stack_cannot_touch_one_whose_name_begins_with_its_own(plan: Plan, allowed: Judge) -> None:
    said = deploy(plan, "prod")
    for action, resource in (
        ("rds:DeleteDBCluster", f"arn:aws:rds:eu-central-1:{ACCOUNT}:cluster:vanta-{{}}-database"),
        ("s3:DeleteBucket", "arn:aws:s3:::vanta-{}-archive-1"),
        ("secretsmanager:DeleteSecret", f"arn:aws:secretsmanager:eu-west-1:{ACCOUNT}:secret:vanta-{{}}-app"),
        ("iam:DeleteRole", f"arn:aws:iam::{ACCOUNT}:role/vanta-{{}}-flow-logs"),
    ):
        assert allowed(said, action, resource.format("prod"))
        assert not allowed(said, action, resource.format("prod-dr")), action


def test_a_stack_cannot_touch_what_carries_the_tag_of_another(plan: Plan, allowed: Judge) -> None:
    said = deploy(plan, "dev")
    for action, resource in (("ec2:DeleteVpc", "*"), ("ec2:CreateTags", "*"), ("kms:TagResource", KEY_ARN)):
        own = {"aws:ResourceTag/stack": "dev", "aws:RequestTag/stack": "dev"}
        assert allowed(said, action, resource, own), action
        assert not allowed(said, action, resource, own | {"aws:ResourceTag/stack": "prod"}), action
    assert not allowed(said, "kms:ScheduleKeyDeletion", KEY_ARN, {"aws:ResourceTag/stack": "all"})


def test_only_a_throw_away_stack_takes_objects_along(plan: Plan, allowed: Judge) -> None:
    for action in ("s3:DeleteObject", "s3:DeleteObjectVersion"):
        assert allowed(deploy(plan, "dev"), action, "arn:aws:s3:::vanta-dev-archive-1/x")
        assert not allowed(deploy(plan, "prod"), action, "arn:aws:s3:::vanta-prod-archive-1/x")


def test_nobody_who_previews_or_deploys_reads_what_the_platform_holds(plan: Plan, allowed: Judge) -> None:
    for said in (preview(plan, "prod"), deploy(plan, "prod")):
        assert not allowed(said, "s3:GetObject", "arn:aws:s3:::vanta-prod-archive-1/x")
        master = f"arn:aws:secretsmanager:eu-west-1:{ACCOUNT}:secret:rds!cluster-1"
        assert not allowed(said, "secretsmanager:GetSecretValue", master)


def test_replication_reads_and_copies_the_states_buckets_alone(plan: Plan, allowed: Judge) -> None:
    said = rights.replication(plan, KEY)
    for bucket in STATE:
        assert allowed(said, "s3:GetObjectVersionForReplication", f"{bucket}/x")
        assert allowed(said, "s3:ReplicateDelete", f"{bucket}/x")
        assert not allowed(said, "s3:PutObject", f"{bucket}/x")
    assert not allowed(said, "s3:ReplicateObject", "arn:aws:s3:::theirs/x")
    through = {
        "kms:ViaService": "s3.eu-central-1.amazonaws.com",
        "kms:EncryptionContext:aws:s3:arn": STATE[1],
    }
    assert allowed(said, "kms:Encrypt", KEY_ARN, through)
    assert not allowed(said, "kms:Decrypt", KEY_ARN, {"kms:EncryptionContext:stack": "dev"})
