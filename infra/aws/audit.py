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
    """Inputs of :class:`Audit`; the lock's period counts from each object's own write."""

    names: Names
    settings: AuditSettings
    lifetime: Lifetime
    kms_key_arn: pulumi.Input[str]


class Audit(pulumi.ComponentResource):
    """An S3 bucket whose objects cannot be overwritten or deleted before their retention ends, and its access log.

    Produces two :class:`PrivateBucket` (the audit bucket with object lock, the bucket of its access logs), a
    ``BucketObjectLockConfiguration`` and a ``BucketLogging``.

    Source: Amazon S3 User Guide, "Using S3 Object Lock" and "Enabling Amazon S3 server access logging".
    """

    name: pulumi.Output[str]
    arn: pulumi.Output[str]
    access_log_name: pulumi.Output[str]

    def __init__(self, name: str, args: AuditArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("vanta:aws:Audit", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)

        bucket = PrivateBucket(
            name,
            BucketArgs(
                names=args.names,
                lifetime=args.lifetime,
                layer="audit",
                classification="restricted",
                kms_key_arn=args.kms_key_arn,
                object_lock=True,
                statements=immutability(args.settings),
            ),
            opts=child,
        )
        amount, unit = lock_period(args.settings.lock_period)
        aws.s3.BucketObjectLockConfiguration(
            name,
            bucket=bucket.name,
            rule={
                "default_retention": {
                    "mode": args.settings.lock_mode,
                    "days": amount if unit == "days" else None,
                    "years": amount if unit == "years" else None,
                }
            },
            # S3 refuses a lock configuration until versioning is on.
            opts=pulumi.ResourceOptions(parent=self, depends_on=[bucket.versioning]),
        )
        logs = PrivateBucket(
            f"{name}-logs",
            BucketArgs(
                names=args.names,
                lifetime=args.lifetime,
                layer="audit",
                classification="confidential",
                # Log delivery writes only to a bucket without object lock, encrypted with S3's own keys.
                statements=[log_delivery(args.names.account_id, bucket.arn)],
                lifecycle=[
                    {
                        "id": "age",
                        "status": "Enabled",
                        "filter": {},
                        "expiration": {"days": args.settings.access_log_days},
                        "noncurrent_version_expiration": {"noncurrent_days": 1},
                    }
                ],
            ),
            opts=child,
        )
        aws.s3.BucketLogging(
            name,
            bucket=bucket.name,
            target_bucket=logs.name,
            target_prefix=f"{name}/",
            # Delivery needs the policy of the bucket it writes to.
            opts=pulumi.ResourceOptions(parent=self, depends_on=[logs]),
        )

        self.name, self.arn, self.access_log_name = bucket.name, bucket.arn, logs.name
        self.register_outputs({"name": self.name, "arn": self.arn})


def immutability(settings: AuditSettings) -> list[dict[str, Any]]:
    """Statements that hold for everyone, administrators included: no deletion, no way around the lock.

    A write may bring its own lock, which replaces the bucket's default: it must be of the same mode and no shorter.
    """
    mode, remaining = "s3:object-lock-mode", "s3:object-lock-remaining-retention-days"
    locking = ["s3:PutObject", "s3:PutObjectRetention"]
    return [
        {
            "Sid": "NothingIsDeleted",
            "Effect": "Deny",
            "Principal": "*",
            "Action": ["s3:DeleteObject", "s3:DeleteObjectVersion", "s3:BypassGovernanceRetention"],
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


def log_delivery(account_id: str, source_arn: pulumi.Input[str]) -> dict[str, Any]:
    """The statement by which S3 may write the access logs of one bucket of this account."""
    return {
        "Sid": "AccessLogDelivery",
        "Effect": "Allow",
        "Principal": {"Service": "logging.s3.amazonaws.com"},
        "Action": "s3:PutObject",
        "Condition": {
            "ArnLike": {"aws:SourceArn": source_arn},
            "StringEquals": {"aws:SourceAccount": account_id},
        },
    }
