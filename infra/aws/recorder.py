"""The recorder: how every resource was configured at any time, and whether it keeps our promises."""

from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_aws as aws

from infra.aws.bucket import BucketArgs, PrivateBucket, gone_after
from infra.aws.event_notice import EventNotice, EventNoticeArgs
from infra.aws.place import Place
from infra.aws.service_role import ServiceRole, ServiceRoleArgs
from infra.names import Names
from infra.settings.lifetime import Lifetime

# AWS Config Developer Guide, "List of AWS Config Managed Rules": such as are triggered by changes of what carries a tag,
# so that they judge this stack's resources and nobody else's.
PROMISES = {
    "S3_BUCKET_VERSIONING_ENABLED": "What is overwritten in a bucket can be brought back",
    "S3_BUCKET_SSL_REQUESTS_ONLY": "Buckets answer over TLS only",
    "S3_BUCKET_LEVEL_PUBLIC_ACCESS_PROHIBITED": "No bucket can be made public",
    "RDS_CLUSTER_ENCRYPTED_AT_REST": "The database is encrypted",
    "RDS_STORAGE_ENCRYPTED": "The storage of its instances is encrypted",
    "RDS_INSTANCE_PUBLIC_ACCESS_CHECK": "No instance has a public address",
    "VPC_DEFAULT_SECURITY_GROUP_CLOSED": "Whoever names no security group can reach nothing",
    "SNS_ENCRYPTED_KMS": "What alarms say is encrypted",
}
# The same, for stacks that promise to keep their data.
KEPT_PROMISES = {"RDS_CLUSTER_DELETION_PROTECTION_ENABLED": "The database cannot be deleted by one mistake"}


@dataclass(frozen=True, kw_only=True)
class RecorderArgs:
    """Inputs of :class:`Recorder`; what it delivers is kept for ``retention_days``.

    Resources of the whole account, such as roles, are recorded in one region: the one with ``global_resources``.
    """

    names: Names
    place: Place
    lifetime: Lifetime
    evidence_key_arn: pulumi.Input[str]
    topic_arn: pulumi.Input[str]
    retention_days: int
    global_resources: bool


class Recorder(pulumi.ComponentResource):
    """The AWS Config recorder of the account in this region, and rules that say when a promise is broken.

    An account has one recorder and one delivery channel in a region: AWS Config refuses a second, so one stack owns them.

    Produces ``Recorder``, ``DeliveryChannel``, ``RecorderStatus``, a ``Rule`` for each promise, a :class:`PrivateBucket`,
    the :class:`ServiceRole` of the delivery, and an :class:`EventNotice`.

    Source: AWS Config Developer Guide, "Permissions for the IAM Role Assigned to AWS Config" and "Managing the Delivery
    Channel".
    """

    bucket: pulumi.Output[str]

    def __init__(self, name: str, args: RecorderArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("vanta:aws:Recorder", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        bucket = self._bucket(name, args)
        self.bucket = bucket.name

        role = self._role(name, args, bucket.arn)
        recorder = aws.cfg.Recorder(
            name,
            name=args.names.of(name),
            role_arn=role.arn,
            recording_group={
                "all_supported": True,
                "include_global_resource_types": args.global_resources,
            },
            opts=pulumi.ResourceOptions(parent=self, depends_on=role.ready),
        )
        channel = aws.cfg.DeliveryChannel(
            name,
            name=args.names.of(name),
            s3_bucket_name=bucket.name,
            s3_kms_key_arn=args.evidence_key_arn,
            snapshot_delivery_properties={"delivery_frequency": "TwentyFour_Hours"},
            # AWS Config accepts no channel before there is something to deliver.
            opts=pulumi.ResourceOptions(parent=self, depends_on=[recorder, bucket]),
        )
        recording = aws.cfg.RecorderStatus(
            name,
            name=recorder.name,
            is_enabled=True,
            opts=pulumi.ResourceOptions(parent=self, depends_on=[channel]),
        )
        self._rules(args, recording)
        EventNotice(
            name,
            EventNoticeArgs(
                names=args.names,
                description="Resources that break a promise",
                pattern={
                    "source": ["aws.config"],
                    "detail-type": ["Config Rules Compliance Change"],
                    "detail": {
                        "messageType": ["ComplianceChangeNotification"],
                        "configRuleName": [{"prefix": args.names.of("")}],
                        "newEvaluationResult": {"complianceType": ["NON_COMPLIANT"]},
                    },
                },
                topic_arn=args.topic_arn,
            ),
            opts=child,
        )
        self.register_outputs({"bucket": self.bucket})

    def _bucket(self, name: str, args: RecorderArgs) -> PrivateBucket:
        return PrivateBucket(
            name,
            BucketArgs(
                names=args.names,
                lifetime=args.lifetime,
                layer="audit",
                classification="restricted",
                # No object lock: AWS Config does not deliver to a bucket with a default retention. No key either: the
                # channel names it, and what AWS Config writes to try the bucket is encrypted with S3's own.
                lifecycle=gone_after(args.retention_days, noncurrent_days=args.retention_days),
            ),
            opts=pulumi.ResourceOptions(parent=self),
        )

    def _role(self, name: str, args: RecorderArgs, bucket_arn: pulumi.Output[str]) -> ServiceRole:
        managed = f"arn:{args.place.partition}:iam::aws:policy/service-role/AWS_ConfigRole"
        return ServiceRole(
            name,
            ServiceRoleArgs(
                names=args.names,
                description="Records configurations and delivers them",
                trust=_assumed_by_config(args.place),
                # What describing every resource takes, AWS keeps itself, as resource types are added.
                managed=[managed],
                statements=_delivery(bucket_arn, args),
            ),
            opts=pulumi.ResourceOptions(parent=self),
        )

    def _rules(self, args: RecorderArgs, recording: pulumi.Resource) -> None:
        promises = {**PROMISES, **(KEPT_PROMISES if args.lifetime.protected else {})}
        for identifier, promise in promises.items():
            noun = identifier.lower().replace("_", "-")
            aws.cfg.Rule(
                noun,
                name=args.names.of(noun),
                description=promise,
                source={"owner": "AWS", "source_identifier": identifier},
                scope={"tag_key": "stack", "tag_value": args.names.stack},
                tags=args.names.tags(layer="audit", classification="internal"),
                opts=pulumi.ResourceOptions(parent=self, depends_on=[recording]),
            )


def _assumed_by_config(place: Place) -> dict[str, Any]:
    return {
        "Sid": "AssumedByConfig",
        "Effect": "Allow",
        "Principal": {"Service": "config.amazonaws.com"},
        "Action": "sts:AssumeRole",
        "Condition": {"StringEquals": {"aws:SourceAccount": place.account_id}},
    }


def _delivery(bucket_arn: pulumi.Output[str], args: RecorderArgs) -> list[dict[str, Any]]:
    """What the delivery does: look at the bucket, write below its own prefix, with the key of the evidence."""
    return [
        {
            "Sid": "LookAtTheBucket",
            "Effect": "Allow",
            "Action": ["s3:GetBucketAcl", "s3:ListBucket"],
            "Resource": bucket_arn,
        },
        {
            "Sid": "DeliverConfigurations",
            "Effect": "Allow",
            "Action": "s3:PutObject",
            "Resource": pulumi.Output.format("{0}/AWSLogs/{1}/*", bucket_arn, args.place.account_id),
        },
        {
            "Sid": "EncryptConfigurations",
            "Effect": "Allow",
            "Action": ["kms:Decrypt", "kms:GenerateDataKey"],
            "Resource": args.evidence_key_arn,
        },
    ]
