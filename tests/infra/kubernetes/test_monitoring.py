"""What is watched: every metric named exists, an alert comes when the workbook says, and the dashboard is as committed."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from infra.kubernetes.dashboard import STATE_API
from infra.kubernetes.objectives import BURN_RATES, OBJECTIVE, rule_groups

ROOT = Path(__file__).resolve().parents[3]
GOLDEN = ROOT / "tests" / "infra" / "golden" / "grafana-state-api.json"
METRICS = set(
    re.findall(
        r"^\| `(\w+)` \| \w+ \|", (ROOT / "docs" / "reference" / "metrics.md").read_text(), flags=re.MULTILINE
    )
)
RULES = [rule for group in rule_groups() for rule in group["rules"]]
EXPRESSIONS = [
    *(rule["expr"] for rule in RULES),
    *(line.expression for panel in STATE_API.panels for line in panel.lines),
]


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_every_metric_that_is_asked_for_exists(expression: str) -> None:
    asked = {re.sub(r"_(bucket|sum|count)$", "", name) for name in re.findall(r"\bvanta_\w+", expression)}
    assert asked <= METRICS
    assert asked or "slo:errors:ratio_rate" in expression or "up{" in expression


def test_every_recorded_series_that_is_asked_for_is_recorded() -> None:
    recorded = {rule["record"] for rule in RULES if "record" in rule}
    asked = {name for each in EXPRESSIONS for name in re.findall(r"slo:errors:ratio_rate\w+", each)}
    assert asked <= recorded


def test_alerts_come_as_fast_as_the_workbook_says() -> None:
    """The Site Reliability Workbook, chapter 5: how much of 30 days' budget is gone when an alert comes."""
    seconds = {"m": 60, "h": 3600, "d": 86_400}
    spent = {
        rate.long: rate.factor * int(rate.long[:-1]) * seconds[rate.long[-1]] / (30 * 86_400)
        for rate in BURN_RATES
    }
    assert spent == pytest.approx({"1h": 0.02, "6h": 0.05, "1d": 0.1, "3d": 0.1})
    for rate in BURN_RATES:
        long, short = (int(w[:-1]) * seconds[w[-1]] for w in (rate.long, rate.short))
        assert long == 12 * short
    assert [rate.severity for rate in BURN_RATES] == ["page", "page", "ticket", "ticket"]
    assert OBJECTIVE == 0.999


def test_an_alert_needs_both_windows_over_the_bound() -> None:
    fastest = next(rule for rule in RULES if rule.get("alert") == "VantaErrorBudgetBurns")
    assert fastest["expr"] == (
        'slo:errors:ratio_rate1h{slo="vanta-availability"} > (14.4 * 0.001)'
        ' and slo:errors:ratio_rate5m{slo="vanta-availability"} > (14.4 * 0.001)'
    )


def test_every_alert_says_how_urgent_it_is_and_what_it_means() -> None:
    for rule in RULES:
        if "alert" in rule:
            assert rule["labels"]["severity"] in {"page", "ticket"}
            assert rule["annotations"]["summary"]
            assert (ROOT / rule["annotations"]["runbook"]).exists()


def test_the_pods_are_scraped_under_the_job_that_rules_ask_for(prod: Any) -> None:
    monitor = prod.one("ServiceMonitor").inputs["spec"]
    service = prod.one("Service").inputs
    assert monitor["selector"]["matchLabels"].items() <= service["metadata"]["labels"].items()
    assert service["metadata"]["labels"][monitor["jobLabel"]] == "state-api"
    (endpoint,) = monitor["endpoints"]
    assert endpoint["port"] == service["spec"]["ports"][0]["name"]


def test_rules_and_dashboard_are_where_prometheus_and_grafana_look(prod: Any) -> None:
    assert prod.one("PrometheusRule").inputs["spec"]["groups"] == rule_groups()
    dashboards = prod.one("ConfigMap", "dashboards").inputs
    label = prod.one("Release", "monitoring").inputs["values"]["grafana"]["sidecar"]["dashboards"]["label"]
    assert label in dashboards["metadata"]["labels"]
    assert json.loads(dashboards["data"]["state-api.json"])["uid"] == "vanta-state-api"


def test_the_dashboard_is_as_committed(tmp_path: Path) -> None:
    drawn = tmp_path / GOLDEN.name
    drawn.write_text(STATE_API.as_json() + "\n")
    assert drawn.read_text() == GOLDEN.read_text(), f"Look at {drawn}; if it is right, copy it to {GOLDEN}."


def test_panels_do_not_lie_over_each_other() -> None:
    cells = set()
    for panel in json.loads(STATE_API.as_json())["panels"]:
        place = panel["gridPos"]
        mine = {(place["x"] + x, place["y"] + y) for x in range(place["w"]) for y in range(place["h"])}
        assert not cells & mine
        assert max(x for x, _ in mine) < 24
        cells |= mine
