"""The image cache: what runs beside the app comes from our own registry, even when its publisher is down."""

import json
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from infra.aws.service_role import ServiceRole
from infra.names import Names

# Amazon ECR User Guide, "Creating a pull through cache rule": of the upstreams those that ask for no credentials.
UPSTREAMS = {"ecr": "public.ecr.aws", "k8s": "registry.k8s.io", "quay": "quay.io"}
# What was not pushed anew for so long is pulled again when somebody wants it.
_CACHED_DAYS = 90


@dataclass(frozen=True, kw_only=True)
class ImageCacheArgs:
    """Inputs of :class:`ImageCache`; ``role`` is that by which ECR makes a repository on the first pull."""

    names: Names
    kms_key_arn: pulumi.Input[str]
    role: ServiceRole


class ImageCache(pulumi.ComponentResource):
    """Pull-through caches: ``<registry>/vanta-<stack>-quay/org/image`` is ``quay.io/org/image``, kept and scanned here.

    Produces a ``PullThroughCacheRule`` and a ``RepositoryCreationTemplate`` per upstream. Tags move here as they do
    upstream, which is where the cache looks once a day; whoever wants none to move names a digest.

    Source: Amazon ECR User Guide, "Sync an upstream registry with an Amazon ECR private registry".
    """

    def __init__(self, name: str, args: ImageCacheArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("vanta:aws:ImageCache", name, None, opts)
        for noun, upstream in UPSTREAMS.items():
            template = aws.ecr.RepositoryCreationTemplate(
                noun,
                prefix=args.names.of(noun),
                description=f"Cached images of {upstream}",
                applied_fors=["PULL_THROUGH_CACHE"],
                custom_role_arn=args.role.arn,
                encryption_configurations=[{"encryption_type": "KMS", "kms_key": args.kms_key_arn}],
                image_tag_mutability="MUTABLE",
                lifecycle_policy=json.dumps(_LIFECYCLE),
                resource_tags=args.names.tags(layer="foundation", classification="public"),
                opts=pulumi.ResourceOptions(parent=self, depends_on=args.role.ready),
            )
            aws.ecr.PullThroughCacheRule(
                noun,
                ecr_repository_prefix=args.names.of(noun),
                upstream_registry_url=upstream,
                # A repository keeps for ever the settings that it was made with.
                opts=pulumi.ResourceOptions(parent=self, depends_on=[template]),
            )
        self.register_outputs({})


_LIFECYCLE = {
    "rules": [
        {
            "rulePriority": 1,
            "description": "What can be pulled again",
            "selection": {
                "tagStatus": "any",
                "countType": "sinceImagePushed",
                "countUnit": "days",
                "countNumber": _CACHED_DAYS,
            },
            "action": {"type": "expire"},
        }
    ]
}
