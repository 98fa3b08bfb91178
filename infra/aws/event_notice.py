"""A notice: what an AWS service finds is told to people."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_aws as aws

from infra.names import Names


@dataclass(frozen=True, kw_only=True)
class EventNoticeArgs:
    """Inputs of :class:`EventNotice`; ``pattern`` says which events of the account's default bus."""

    names: Names
    description: str
    pattern: Mapping[str, Any]
    topic_arn: pulumi.Input[str]


class EventNotice(pulumi.ComponentResource):
    """A rule that publishes events to the topic of the alarms.

    The target has no role: the policies of topic and key let rules of this stack in, as EventBridge wants it for an
    encrypted topic.

    Produces ``EventRule`` and ``EventTarget``.

    Source: Amazon EventBridge User Guide, "Using resource-based policies for Amazon EventBridge".
    """

    def __init__(self, name: str, args: EventNoticeArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("vanta:aws:EventNotice", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        rule = aws.cloudwatch.EventRule(
            name,
            name=args.names.of(name),
            description=args.description,
            event_pattern=json.dumps(args.pattern),
            tags=args.names.tags(layer="foundation", classification="internal"),
            opts=child,
        )
        aws.cloudwatch.EventTarget(name, rule=rule.name, target_id="topic", arn=args.topic_arn, opts=child)
        self.register_outputs({})
