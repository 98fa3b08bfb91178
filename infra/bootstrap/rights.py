"""The policies of the roles: what a preview may read, what a deployment may change, what neither may ever do."""

import json
from collections.abc import Sequence
from typing import Any

from infra.aws.policy_document import Statement, document
from infra.bootstrap.plan import ALIAS, Plan, Stack
from infra.bootstrap.services import SERVICES
from infra.bootstrap.services.grant import Grant
from infra.names import PROJECT

# AWS IAM User Guide, "IAM and AWS STS quotas": characters of a managed policy, white space not counted.
POLICY_LENGTH = 6144
# What roles of the stack need of services of which the program itself declares nothing: the cluster's autoscaler, its nodes,
# and what rotates the role of the app in the database.
_FOR_ROLES = ("autoscaling", "eks-auth", "rds-data")
_KEY_CHANGES = (
    "CreateAlias",
    "CreateGrant",
    "DeleteAlias",
    "Disable*",
    "PutKeyPolicy",
    "ScheduleKeyDeletion",
    "TagResource",
    "UntagResource",
    "Update*",
)


def policy(statements: Sequence[Statement]) -> str:
    """A policy as IAM takes it; its length counts against IAM's limits, so without a space."""
    return json.dumps(document(*statements), separators=(",", ":"))


def packed(statements: Sequence[Statement]) -> list[str]:
    """The statements in as few policies as IAM's limit of length allows, in their order."""
    packs: list[list[Statement]] = [[]]
    for statement in statements:
        if packs[-1] and len(policy([*packs[-1], statement])) > POLICY_LENGTH:
            packs.append([])
        packs[-1].append(statement)
    return [policy(pack) for pack in packs]


def reads(plan: Plan, stack: Stack) -> list[Statement]:
    """What tells of the stack's resources."""
    return [
        _allow(
            f"Read{name.title().replace('-', '')}",
            [f"{name}:{action}" for action in service.reads],
            [arn for pattern in service.read_from for arn in _arns(pattern, plan, stack)],
        )
        for name, service in SERVICES.items()
        if service.reads
    ]


def changes(plan: Plan, stack: Stack) -> list[Statement]:
    """What a deployment does, and the roles that it hands to services."""
    statements = [
        _granted(name, grant, plan, stack)
        for name, service in SERVICES.items()
        for grant in (*service.changes, *(service.emptying if stack.throwaway else ()))
    ]
    passed, linked = (
        sorted({principal for service in SERVICES.values() for principal in getattr(service, kind)})
        for kind in ("passed_to", "linked")
    )
    return [
        *statements,
        _allow(
            "RolesPassed",
            ["iam:PassRole"],
            [plan.iam(f"role/{PROJECT}-{stack.name}-*")],
            {"StringEquals": {"iam:PassedToService": passed}},
        ),
        _allow(
            "ServicesOwnRoles",
            ["iam:CreateServiceLinkedRole"],
            [plan.iam("role/aws-service-role/*")],
            {"StringEquals": {"iam:AWSServiceName": linked}},
        ),
    ]


def refusals(plan: Plan, stack: Stack) -> list[Statement]:
    """What a deployment may not do whatever else it is allowed: raise its own rights, or touch another stack."""
    own = [
        *(plan.iam(f"role/{PROJECT}-*-{kind}") for kind in ("preview", "deploy")),
        plan.iam(f"policy/{PROJECT}-*"),
        plan.iam("oidc-provider/*"),
    ]
    statements = [
        _deny("OwnRights", ["iam:*"], own),
        _deny("BoundaryTakenOff", ["iam:DeleteRolePermissionsBoundary"], [plan.iam(f"role/{PROJECT}-*")]),
        _deny(
            "OtherStacksByTag",
            # Who may tag a key could else make any key his own.
            ["ec2:*", *(f"kms:{action}" for action in _KEY_CHANGES)],
            ["*"],
            {
                "StringNotEquals": {"aws:ResourceTag/stack": stack.name},
                "Null": {"aws:ResourceTag/stack": "false"},
            },
        ),
    ]
    # `vanta-prod-*` matches what is called `vanta-prod-dr-…` as well.
    others = [Stack(name=name) for name in stack.extended]
    if others:
        named = [
            (f"{name}:*", _filled(pattern, plan, other))
            for name, service in SERVICES.items()
            for grant in service.changes
            for pattern in grant.resources
            if "{stack}" in pattern
            for other in others
        ]
        statements.append(
            _deny(
                "StacksOfLongerNames",
                sorted({action for action, _ in named}),
                sorted({arn for _, arn in named}),
            )
        )
    return statements


# Amazon EKS User Guide, "View Amazon container image registries for Amazon EKS add-ons".
PULL = ("ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer")


def boundary(plan: Plan, stack: Stack) -> list[Statement]:
    """The most that a role which the stack makes can be given: the services that the program uses, and no state.

    Of identities it reaches none, and hands on one.
    """
    used = sorted(f"{name}:*" for name in {*SERVICES, *_FOR_ROLES} if name != "iam")
    buckets = [
        arn for region in plan.regions for arn in (plan.bucket_arn(region), f"{plan.bucket_arn(region)}/*")
    ]
    return [
        _allow(
            "ServicesOfTheProgram",
            used,
            ["*"],
            {"StringEqualsIfExists": {"aws:ResourceAccount": plan.account}},
        ),
        # The images of Kubernetes itself come from repositories in accounts of AWS.
        _allow("ImagesOfAws", PULL, ["*"]),
        # What copies the database every few minutes has AWS Backup work in its own role.
        _allow(
            "RoleOfBackupHandedToIt",
            ["iam:PassRole"],
            [plan.iam(f"role/{PROJECT}-{stack.name}-backup")],
            {"StringEquals": {"iam:PassedToService": "backup.amazonaws.com"}},
        ),
        _deny("NotTheState", ["s3:*"], buckets),
        _deny("NotItsKey", ["kms:*"], ["*"], {"ForAnyValue:StringEquals": {"kms:ResourceAliases": ALIAS}}),
    ]


def state_read(plan: Plan, stack: Stack, key_id: str) -> list[Statement]:
    """The state of a stack and of those that it follows, in both regions, and the secrets in it.

    A preview on this backend takes no lock and writes nothing, so these are all that it needs.
    """
    names = (stack.name, *stack.follows)
    return [
        _allow(
            "StateListed",
            ["s3:ListBucket"],
            [plan.bucket_arn(region) for region in plan.regions],
        ),
        _allow(
            "StateRead",
            ["s3:GetObject"],
            [
                f"{plan.bucket_arn(region)}/.pulumi/{path}"
                for region in plan.regions
                for path in ("meta.yaml", *(f"stacks/{PROJECT}/{name}.*" for name in names), *_locks(stack))
            ],
        ),
        _allow(
            "StateDecryptedByS3",
            ["kms:Decrypt"],
            plan.key_arns(key_id),
            {"StringEquals": {"kms:ViaService": [f"s3.{region}.amazonaws.com" for region in plan.regions]}},
        ),
        _allow(
            "SecretsDecrypted",
            ["kms:Decrypt"],
            plan.key_arns(key_id),
            {"StringEquals": {"kms:EncryptionContext:stack": list(names)}},
        ),
    ]


def state_write(plan: Plan, stack: Stack, key_id: str) -> list[Statement]:
    """The state of the stack alone; what is overwritten or deleted stays behind as a version, which no role may delete."""
    paths = [
        f"stacks/{PROJECT}/{stack.name}.*",
        *(f"{kind}/{PROJECT}/{stack.name}/*" for kind in ("history", "backups")),
        *_locks(stack),
    ]
    return [
        _allow(
            "StateWritten",
            ["s3:DeleteObject", "s3:GetObject", "s3:PutObject"],
            [f"{plan.bucket_arn(region)}/.pulumi/{path}" for region in plan.regions for path in paths],
        ),
        _allow(
            "StateEncryptedByS3",
            ["kms:GenerateDataKey"],
            plan.key_arns(key_id),
            {"StringEquals": {"kms:ViaService": [f"s3.{region}.amazonaws.com" for region in plan.regions]}},
        ),
    ]


def replication(plan: Plan, key_id: str) -> list[Statement]:
    """What S3 needs to copy each bucket to the other.

    Source: Amazon S3 User Guide, "Setting up permissions for live replication" and "Replicating encrypted objects".
    """
    buckets = [plan.bucket_arn(region) for region in plan.regions]
    objects = [f"{bucket}/*" for bucket in buckets]
    through = {"kms:ViaService": [f"s3.{region}.amazonaws.com" for region in plan.regions]}
    return [
        _allow("SourceListed", ["s3:GetReplicationConfiguration", "s3:ListBucket"], buckets),
        _allow(
            "SourceRead",
            ["s3:GetObjectVersionAcl", "s3:GetObjectVersionForReplication", "s3:GetObjectVersionTagging"],
            objects,
        ),
        _allow("CopyWritten", ["s3:ReplicateDelete", "s3:ReplicateObject", "s3:ReplicateTags"], objects),
        _allow(
            "SourceDecryptedCopyEncrypted",
            ["kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey"],
            plan.key_arns(key_id),
            # With a bucket key the context is the bucket, without one the object.
            {
                "StringEquals": through,
                "StringLike": {"kms:EncryptionContext:aws:s3:arn": [*buckets, *objects]},
            },
        ),
    ]


def registry(plan: Plan) -> list[Statement]:
    """Pushing the image, its signature and its attestations to repositories of ours.

    Source: Amazon ECR User Guide, "IAM permissions for pushing an image".
    """
    return [
        # ECR authorises this action on no resource.
        _allow("SignedIn", ["ecr:GetAuthorizationToken"], ["*"]),
        _allow(
            "ImagePushed",
            [
                "ecr:BatchCheckLayerAvailability",
                "ecr:BatchGetImage",
                "ecr:CompleteLayerUpload",
                "ecr:GetDownloadUrlForLayer",
                "ecr:InitiateLayerUpload",
                "ecr:PutImage",
                "ecr:UploadLayerPart",
            ],
            [f"arn:{plan.partition}:ecr:*:{plan.account}:repository/{PROJECT}*"],
        ),
    ]


def _locks(stack: Stack) -> list[str]:
    return [f"locks/organization/{PROJECT}/{stack.name}/*"]


def _granted(service: str, grant: Grant, plan: Plan, stack: Stack) -> Statement:
    condition = {
        operator: {key: _filled(value, plan, stack) for key, value in keys.items()}
        for operator, keys in grant.condition.items()
    }
    resources = [arn for pattern in grant.resources for arn in _arns(pattern, plan, stack)]
    return _allow(grant.sid, [f"{service}:{action}" for action in grant.actions], resources, condition)


def _arns(pattern: str, plan: Plan, stack: Stack) -> list[str]:
    """The pattern for the stack, or for each that it follows."""
    if "{primary}" not in pattern:
        return [_filled(pattern, plan, stack)]
    return [_filled(pattern.replace("{primary}", primary), plan, stack) for primary in stack.follows]


def _filled(pattern: str, plan: Plan, stack: Stack) -> str:
    return pattern.format(
        partition=plan.partition,
        account=plan.account,
        stack=stack.name,
        boundary=plan.iam(f"policy/{stack.boundary}"),
    )


def _allow(
    sid: str, actions: Sequence[str], resources: Sequence[str], condition: dict[str, Any] | None = None
) -> Statement:
    return _statement(sid, "Allow", actions, resources, condition)


def _deny(
    sid: str, actions: Sequence[str], resources: Sequence[str], condition: dict[str, Any] | None = None
) -> Statement:
    return _statement(sid, "Deny", actions, resources, condition)


def _statement(
    sid: str, effect: str, actions: Sequence[str], resources: Sequence[str], condition: dict[str, Any] | None
) -> Statement:
    statement = {"Sid": sid, "Effect": effect, "Action": list(actions), "Resource": list(resources)}
    return statement | ({"Condition": condition} if condition else {})
