"""The registry: images of the state API that nobody can move, scanned when they come, and copies of what others publish."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_aws as aws

from infra.aws.image_cache import ImageCache, ImageCacheArgs
from infra.aws.options import holding_data
from infra.aws.place import Place
from infra.aws.policy_document import Statement, document
from infra.aws.registry_account import RegistryAccount, RegistryAccountArgs
from infra.aws.service_role import ServiceRole, ServiceRoleArgs
from infra.names import PROJECT, Names
from infra.settings.lifetime import Lifetime
from infra.settings.registry import RegistrySettings

# Within its own namespace, which the copies in the recovery region share: settings for them go by the part before "/".
IMAGE = "api"
# What a failed push leaves behind, and nobody can name.
_UNTAGGED_DAYS = 7


@dataclass(frozen=True, kw_only=True)
class RegistryArgs:
    """Inputs of :class:`Registry`; images are copied to ``recovery_region`` unless it is empty."""

    names: Names
    place: Place
    settings: RegistrySettings
    lifetime: Lifetime
    kms_key_arn: pulumi.Input[str]
    recovery_region: str


class Registry(pulumi.ComponentResource):
    """The repository of the state API's images, and the cache of other images.

    Produces ``Repository``, ``LifecyclePolicy``, a ``RepositoryPolicy`` if other accounts pull, the :class:`ServiceRole`
    by which ECR makes repositories itself, :class:`ImageCache`, and :class:`RegistryAccount` where the stack answers for
    what is one per account and region.

    Source: Amazon ECR User Guide, "Amazon ECR private repositories" and "Security best practices".
    """

    url: pulumi.Output[str]

    def __init__(self, name: str, args: RegistryArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("vanta:aws:Registry", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        namespace = args.names.of("images")
        tags = args.names.tags(layer="foundation", classification="internal", name=IMAGE)

        repository = aws.ecr.Repository(
            IMAGE,
            name=f"{namespace}/{IMAGE}",
            image_tag_mutability="IMMUTABLE",
            image_scanning_configuration={"scan_on_push": True},
            encryption_configurations=[{"encryption_type": "KMS", "kms_key": args.kms_key_arn}],
            # A throw-away stack goes with every image in it.
            force_delete=not args.lifetime.kept,
            tags=tags,
            opts=holding_data(self, lifetime=args.lifetime),
        )
        self.url = repository.repository_url
        aws.ecr.LifecyclePolicy(
            IMAGE,
            repository=repository.name,
            policy=json.dumps(_lifecycle(args.settings.kept_images)),
            opts=child,
        )
        if args.settings.readers:
            aws.ecr.RepositoryPolicy(
                IMAGE,
                repository=repository.name,
                policy=json.dumps(document(_pulled_by(args.place.partition, args.settings.readers))),
                opts=child,
            )
        role = ServiceRole(
            name,
            ServiceRoleArgs(
                names=args.names,
                description="Makes the repositories of cached and replicated images",
                trust=_TRUST,
                statements=_make_repositories(args.place, args.names.of(""), args.kms_key_arn),
            ),
            opts=child,
        )
        ImageCache(
            "image-cache",
            ImageCacheArgs(names=args.names, kms_key_arn=args.kms_key_arn, role=role),
            opts=child,
        )
        if args.settings.account_settings:
            RegistryAccount(
                "registry-account",
                RegistryAccountArgs(
                    names=args.names,
                    scanning=args.settings.scanning,
                    scanned=f"{PROJECT}-*",
                    namespace=namespace,
                    role=role,
                    recovery_region=args.recovery_region,
                ),
                opts=child,
            )
        self.register_outputs({"url": self.url})


def _lifecycle(kept: int) -> dict[str, Any]:
    """The newest images stay; those that run belong to them, because a release begins with a push.

    Source: Amazon ECR User Guide, "Examples of lifecycle policies in Amazon ECR".
    """
    return {
        "rules": [
            {
                "rulePriority": 1,
                "description": "What a failed push left",
                "selection": {
                    "tagStatus": "untagged",
                    "countType": "sinceImagePushed",
                    "countUnit": "days",
                    "countNumber": _UNTAGGED_DAYS,
                },
                "action": {"type": "expire"},
            },
            {
                "rulePriority": 2,
                "description": "All but the newest",
                "selection": {
                    "tagStatus": "tagged",
                    "tagPatternList": ["*"],
                    "countType": "imageCountMoreThan",
                    "countNumber": kept,
                },
                "action": {"type": "expire"},
            },
        ]
    }


def _pulled_by(partition: str, accounts: Sequence[str]) -> Statement:
    """Pulls by clusters of other accounts: they run by digest what was built and scanned once, here."""
    return {
        "Sid": "PulledByOtherAccounts",
        "Effect": "Allow",
        "Principal": {"AWS": [f"arn:{partition}:iam::{account}:root" for account in accounts]},
        "Action": [
            "ecr:BatchCheckLayerAvailability",
            "ecr:BatchGetImage",
            "ecr:GetDownloadUrlForLayer",
        ],
    }


# Amazon ECR User Guide, "Create an IAM role for repository creation templates": ECR passes no source account or ARN.
_TRUST: Statement = {
    "Sid": "AssumedByTheRegistry",
    "Effect": "Allow",
    "Principal": {"Service": "ecr.amazonaws.com"},
    "Action": "sts:AssumeRole",
}


def _make_repositories(place: Place, prefix: str, key_arn: pulumi.Input[str]) -> list[Statement]:
    """Source: Amazon ECR User Guide, "Create a custom policy for repository creation templates"."""
    return [
        {
            "Sid": "MakeItsRepositories",
            "Effect": "Allow",
            "Action": ["ecr:CreateRepository", "ecr:ReplicateImage", "ecr:TagResource"],
            # Here and in the region of the copies.
            "Resource": f"arn:{place.partition}:ecr:*:{place.account_id}:repository/{prefix}*",
        },
        {
            "Sid": "FindTheKey",
            "Effect": "Allow",
            "Action": "kms:DescribeKey",
            "Resource": key_arn,
        },
        {
            "Sid": "LetTheRegistryUseTheKey",
            "Effect": "Allow",
            "Action": ["kms:CreateGrant", "kms:RetireGrant"],
            "Resource": key_arn,
            "Condition": {"Bool": {"kms:GrantIsForAWSResource": "true"}},
        },
    ]
