"""The alarms: what people have to know of before their users do."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import pulumi
import pulumi_aws as aws

from infra.names import Names

PERIOD_SECONDS = 60
# Five minutes in a row: what passes by itself wakes nobody.
MINUTES = 5


@dataclass(frozen=True, kw_only=True)
class Alarm:
    """One condition that has to hold for ``minutes``; ``unit`` says in which unit the metric and ``threshold`` count.

    What is counted one by one is added up for a minute (``total``); of everything else the worst value of it is taken.
    """

    noun: str
    description: str
    namespace: Literal["AWS/ApplicationELB", "AWS/Lambda", "AWS/RDS", "AWS/ElastiCache", "AWS/S3", "Vanta"]
    metric: str
    unit: Literal["%", "ms", "s", "bytes", "count"]
    dimensions: Mapping[str, pulumi.Input[str]]
    above: float | None = None
    below: float | None = None
    minutes: int = MINUTES
    total: bool = False

    @property
    def threshold(self) -> float:
        """The number that the metric must not cross."""
        threshold = self.above if self.below is None else self.below
        if threshold is None:
            raise ValueError(f"{self.noun} has no threshold")
        return threshold

    @property
    def statistic(self) -> Literal["Maximum", "Minimum", "Sum"]:
        """What stands for a minute: one bad moment of it counts, an average would hide it."""
        if self.total:
            return "Sum"
        return "Maximum" if self.below is None else "Minimum"


@dataclass(frozen=True, kw_only=True)
class AlarmsArgs:
    """Inputs of :class:`Alarms`; topic and metrics are of the region of ``names``, as CloudWatch requires."""

    names: Names
    topic_arn: pulumi.Input[str]
    alarms: Sequence[Alarm]


class Alarms(pulumi.ComponentResource):
    """Alarms that publish to a topic when they begin and when they end.

    Produces a ``MetricAlarm`` for each.

    Source: Amazon CloudWatch User Guide, "Using Amazon CloudWatch alarms".
    """

    def __init__(self, name: str, args: AlarmsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("vanta:aws:Alarms", name, None, opts)
        for alarm in args.alarms:
            rising = alarm.below is None
            aws.cloudwatch.MetricAlarm(
                alarm.noun,
                region=args.names.region,
                name=args.names.of(alarm.noun),
                alarm_description=f"{alarm.description} ({alarm.unit})",
                namespace=alarm.namespace,
                metric_name=alarm.metric,
                dimensions=alarm.dimensions,
                statistic=alarm.statistic,
                comparison_operator="GreaterThanThreshold" if rising else "LessThanThreshold",
                threshold=alarm.threshold,
                period=PERIOD_SECONDS,
                evaluation_periods=alarm.minutes,
                datapoints_to_alarm=alarm.minutes,
                # A primary reports no lag and a sleeping cluster no load.
                treat_missing_data="notBreaching",
                alarm_actions=[args.topic_arn],
                ok_actions=[args.topic_arn],
                tags=args.names.tags(layer="foundation", classification="internal"),
                opts=pulumi.ResourceOptions(parent=self),
            )
        self.register_outputs({})
