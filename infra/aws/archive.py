"""The archive: history that gets cheaper as it gets older, and is gone when its time is over."""

from dataclasses import dataclass

import pulumi
from pulumi_aws.s3 import BucketLifecycleConfigurationRuleArgsDict

from infra.aws.bucket import BucketArgs, PrivateBucket
from infra.names import Names
from infra.settings.archive import ArchiveSettings
from infra.settings.lifetime import Lifetime

# docs/adr/0003-archive-storage-classes.md: both answer a GET at once, as recovery and every S3 client expect.
WARM = "STANDARD_IA"
COLD = "GLACIER_IR"


@dataclass(frozen=True, kw_only=True)
class ArchiveArgs:
    """Inputs of :class:`Archive`, which stands in the region of its ``names``."""

    names: Names
    settings: ArchiveSettings
    lifetime: Lifetime
    kms_key_arn: pulumi.Input[str]


class Archive(pulumi.ComponentResource):
    """A bucket whose objects are hot, then warm, then cold, then gone.

    Produces a :class:`PrivateBucket` with lifecycle rules.

    Source: Amazon S3 User Guide, "Transitioning objects using Amazon S3 Lifecycle".
    """

    name: pulumi.Output[str]
    arn: pulumi.Output[str]
    bucket: PrivateBucket

    def __init__(self, name: str, args: ArchiveArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("vanta:aws:Archive", name, None, opts)
        self.bucket = PrivateBucket(
            name,
            BucketArgs(
                names=args.names,
                noun="archive",
                lifetime=args.lifetime,
                layer="analytics",
                classification="confidential",
                kms_key_arn=args.kms_key_arn,
                lifecycle=lifecycle(args.settings),
            ),
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.name, self.arn = self.bucket.name, self.bucket.arn
        self.register_outputs({"name": self.name, "arn": self.arn})


def lifecycle(settings: ArchiveSettings) -> list[BucketLifecycleConfigurationRuleArgsDict]:
    """The rules of the three tiers, for the whole bucket, and the removal of what is left over."""
    return [
        {
            "id": "tiers",
            "status": "Enabled",
            "filter": {},
            "transitions": [
                {"days": settings.warm_after_days, "storage_class": WARM},
                {"days": settings.cold_after_days, "storage_class": COLD},
            ],
            "expiration": {"days": settings.expire_after_days},
            "noncurrent_version_expiration": {"noncurrent_days": settings.noncurrent_days},
        },
        {
            # S3 refuses the removal of delete markers in a rule that also expires by age.
            "id": "left-overs",
            "status": "Enabled",
            "filter": {},
            "expiration": {"expired_object_delete_marker": True},
            "abort_incomplete_multipart_upload": {"days_after_initiation": settings.multipart_days},
        },
    ]
