"""What every bucket here has in common: private, encrypted, owned, and reached over TLS."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import pulumi
import pulumi_aws as aws
from pulumi_aws.s3 import BucketLifecycleConfigurationRuleArgsDict

from infra.aws.options import holding_data
from infra.aws.policy_document import document
from infra.names import Classification, Layer, Names
from infra.settings.lifetime import Lifetime


@dataclass(frozen=True, kw_only=True)
class BucketArgs:
    """Inputs of :class:`PrivateBucket`, which stands in the region of its ``names``.

    In S3 it is called by its ``noun``, which is its name in the program unless given.

    Without ``kms_key_arn`` objects are encrypted with S3's own keys. ``statements`` are added to the bucket's policy;
    each covers the bucket and all its objects, unless it names a ``Resource`` of its own.
    """

    names: Names
    lifetime: Lifetime
    layer: Layer
    classification: Classification
    noun: str = ""
    kms_key_arn: pulumi.Input[str] | None = None
    object_lock: bool = False
    statements: Sequence[dict[str, Any]] = field(default=())
    lifecycle: Sequence[BucketLifecycleConfigurationRuleArgsDict] = field(default=())


class PrivateBucket(pulumi.ComponentResource):
    """A versioned S3 bucket that nobody can make public.

    Produces ``Bucket``, ``BucketOwnershipControls``, ``BucketPublicAccessBlock``, ``BucketVersioning``,
    ``BucketServerSideEncryptionConfiguration``, ``BucketPolicy`` and, if there are rules,
    ``BucketLifecycleConfiguration``. ``label`` is what its resources are called in the program.

    Source: Amazon S3 User Guide, "Security best practices for Amazon S3".
    """

    name: pulumi.Output[str]
    arn: pulumi.Output[str]
    versioning: aws.s3.BucketVersioning
    label: str
    noun: str
    args: BucketArgs

    def __init__(self, name: str, args: BucketArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("vanta:aws:PrivateBucket", name, None, opts)
        child, region = pulumi.ResourceOptions(parent=self), args.names.region
        self.label, self.args = name, args
        self.noun = args.noun or name

        bucket = aws.s3.Bucket(
            name,
            region=region,
            bucket=self.physical_name,
            object_lock_enabled=args.object_lock,
            # A throw-away stack goes with everything in it.
            force_destroy=not args.lifetime.kept,
            tags=args.names.tags(layer=args.layer, classification=args.classification),
            opts=holding_data(self, lifetime=args.lifetime),
        )
        self.name, self.arn = bucket.bucket, bucket.arn
        aws.s3.BucketOwnershipControls(
            name,
            region=region,
            bucket=self.name,
            rule={"object_ownership": "BucketOwnerEnforced"},
            opts=child,
        )
        access = aws.s3.BucketPublicAccessBlock(
            name,
            region=region,
            bucket=self.name,
            block_public_acls=True,
            block_public_policy=True,
            ignore_public_acls=True,
            restrict_public_buckets=True,
            opts=child,
        )
        self.versioning = aws.s3.BucketVersioning(
            name, region=region, bucket=self.name, versioning_configuration={"status": "Enabled"}, opts=child
        )
        self._encrypt(name, args)
        aws.s3.BucketPolicy(
            name,
            region=region,
            bucket=self.name,
            policy=self._policy(args),
            # S3 answers one of two changes at the same time with a conflict.
            opts=pulumi.ResourceOptions(parent=self, depends_on=[access]),
        )
        if args.lifecycle:
            aws.s3.BucketLifecycleConfiguration(
                name,
                region=region,
                bucket=self.name,
                rules=list(args.lifecycle),
                # Below this size a tier's price per request and its minimum billed size cost more than they save.
                transition_default_minimum_object_size="all_storage_classes_128K",
                # Rules for noncurrent versions mean nothing before there are versions.
                opts=pulumi.ResourceOptions(parent=self, depends_on=[self.versioning]),
            )
        self.register_outputs({"name": self.name, "arn": self.arn})

    @property
    def physical_name(self) -> str:
        """Its name in S3, which metrics and policies may say before the bucket is there."""
        return self.args.names.bucket(self.noun)

    def _encrypt(self, name: str, args: BucketArgs) -> None:
        aws.s3.BucketServerSideEncryptionConfiguration(
            name,
            region=args.names.region,
            bucket=self.name,
            rules=[
                {
                    "apply_server_side_encryption_by_default": {
                        "sse_algorithm": "AES256" if args.kms_key_arn is None else "aws:kms",
                        "kms_master_key_id": args.kms_key_arn,
                    },
                    # One data key for many objects: a hundredth of the requests to KMS.
                    "bucket_key_enabled": args.kms_key_arn is not None,
                }
            ],
            opts=pulumi.ResourceOptions(parent=self),
        )

    def _policy(self, args: BucketArgs) -> pulumi.Output[str]:
        own = [_only_over_tls()]
        if args.kms_key_arn is not None:
            own += _only_with_key(args.kms_key_arn)
        resources = [self.arn, self.arn.apply(lambda arn: f"{arn}/*")]
        statements = [{"Resource": resources, **statement} for statement in (*own, *args.statements)]
        return pulumi.Output.json_dumps(document(*statements))


def gone_after(days: int, *, noncurrent_days: int = 1) -> list[BucketLifecycleConfigurationRuleArgsDict]:
    """The lifecycle of what is only ever added: it goes when it is ``days`` old, or ``noncurrent_days`` after a deletion."""
    return [
        {
            "id": "age",
            "status": "Enabled",
            "filter": {},
            "expiration": {"days": days},
            "noncurrent_version_expiration": {"noncurrent_days": noncurrent_days},
        }
    ]


def _only_over_tls() -> dict[str, Any]:
    return {
        "Sid": "OnlyOverTls",
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }


def _only_with_key(kms_key_arn: pulumi.Input[str]) -> list[dict[str, Any]]:
    """Refuse what asks for another encryption; what asks for none gets the bucket's default, which is the right one.

    A negated comparison holds when its key is absent, so each needs the ``Null`` beside it.
    """
    header = "s3:x-amz-server-side-encryption"
    key, customer = f"{header}-aws-kms-key-id", f"{header}-customer-algorithm"
    conditions: dict[str, dict[str, Any]] = {
        "NoOtherEncryption": {"Null": {header: "false"}, "StringNotEquals": {header: "aws:kms"}},
        "NoOtherKey": {"Null": {key: "false"}, "StringNotEquals": {key: kms_key_arn}},
        "NoCustomerKey": {"Null": {customer: "false"}},
    }
    return [
        {"Sid": sid, "Effect": "Deny", "Principal": "*", "Action": "s3:PutObject", "Condition": condition}
        for sid, condition in conditions.items()
    ]
