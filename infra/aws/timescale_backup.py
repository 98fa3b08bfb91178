"""The backup of TimescaleDB: a bucket for its write-ahead log and base backups, and the role that its pods take."""

from dataclasses import dataclass

import pulumi

from infra.aws.bucket import BucketArgs, PrivateBucket, gone_after
from infra.aws.place import Place
from infra.aws.pod_identity import ServiceAccount, pod_role
from infra.aws.policy_document import Statement
from infra.names import Names
from infra.settings.lifetime import Lifetime

NOUN = "timescale"
# The operator calls the service account after the cluster of PostgreSQL.
ACCOUNT = ServiceAccount(namespace="vanta-timescale", name="timescale")
# Longer than what the operator keeps, which removes by itself what it does not need: a restore in progress ends.
_SPARE_DAYS = 7


@dataclass(frozen=True, kw_only=True)
class TimescaleBackupArgs:
    """Inputs of :class:`TimescaleBackup`; backups are kept for ``days``."""

    names: Names
    place: Place
    lifetime: Lifetime
    cluster_name: pulumi.Input[str]
    kms_key_arn: pulumi.Input[str]
    days: int


class TimescaleBackup(pulumi.ComponentResource):
    """Where TimescaleDB is restored from.

    Produces a :class:`PrivateBucket` and a :class:`ServiceRole` with its ``PodIdentityAssociation``.

    Source: CloudNativePG, "Barman Cloud plugin", "Object Store Providers".
    """

    bucket_name: pulumi.Output[str]

    def __init__(
        self, name: str, args: TimescaleBackupArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("vanta:aws:TimescaleBackup", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        bucket = PrivateBucket(
            NOUN,
            BucketArgs(
                names=args.names,
                lifetime=args.lifetime,
                layer="analytics",
                classification="confidential",
                kms_key_arn=args.kms_key_arn,
                # A deleted backup can be brought back as long; none is kept for ever that the operator forgot.
                lifecycle=gone_after(2 * args.days + _SPARE_DAYS, noncurrent_days=args.days),
            ),
            opts=child,
        )
        pod_role(
            NOUN,
            names=args.names,
            place=args.place,
            cluster_name=args.cluster_name,
            account=ACCOUNT,
            description="Backs TimescaleDB up",
            statements=_back_up(args, bucket.arn),
            parent=self,
        )
        self.bucket_name = bucket.name
        self.register_outputs({})


def _back_up(args: TimescaleBackupArgs, bucket_arn: pulumi.Output[str]) -> list[Statement]:
    via = {"kms:ViaService": f"s3.{args.place.region}.amazonaws.com"}
    return [
        {
            "Sid": "ListBackups",
            "Effect": "Allow",
            "Action": ["s3:ListBucket", "s3:ListBucketMultipartUploads"],
            "Resource": bucket_arn,
        },
        {
            "Sid": "WriteReadAndForgetBackups",
            "Effect": "Allow",
            "Action": [
                "s3:AbortMultipartUpload",
                "s3:DeleteObject",
                "s3:GetObject",
                "s3:ListMultipartUploadParts",
                "s3:PutObject",
            ],
            "Resource": pulumi.Output.concat(bucket_arn, "/*"),
        },
        {
            "Sid": "EncryptBackups",
            "Effect": "Allow",
            "Action": ["kms:Decrypt", "kms:GenerateDataKey"],
            "Resource": args.kms_key_arn,
            "Condition": {"StringEquals": via},
        },
    ]
