"""A Grafana dashboard from typed panels, as the JSON that Grafana's sidecar loads."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

# Grafana, "Dashboard JSON model": the grid has 24 columns; four panels a row.
_COLUMNS, _WIDTH, _HEIGHT = 24, 6, 8
# The variable by which a dashboard asks which Prometheus; Grafana's own is chosen.
_SOURCE = {"type": "prometheus", "uid": "${source}"}
_SCHEMA_VERSION = 39


@dataclass(frozen=True, kw_only=True)
class Line:
    """What a panel draws: an expression of PromQL, and how its series are called."""

    expression: str
    legend: str


@dataclass(frozen=True, kw_only=True)
class Panel:
    """Lines over time in ``unit``, one of Grafana's; ``limit`` draws a line that should not be crossed."""

    title: str
    description: str
    unit: str
    lines: Sequence[Line]
    limit: float | None = None


@dataclass(frozen=True, kw_only=True)
class Dashboard:
    """Panels under a title; ``uid`` is its address in Grafana."""

    uid: str
    title: str
    panels: Sequence[Panel]

    def as_json(self) -> str:
        """The dashboard as Grafana reads it."""
        return json.dumps(
            {
                "uid": self.uid,
                "title": self.title,
                "tags": ["vanta"],
                "timezone": "utc",
                "schemaVersion": _SCHEMA_VERSION,
                "refresh": "30s",
                "time": {"from": "now-6h", "to": "now"},
                "editable": False,
                "templating": {
                    "list": [
                        {"name": "source", "label": "Source", "type": "datasource", "query": "prometheus"}
                    ]
                },
                "panels": [_panel(number, panel) for number, panel in enumerate(self.panels)],
            },
            indent=2,
        )


def _panel(number: int, panel: Panel) -> dict[str, Any]:
    per_row = _COLUMNS // _WIDTH
    steps: list[dict[str, Any]] = [{"color": "green", "value": None}]
    if panel.limit is not None:
        steps.append({"color": "red", "value": panel.limit})
    return {
        "id": number + 1,
        "type": "timeseries",
        "title": panel.title,
        "description": panel.description,
        "datasource": _SOURCE,
        "gridPos": {
            "x": number % per_row * _WIDTH,
            "y": number // per_row * _HEIGHT,
            "w": _WIDTH,
            "h": _HEIGHT,
        },
        "targets": [
            {"refId": chr(ord("A") + place), "expr": line.expression, "legendFormat": line.legend}
            for place, line in enumerate(panel.lines)
        ],
        "fieldConfig": {
            "defaults": {
                "unit": panel.unit,
                "min": 0,
                "thresholds": {"mode": "absolute", "steps": steps},
                "custom": {"thresholdsStyle": {"mode": "line" if panel.limit is not None else "off"}},
            },
            "overrides": [],
        },
    }
