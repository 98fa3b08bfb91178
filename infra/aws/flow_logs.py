"""The flow logs: who talked to whom in the network, and who tried."""

from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from infra.aws.options import holding_data
from infra.aws.place import Place
from infra.aws.policy_document import Statement
from infra.aws.service_role import ServiceRole, ServiceRoleArgs
from infra.names import Names
from infra.settings.lifetime import Lifetime


@dataclass(frozen=True, kw_only=True)
class FlowLogsArgs:
    """Inputs of :class:`FlowLogs`; CloudWatch Logs keeps them for ``retention_days``."""

    names: Names
    place: Place
    lifetime: Lifetime
    vpc_id: pulumi.Input[str]
    logs_key_arn: pulumi.Input[str]
    retention_days: int


class FlowLogs(pulumi.ComponentResource):
    """A record of every connection of the network, accepted or rejected, in an encrypted log group.

    Produces ``LogGroup``, ``FlowLog``, and the :class:`ServiceRole` of the delivery.

    Source: Amazon VPC User Guide, "IAM role for publishing flow logs to CloudWatch Logs".
    """

    log_group_arn: pulumi.Output[str]

    def __init__(self, name: str, args: FlowLogsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("vanta:aws:FlowLogs", name, None, opts)
        tags = args.names.tags(layer="foundation", classification="confidential", name=name)

        group = aws.cloudwatch.LogGroup(
            name,
            name=f"/aws/vpc/{args.names.of(name)}",
            retention_in_days=args.retention_days,
            kms_key_id=args.logs_key_arn,
            tags=tags,
            opts=holding_data(self, lifetime=args.lifetime),
        )
        self.log_group_arn = group.arn
        role = ServiceRole(
            name,
            ServiceRoleArgs(
                names=args.names,
                description="Delivers the flow logs of the network",
                trust=_assumed_by_delivery(args.place),
                statements=_delivery(group.arn, args.place),
            ),
            opts=pulumi.ResourceOptions(parent=self),
        )
        aws.ec2.FlowLog(
            name,
            vpc_id=args.vpc_id,
            traffic_type="ALL",
            log_destination_type="cloud-watch-logs",
            log_destination=group.arn,
            iam_role_arn=role.arn,
            tags=tags,
            # A flow log made before its role may write shows an access error until AWS tries again.
            opts=pulumi.ResourceOptions(parent=self, depends_on=role.ready),
        )
        self.register_outputs({"logGroupArn": self.log_group_arn})


def _assumed_by_delivery(place: Place) -> Statement:
    """Who may assume the role: the delivery service, for flow logs of this account and region alone."""
    return {
        "Sid": "AssumedByFlowLogs",
        "Effect": "Allow",
        "Principal": {"Service": "vpc-flow-logs.amazonaws.com"},
        "Action": "sts:AssumeRole",
        "Condition": {
            "StringEquals": {"aws:SourceAccount": place.account_id},
            "ArnLike": {"aws:SourceArn": place.arn("ec2", "vpc-flow-log/*")},
        },
    }


def _delivery(log_group_arn: pulumi.Output[str], place: Place) -> list[Statement]:
    """What the delivery does; the log group exists, so it need not create one."""
    return [
        {
            "Sid": "WriteIntoItsLogGroup",
            "Effect": "Allow",
            "Action": ["logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"],
            "Resource": [log_group_arn, pulumi.Output.concat(log_group_arn, ":*")],
        },
        {
            # The call lists groups: it cannot be limited to one of them.
            "Sid": "FindItsLogGroup",
            "Effect": "Allow",
            "Action": "logs:DescribeLogGroups",
            "Resource": place.arn("logs", "log-group:*"),
        },
    ]
