"""The alarms: what people have to know of before their users do."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import pulumi
import pulumi_aws as aws

from infra.names import Names

PERIOD_SECONDS = 60
# Five minutes in a row: what passes by itself wakes nobody.
PERIODS = 5


@dataclass(frozen=True, kw_only=True)
class Alarm:
    """One condition that has to hold for five minutes; ``unit`` says in which unit the metric and ``threshold`` count."""

    noun: str
    description: str
    namespace: Literal["AWS/RDS", "AWS/ElastiCache"]
    metric: str
    unit: Literal["%", "ms", "s", "bytes", "count"]
    dimensions: dict[str, str]
    above: float | None = None
    below: float | None = None

    @property
    def threshold(self) -> float:
        """The number that the metric must not cross."""
        threshold = self.above if self.below is None else self.below
        if threshold is None:
            raise ValueError(f"{self.noun} has no threshold")
        return threshold


@dataclass(frozen=True, kw_only=True)
class AlarmsArgs:
    """Inputs of :class:`Alarms`."""

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
                name=args.names.of(alarm.noun),
                alarm_description=f"{alarm.description} ({alarm.unit})",
                namespace=alarm.namespace,
                metric_name=alarm.metric,
                dimensions=alarm.dimensions,
                # One bad moment in each of five minutes counts, an average would hide it.
                statistic="Maximum" if rising else "Minimum",
                comparison_operator="GreaterThanThreshold" if rising else "LessThanThreshold",
                threshold=alarm.threshold,
                period=PERIOD_SECONDS,
                evaluation_periods=PERIODS,
                datapoints_to_alarm=PERIODS,
                # A primary reports no lag and a sleeping cluster no load.
                treat_missing_data="notBreaching",
                alarm_actions=[args.topic_arn],
                ok_actions=[args.topic_arn],
                tags=args.names.tags(layer="foundation", classification="internal"),
                opts=pulumi.ResourceOptions(parent=self),
            )
        self.register_outputs({})
