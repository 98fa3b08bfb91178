"""The audit bucket: what is written here can be read for years and changed by nobody."""

from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_aws as aws

from infra.aws.bucket import BucketArgs, PrivateBucket
from infra.names import Names
from infra.settings.audit import AuditSettings, lock_days, lock_period
from infra.settings.lifetime import Lifetime


@dataclass(frozen=True, kw_only=True)
class AuditArgs:
    """Inputs of :class:`Audit`, which stands in the region of its ``names``.

    The lock's period counts from each object's own write.
    """

    names: Names
    settings: AuditSettings
    lifetime: Lifetime
    kms_key_arn: pulumi.Input[str]


class Audit(pulumi.ComponentResource):
    """An S3 bucket whose objects cannot be overwritten or deleted before their retention ends.

    Produces a :class:`PrivateBucket` with object lock and a ``BucketObjectLockConfiguration``.

    Source: Amazon S3 User Guide, "Using S3 Object Lock".
    """

    name: pulumi.Output[str]
    arn: pulumi.Output[str]
    bucket: PrivateBucket
    lock: aws.s3.BucketObjectLockConfiguration

    def __init__(self, name: str, args: AuditArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("vanta:aws:Audit", name, None, opts)
        self.bucket = PrivateBucket(
            name,
            BucketArgs(
                names=args.names,
                noun="audit",
                lifetime=args.lifetime,
                layer="audit",
                classification="restricted",
                kms_key_arn=args.kms_key_arn,
                object_lock=True,
                statements=immutability(args.settings),
            ),
            opts=pulumi.ResourceOptions(parent=self),
        )
        amount, unit = lock_period(args.settings.lock_period)
        self.lock = aws.s3.BucketObjectLockConfiguration(
            name,
            region=args.names.region,
            bucket=self.bucket.name,
            rule={
                "default_retention": {
                    "mode": args.settings.lock_mode,
                    "days": amount if unit == "days" else None,
                    "years": amount if unit == "years" else None,
                }
            },
            # S3 refuses a lock configuration until versioning is on.
            opts=pulumi.ResourceOptions(parent=self, depends_on=[self.bucket.versioning]),
        )
        self.name, self.arn = self.bucket.name, self.bucket.arn
        self.register_outputs({"name": self.name, "arn": self.arn})


def immutability(settings: AuditSettings) -> list[dict[str, Any]]:
    """Statements that hold for everyone, administrators included: no deletion, no way around the lock.

    A write may bring its own lock, which replaces the bucket's default: it must be of the same mode and no shorter. A copy
    brings the lock of its original, of which some time has passed, so that this is not asked of ``s3:ReplicateObject``.
    """
    mode, remaining = "s3:object-lock-mode", "s3:object-lock-remaining-retention-days"
    locking = ["s3:PutObject", "s3:PutObjectRetention"]
    return [
        {
            "Sid": "NothingIsDeleted",
            "Effect": "Deny",
            "Principal": "*",
            "Action": [
                "s3:DeleteObject",
                "s3:DeleteObjectVersion",
                "s3:ReplicateDelete",
                "s3:BypassGovernanceRetention",
            ],
        },
        {
            "Sid": "NoOtherLock",
            "Effect": "Deny",
            "Principal": "*",
            "Action": locking,
            "Condition": {"Null": {mode: "false"}, "StringNotEquals": {mode: settings.lock_mode}},
        },
        {
            "Sid": "NoShorterLock",
            "Effect": "Deny",
            "Principal": "*",
            "Action": locking,
            "Condition": {"NumericLessThan": {remaining: str(lock_days(settings.lock_period))}},
        },
    ]
