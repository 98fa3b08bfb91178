"""The attempts to delete from the audit log: all are denied, and each one is somebody's question to answer."""

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from infra.aws.alarms import Alarm, Alarms, AlarmsArgs
from infra.names import Names

NAMESPACE = "Vanta"


@dataclass(frozen=True, kw_only=True)
class DeletionAttemptsArgs:
    """Inputs of :class:`DeletionAttempts`.

    ``log_group_name`` is where CloudTrail delivers the data events of ``bucket_names``, those of every region.
    """

    names: Names
    log_group_name: pulumi.Input[str]
    bucket_names: Sequence[str]
    topic_arn: pulumi.Input[str]


class DeletionAttempts(pulumi.ComponentResource):
    """An alarm a minute after somebody asked to delete from one of the buckets, whether object, version or many at once.

    A deletion of many is answered with success and a denial for each, so that every attempt counts, not the denied alone.

    Produces ``LogMetricFilter`` and :class:`Alarms`.

    Source: Amazon S3 User Guide, "Amazon S3 CloudTrail events"; Amazon CloudWatch Logs User Guide, "Filter pattern syntax
    for metric filters".
    """

    def __init__(
        self, name: str, args: DeletionAttemptsArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("vanta:aws:DeletionAttempts", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        # CloudWatch tells namespaces of one account apart by nothing else than their names.
        metric = args.names.of("audit-deletion-attempts")
        aws.cloudwatch.LogMetricFilter(
            name,
            name=metric,
            log_group_name=args.log_group_name,
            pattern=pattern(args.bucket_names),
            metric_transformation={
                "name": metric,
                "namespace": NAMESPACE,
                "value": "1",
                "default_value": "0",
            },
            opts=child,
        )
        Alarms(
            name,
            AlarmsArgs(
                names=args.names,
                topic_arn=args.topic_arn,
                alarms=[
                    Alarm(
                        noun="audit-deletion-attempts",
                        description="Somebody tried to delete from the audit log; CloudTrail says who",
                        namespace=NAMESPACE,
                        metric=metric,
                        unit="count",
                        dimensions={},
                        above=0,
                        minutes=1,
                    )
                ],
            ),
            opts=child,
        )
        self.register_outputs({})


def pattern(bucket_names: Sequence[str]) -> str:
    """What CloudWatch Logs finds an attempt by, in the events of CloudTrail."""
    buckets = " || ".join(f'($.requestParameters.bucketName = "{name}")' for name in bucket_names)
    return f'{{ ($.eventSource = "s3.amazonaws.com") && ($.eventName = "DeleteObject*") && ({buckets}) }}'
