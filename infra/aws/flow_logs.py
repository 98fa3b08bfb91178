"""The flow logs: who talked to whom in the network, and who tried."""

import json
from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_aws as aws

from infra.aws.options import holding_data
from infra.aws.place import Place
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

    Produces ``LogGroup``, ``FlowLog``, and the ``Role`` of the delivery with its ``RolePolicy``.

    Source: Amazon VPC User Guide, "IAM role for publishing flow logs to CloudWatch Logs".
    """

    log_group_arn: pulumi.Output[str]

    def __init__(self, name: str, args: FlowLogsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("vanta:aws:FlowLogs", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        identifier = args.names.of(name)
        tags = args.names.tags(layer="foundation", classification="confidential", name=name)

        group = aws.cloudwatch.LogGroup(
            name,
            name=f"/aws/vpc/{identifier}",
            retention_in_days=args.retention_days,
            kms_key_id=args.logs_key_arn,
            tags=tags,
            opts=holding_data(self, lifetime=args.lifetime),
        )
        self.log_group_arn = group.arn
        role = aws.iam.Role(
            name,
            name=identifier,
            description="Delivers the flow logs of the network",
            assume_role_policy=json.dumps(_assumed_by_delivery(args.place)),
            tags=tags,
            opts=child,
        )
        policy = aws.iam.RolePolicy(
            name,
            name=identifier,
            role=role.name,
            policy=group.arn.apply(lambda arn: json.dumps(_delivery(arn, args.place))),
            opts=child,
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
            opts=pulumi.ResourceOptions(parent=self, depends_on=[policy]),
        )
        self.register_outputs({"logGroupArn": self.log_group_arn})


def _assumed_by_delivery(place: Place) -> dict[str, Any]:
    """Who may assume the role: the delivery service, for flow logs of this account and region alone."""
    flow_logs = f"arn:{place.partition}:ec2:{place.region}:{place.account_id}:vpc-flow-log/*"
    return {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": "AssumedByFlowLogs",
                "Effect": "Allow",
                "Principal": {"Service": "vpc-flow-logs.amazonaws.com"},
                "Action": "sts:AssumeRole",
                "Condition": {
                    "StringEquals": {"aws:SourceAccount": place.account_id},
                    "ArnLike": {"aws:SourceArn": flow_logs},
                },
            }
        ],
    }


def _delivery(log_group_arn: str, place: Place) -> dict[str, Any]:
    """What the delivery does; the log group exists, so it need not create one."""
    log_groups = f"arn:{place.partition}:logs:{place.region}:{place.account_id}:log-group:*"
    return {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": "WriteIntoItsLogGroup",
                "Effect": "Allow",
                "Action": ["logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"],
                "Resource": [log_group_arn, f"{log_group_arn}:*"],
            },
            {
                # The call lists groups: it cannot be limited to one of them.
                "Sid": "FindItsLogGroup",
                "Effect": "Allow",
                "Action": "logs:DescribeLogGroups",
                "Resource": log_groups,
            },
        ],
    }
