"""The records of a region's buckets: who asked them for what, and what lay in them on each day."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_aws as aws

from infra.aws.bucket import BucketArgs, PrivateBucket, gone_after
from infra.names import Names
from infra.settings.lifetime import Lifetime

# What shows of each object that it is whole, encrypted, locked and copied. Amazon S3 API: InventoryOptionalField.
FIELDS = (
    "Size",
    "LastModifiedDate",
    "StorageClass",
    "ETag",
    "ChecksumAlgorithm",
    "EncryptionStatus",
    "BucketKeyStatus",
    "ReplicationStatus",
    "ObjectLockMode",
    "ObjectLockRetainUntilDate",
    "ObjectLockLegalHoldStatus",
)


@dataclass(frozen=True, kw_only=True)
class RecordsArgs:
    """Inputs of :class:`Records`; ``buckets`` stand in the region of ``names``, and records go after ``keep_days``."""

    names: Names
    lifetime: Lifetime
    buckets: Sequence[PrivateBucket]
    keep_days: int


class Records(pulumi.ComponentResource):
    """The access logs and daily inventories of some buckets, in one more bucket of the same region.

    Access logs lie below ``<noun>/``, inventories below ``inventory/``. Produces a :class:`PrivateBucket` and, for each
    of the buckets, ``BucketLogging`` and ``Inventory``.

    Source: Amazon S3 User Guide, "Enabling Amazon S3 server access logging" and "Configuring Amazon S3 Inventory".
    """

    name: pulumi.Output[str]

    def __init__(self, name: str, args: RecordsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("vanta:aws:Records", name, None, opts)
        account_id, region = args.names.account_id, args.names.region
        sources = [bucket.arn for bucket in args.buckets]
        records = PrivateBucket(
            name,
            BucketArgs(
                names=args.names,
                noun="audit-logs",
                lifetime=args.lifetime,
                layer="audit",
                classification="confidential",
                # Both deliveries refuse a bucket with object lock; to one with a key of ours, access logs never come.
                statements=[log_delivery(account_id, sources), inventory_delivery(account_id, sources)],
                lifecycle=gone_after(args.keep_days),
            ),
            opts=pulumi.ResourceOptions(parent=self),
        )
        # Delivery needs the policy of the bucket it writes to.
        delivered = pulumi.ResourceOptions(parent=self, depends_on=[records])
        for bucket in args.buckets:
            aws.s3.BucketLogging(
                bucket.label,
                region=region,
                bucket=bucket.name,
                target_bucket=records.name,
                target_prefix=f"{bucket.noun}/",
                opts=delivered,
            )
            aws.s3.Inventory(
                bucket.label,
                region=region,
                bucket=bucket.name,
                name="daily",
                included_object_versions="All",
                optional_fields=FIELDS,
                schedule={"frequency": "Daily"},
                destination={
                    "bucket": {
                        "bucket_arn": records.arn,
                        "account_id": account_id,
                        "prefix": "inventory",
                        "format": "Parquet",
                        "encryption": {"sse_s3": {}},
                    }
                },
                opts=delivered,
            )
        self.name = records.name
        self.register_outputs({"name": self.name})


def log_delivery(account_id: str, source_arns: Sequence[pulumi.Input[str]]) -> dict[str, Any]:
    """The statement by which S3 may write the access logs of buckets of this account.

    Source: Amazon S3 User Guide, "Permissions for log delivery".
    """
    return {
        "Sid": "AccessLogDelivery",
        "Effect": "Allow",
        "Principal": {"Service": "logging.s3.amazonaws.com"},
        "Action": "s3:PutObject",
        "Condition": {
            "ArnLike": {"aws:SourceArn": source_arns},
            "StringEquals": {"aws:SourceAccount": account_id},
        },
    }


def inventory_delivery(account_id: str, source_arns: Sequence[pulumi.Input[str]]) -> dict[str, Any]:
    """The statement by which S3 may write the inventories of buckets of this account.

    Source: Amazon S3 User Guide, "Grant permissions for S3 Inventory and S3 analytics".
    """
    return {
        "Sid": "InventoryDelivery",
        "Effect": "Allow",
        "Principal": {"Service": "s3.amazonaws.com"},
        "Action": "s3:PutObject",
        "Condition": {
            "ArnLike": {"aws:SourceArn": source_arns},
            "StringEquals": {
                "aws:SourceAccount": account_id,
                "s3:x-amz-acl": "bucket-owner-full-control",
            },
        },
    }
