"""What people see of a stack at a glance, and when they hear that a month gets too dear."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from infra.aws.alarms import Alarm
from infra.aws.dashboard import body
from infra.aws.place import Place
from infra.names import Names
from infra.refusal import SettingsError
from infra.settings import parse

Declare = Callable[..., Any]
GOLDEN = Path(__file__).parent / "golden" / "dashboard.json"
NAMES = Names(stack="dr", owner="platform", account_id="111122223333", region="eu-central-1")
PLACE = Place(
    account_id="111122223333",
    partition="aws",
    region="eu-central-1",
    zones=("eu-central-1a", "eu-central-1b"),
)


# dashboard


def test_the_dashboard_shows_what_alarms_watch_with_their_thresholds() -> None:
    drawn = body(
        NAMES,
        PLACE,
        [
            Alarm(
                noun=f"database-{role}-cpu",
                description="busy",
                namespace="AWS/RDS",
                metric="CPUUtilization",
                unit="%",
                dimensions={"DBClusterIdentifier": "vanta-dr-database", "Role": role.upper()},
                above=90,
            )
            for role in ("writer", "reader")
        ]
        + [
            Alarm(
                noun="edge-errors",
                description="errors",
                namespace="AWS/ApplicationELB",
                metric="HTTPCode_Target_5XX_Count",
                unit="count",
                dimensions={"LoadBalancer": "app/vanta-dr-api/0123"},
                above=10,
                total=True,
            )
        ],
    )
    assert drawn == json.loads(GOLDEN.read_text())


def test_every_alarm_of_the_region_is_on_the_dashboard(prod: Any) -> None:
    page = json.loads(prod.one("cloudwatch/dashboard:Dashboard").inputs["dashboardBody"])
    lines = [line for w in page["widgets"] if w["type"] == "metric" for line in w["properties"]["metrics"]]
    room = {alarm.name for alarm in prod.all("MetricAlarm") if alarm.parent.endswith("::alarms")}
    assert {line[-1]["label"] for line in lines} == room
    assert not [w for w in page["widgets"] if w["x"] + w["width"] > 24]


# budget


def test_people_hear_of_a_dear_month_before_it_is_over(prod: Any) -> None:
    budget = prod.one("budgets/budget:Budget").inputs
    assert (budget["limitAmount"], budget["limitUnit"], budget["timeUnit"]) == ("6000", "USD", "MONTHLY")
    told = {(each["notificationType"], each["threshold"]) for each in budget["notifications"]}
    assert told == {("ACTUAL", 80), ("ACTUAL", 100), ("FORECASTED", 100)}
    assert all(
        each["subscriberSnsTopicArns"][0].endswith(":notifications") for each in budget["notifications"]
    )


def test_a_budget_counts_what_carries_both_tags_of_the_stack(prod: Any) -> None:
    assert prod.one("budgets/budget:Budget").inputs["filterExpression"] == {
        "ands": [
            {"tags": {"key": "project", "values": ["vanta"]}},
            {"tags": {"key": "stack", "values": ["prod"]}},
        ]
    }


def test_without_a_limit_there_is_no_budget(declare: Declare) -> None:
    assert not declare("local").all("budgets/budget:Budget")


def test_a_budget_below_nothing_is_refused(configuration: Callable[..., dict[str, Any]]) -> None:
    with pytest.raises(SettingsError) as refused:
        parse(configuration("dev", {"budget": {"monthlyUsd": -1}}), "dev")
    assert str(refused.value) == (
        "vanta:budget.monthlyUsd is -1 which is out of range. Use 0 to 100000000 dollars."
    )
