"""What is watched of the pods: their metrics, the rules over them, and the picture of both."""

import pulumi
import pulumi_kubernetes as kubernetes
from pulumi_kubernetes.apiextensions import CustomResource

from infra.kubernetes.dashboard import STATE_API
from infra.kubernetes.metadata import APP_NAME, metadata, selector
from infra.kubernetes.objectives import rule_groups
from infra.kubernetes.options import inside
from infra.kubernetes.sizes import PORT_NAME

API_VERSION = "monitoring.coreos.com/v1"


class Monitoring(pulumi.ComponentResource):
    """Scraping, recording, alerting and drawing of the state API.

    Produces ``ServiceMonitor``, ``PrometheusRule`` (docs/adr/0026-workload.md) and a ``ConfigMap`` that Grafana's sidecar
    finds by its label.

    Source: Prometheus Operator, "API reference"; the Site Reliability Workbook, chapter 5, "Alerting on SLOs".
    """

    def __init__(self, name: str, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("vanta:kubernetes:Monitoring", name, None, opts)
        child = inside(self, opts)
        CustomResource(
            "metrics",
            api_version=API_VERSION,
            kind="ServiceMonitor",
            metadata=metadata(APP_NAME, "monitoring"),
            spec={
                "selector": {"matchLabels": selector("api")},
                # The job of every series, which rules and dashboard ask for, is then the Service's name.
                "jobLabel": "app.kubernetes.io/name",
                "endpoints": [
                    {"port": PORT_NAME, "path": "/metrics", "interval": "15s", "scrapeTimeout": "10s"}
                ],
            },
            opts=child,
        )
        CustomResource(
            "objectives",
            api_version=API_VERSION,
            kind="PrometheusRule",
            metadata=metadata(APP_NAME, "monitoring"),
            spec={"groups": rule_groups()},
            opts=child,
        )
        kubernetes.core.v1.ConfigMap(
            "dashboards",
            metadata=metadata("state-api-dashboards", "monitoring", more={"grafana_dashboard": "1"}),
            data={"state-api.json": STATE_API.as_json()},
            opts=child,
        )
        self.register_outputs({})
