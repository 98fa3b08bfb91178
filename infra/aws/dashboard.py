"""The dashboard: what alarms watch, room by room, beside the thresholds at which they begin."""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_aws as aws

from infra.aws.alarms import PERIOD_SECONDS, Alarm
from infra.aws.place import Place
from infra.names import Names

# Amazon CloudWatch API Reference, "Dashboard Body Structure and Syntax": a grid of 24 columns, up to 500 widgets.
COLUMNS = 24
WIDTH, HEIGHT = 8, 6
# The same: up to 100 alarms in the widget that shows their state.
SHOWN_ALARMS = 100


@dataclass(frozen=True, kw_only=True)
class DashboardArgs:
    """Inputs of :class:`Dashboard`; ``alarms`` are those of the region of ``place``."""

    names: Names
    place: Place
    alarms: Sequence[Alarm]


class Dashboard(pulumi.ComponentResource):
    """One page for a stack, drawn from its alarms: another alarm is another line.

    Produces ``Dashboard``.

    Source: Amazon CloudWatch User Guide, "Using Amazon CloudWatch dashboards".
    """

    def __init__(self, name: str, args: DashboardArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("vanta:aws:Dashboard", name, None, opts)
        aws.cloudwatch.Dashboard(
            name,
            dashboard_name=args.names.of(name),
            dashboard_body=pulumi.Output.json_dumps(body(args.names, args.place, args.alarms)),
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.register_outputs({})


def body(names: Names, place: Place, alarms: Sequence[Alarm]) -> dict[str, Any]:
    """The page: the state of the alarms, then for each room a title and its metrics, three in a row."""
    arns = [place.arn("cloudwatch", f"alarm:{names.of(alarm.noun)}") for alarm in alarms]
    widgets = [
        {
            "type": "alarm",
            "x": 0,
            "y": 0,
            "width": COLUMNS,
            "height": HEIGHT,
            "properties": {"title": "Alarms", "alarms": arns[:SHOWN_ALARMS]},
        }
    ]
    below = HEIGHT
    for room in dict.fromkeys(_room(alarm) for alarm in alarms):
        graphs = list(_graphs(place.region, [alarm for alarm in alarms if _room(alarm) == room]))
        widgets.append(
            {
                "type": "text",
                "x": 0,
                "y": below,
                "width": COLUMNS,
                "height": 1,
                "properties": {"markdown": f"## {room}"},
            }
        )
        below += 1
        for index, graph in enumerate(graphs):
            row, column = divmod(index, COLUMNS // WIDTH)
            widgets.append({**graph, "x": column * WIDTH, "y": below + row * HEIGHT})
        below += -(-len(graphs) // (COLUMNS // WIDTH)) * HEIGHT
    return {"widgets": widgets}


def _room(alarm: Alarm) -> str:
    return alarm.noun.split("-", maxsplit=1)[0]


def _graphs(region: str, alarms: Sequence[Alarm]) -> Iterator[dict[str, Any]]:
    """A graph for each metric, a line for each thing that has it."""
    metrics = dict.fromkeys(alarm.metric for alarm in alarms)
    for metric in metrics:
        lines = [alarm for alarm in alarms if alarm.metric == metric]
        yield {
            "type": "metric",
            "width": WIDTH,
            "height": HEIGHT,
            "properties": {
                "title": f"{metric} ({lines[0].unit})",
                "region": region,
                "view": "timeSeries",
                "stat": lines[0].statistic,
                "period": PERIOD_SECONDS,
                "metrics": [_line(alarm) for alarm in lines],
                "annotations": {
                    "horizontal": [
                        {"label": "alarm", "value": threshold}
                        for threshold in dict.fromkeys(alarm.threshold for alarm in lines)
                    ]
                },
            },
        }


def _line(alarm: Alarm) -> list[Any]:
    dimensions = itertools.chain.from_iterable(alarm.dimensions.items())
    return [alarm.namespace, alarm.metric, *dimensions, {"label": alarm.noun}]
