"""The notifications: where what goes wrong is told to people."""

from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from infra.aws.policy_document import Statement, document
from infra.names import Names


@dataclass(frozen=True, kw_only=True)
class NotificationsArgs:
    """Inputs of :class:`Notifications`, for the region of ``names``; no ``email``, no subscription."""

    names: Names
    account_id: str
    kms_key_arn: pulumi.Input[str]
    email: str


class Notifications(pulumi.ComponentResource):
    """An encrypted topic to which alarms, event rules and budgets of this stack publish, and nobody without TLS.

    Produces ``Topic``, ``TopicPolicy`` and, with an address, a ``TopicSubscription``, which its owner has to confirm.

    Source: Amazon SNS Developer Guide, "Enable compatibility between event sources from AWS services and encrypted
    topics" and "Amazon SNS security best practices"; Amazon EventBridge User Guide, "Using IAM policy conditions in Amazon
    EventBridge"; AWS Cost Management User Guide, "Creating an Amazon SNS topic for budget notifications".
    """

    topic_arn: pulumi.Output[str]

    def __init__(
        self, name: str, args: NotificationsArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("vanta:aws:Notifications", name, None, opts)
        child, region = pulumi.ResourceOptions(parent=self), args.names.region

        topic = aws.sns.Topic(
            name,
            region=region,
            name=args.names.of("notifications"),
            kms_master_key_id=args.kms_key_arn,
            tags=args.names.tags(layer="foundation", classification="internal"),
            opts=child,
        )
        self.topic_arn = topic.arn
        aws.sns.TopicPolicy(
            name,
            region=region,
            arn=topic.arn,
            policy=pulumi.Output.json_dumps(document(*_publication(args, topic.arn))),
            opts=child,
        )
        if args.email:
            aws.sns.TopicSubscription(
                name, region=region, topic=topic.arn, protocol="email", endpoint=args.email, opts=child
            )
        self.register_outputs({"topicArn": self.topic_arn})


def _publication(args: NotificationsArgs, topic_arn: pulumi.Output[str]) -> list[Statement]:
    of_the_account = {"StringEquals": {"aws:SourceAccount": args.account_id}}
    of_the_stack = {"ArnLike": {"aws:SourceArn": _rules(args)}}
    publishers = [
        ("PublishedByAlarms", "cloudwatch", of_the_account),
        ("PublishedByBudgets", "budgets", of_the_account),
        ("PublishedByRules", "events", of_the_stack),
    ]
    tls: Statement = {
        "Sid": "OnlyOverTls",
        "Effect": "Deny",
        "Principal": "*",
        "Action": "sns:Publish",
        "Resource": topic_arn,
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }
    return [
        *(
            {
                "Sid": sid,
                "Effect": "Allow",
                "Principal": {"Service": f"{service}.amazonaws.com"},
                "Action": "sns:Publish",
                "Resource": topic_arn,
                "Condition": condition,
            }
            for sid, service, condition in publishers
        ),
        tls,
    ]


def _rules(args: NotificationsArgs) -> str:
    """The event rules of this stack, whatever they are called."""
    return f"arn:*:events:{args.names.region}:{args.account_id}:rule/{args.names.of('')}*"
