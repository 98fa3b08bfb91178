"""The trail: every call to AWS in the account, and every access to the audit log, where nobody can take it back."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_aws as aws

from infra.aws.audit import immutability
from infra.aws.bucket import BucketArgs, PrivateBucket, gone_after
from infra.aws.options import holding_data
from infra.aws.place import Place
from infra.aws.service_role import ServiceRole, ServiceRoleArgs
from infra.names import Names
from infra.settings.audit import AuditSettings, lock_days
from infra.settings.lifetime import Lifetime


@dataclass(frozen=True, kw_only=True)
class TrailArgs:
    """Inputs of :class:`Trail`.

    What it delivers is locked as the audit log is, and goes when the lock ends; CloudWatch Logs keeps a searchable copy for
    ``retention_days``. Access to each object of ``watched_bucket_arns`` is recorded too.
    """

    names: Names
    place: Place
    lifetime: Lifetime
    lock: AuditSettings
    retention_days: int
    evidence_key_arn: pulumi.Input[str]
    logs_key_arn: pulumi.Input[str]
    watched_bucket_arns: Sequence[pulumi.Input[str]]


class Trail(pulumi.ComponentResource):
    """A trail of all regions with signed digests, in a locked bucket and in a log group.

    Each stack has its own: an account may have five in a region, and from the second on the same events are paid for again.

    Produces ``Trail``, a :class:`PrivateBucket` with ``BucketObjectLockConfiguration``, ``LogGroup``, and the
    :class:`ServiceRole` of the delivery.

    Source: AWS CloudTrail User Guide, "Amazon S3 bucket policy for CloudTrail", "Role policy document for CloudTrail to use
    CloudWatch Logs for monitoring", "Security best practices in AWS CloudTrail" and "Quotas in AWS CloudTrail".
    """

    bucket: pulumi.Output[str]
    log_group_name: pulumi.Output[str]

    def __init__(self, name: str, args: TrailArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("vanta:aws:Trail", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        identifier = args.names.of(name)
        tags = args.names.tags(layer="audit", classification="restricted")

        bucket = self._locked_bucket(name, args)
        group = aws.cloudwatch.LogGroup(
            name,
            name=f"/aws/cloudtrail/{identifier}",
            retention_in_days=args.retention_days,
            kms_key_id=args.logs_key_arn,
            tags=tags,
            opts=holding_data(self, lifetime=args.lifetime),
        )
        role = ServiceRole(
            name,
            ServiceRoleArgs(
                names=args.names,
                description="Delivers the trail to its log group",
                trust=_assumed_by_the_trail(identifier, args.place),
                statements=[_delivery(group.arn, args.place)],
            ),
            opts=child,
        )
        aws.cloudtrail.Trail(
            name,
            name=identifier,
            s3_bucket_name=bucket.name,
            kms_key_id=args.evidence_key_arn,
            cloud_watch_logs_group_arn=group.arn.apply(lambda arn: f"{arn}:*"),
            cloud_watch_logs_role_arn=role.arn,
            is_multi_region_trail=True,
            include_global_service_events=True,
            enable_log_file_validation=True,
            advanced_event_selectors=[
                {
                    "name": "Calls that manage the account",
                    "field_selectors": [{"field": "eventCategory", "equals": ["Management"]}],
                },
                {
                    "name": "Access to the audit log",
                    "field_selectors": [
                        {"field": "eventCategory", "equals": ["Data"]},
                        {"field": "resources.type", "equals": ["AWS::S3::Object"]},
                        {
                            "field": "resources.ARN",
                            "starts_withs": [
                                pulumi.Output.format("{0}/", arn) for arn in args.watched_bucket_arns
                            ],
                        },
                    ],
                },
            ],
            tags=tags,
            # CloudTrail tries the bucket and the role before it accepts a trail.
            opts=pulumi.ResourceOptions(parent=self, depends_on=[bucket, *role.ready]),
        )

        self.bucket, self.log_group_name = bucket.name, group.name
        self.register_outputs({"bucket": self.bucket, "logGroupName": self.log_group_name})

    def _locked_bucket(self, name: str, args: TrailArgs) -> PrivateBucket:
        days = lock_days(args.lock.lock_period)
        bucket = PrivateBucket(
            name,
            BucketArgs(
                names=args.names,
                lifetime=args.lifetime,
                layer="audit",
                classification="restricted",
                # No key here: CloudTrail names its own for each log file, and encrypts its digests with S3's.
                object_lock=True,
                statements=[
                    *immutability(args.lock),
                    *trail_delivery(args.names.of(name), args.place),
                ],
                lifecycle=gone_after(days),
            ),
            opts=pulumi.ResourceOptions(parent=self),
        )
        aws.s3.BucketObjectLockConfiguration(
            name,
            bucket=bucket.name,
            rule={"default_retention": {"mode": args.lock.lock_mode, "days": days}},
            # S3 refuses a lock configuration until versioning is on.
            opts=pulumi.ResourceOptions(parent=self, depends_on=[bucket.versioning]),
        )
        return bucket


def trail_delivery(identifier: str, place: Place) -> list[dict[str, Any]]:
    """The statements by which one trail, and no other, looks at its bucket and writes to it."""
    principal = {"Service": "cloudtrail.amazonaws.com"}
    of_the_trail = {"aws:SourceArn": place.arn("cloudtrail", f"trail/{identifier}")}
    return [
        {
            "Sid": "TrailLooks",
            "Effect": "Allow",
            "Principal": principal,
            "Action": "s3:GetBucketAcl",
            "Condition": {"StringEquals": of_the_trail},
        },
        {
            "Sid": "TrailDelivers",
            "Effect": "Allow",
            "Principal": principal,
            "Action": "s3:PutObject",
            "Condition": {"StringEquals": {**of_the_trail, "s3:x-amz-acl": "bucket-owner-full-control"}},
        },
    ]


def _assumed_by_the_trail(identifier: str, place: Place) -> dict[str, Any]:
    return {
        "Sid": "AssumedByTheTrail",
        "Effect": "Allow",
        "Principal": {"Service": "cloudtrail.amazonaws.com"},
        "Action": "sts:AssumeRole",
        "Condition": {
            "StringEquals": {
                "aws:SourceAccount": place.account_id,
                "aws:SourceArn": place.arn("cloudtrail", f"trail/{identifier}"),
            }
        },
    }


def _delivery(log_group_arn: pulumi.Output[str], place: Place) -> dict[str, Any]:
    """What the delivery does; it names its streams after account and region."""
    streams = f"{place.account_id}_CloudTrail_{place.region}*"
    return {
        "Sid": "WriteIntoItsStreams",
        "Effect": "Allow",
        "Action": ["logs:CreateLogStream", "logs:PutLogEvents"],
        "Resource": pulumi.Output.format("{0}:log-stream:{1}", log_group_arn, streams),
    }
