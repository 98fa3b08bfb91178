"""Prometheus with Alertmanager and Grafana, and the adapter through which the autoscaler asks Prometheus."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import pulumi

from infra.aws.operator_roles import ALERTMANAGER
from infra.kubernetes.charts.chart import Chart, Requests, resources
from infra.kubernetes.peers import MONITORING
from infra.kubernetes.scaling import REQUESTS_METRIC

_REPOSITORY = "https://prometheus-community.github.io/helm-charts"
STACK = Chart(name="kube-prometheus-stack", version="88.5.3", repository=_REPOSITORY)
ADAPTER = Chart(name="prometheus-adapter", version="5.3.0", repository=_REPOSITORY)
# The chart calls its objects after the release.
STACK_RELEASE = "monitoring"
_URL = f"http://{STACK_RELEASE}-kube-prometheus-prometheus.{MONITORING}.svc"
_VOLUME = "20Gi"


@dataclass(frozen=True, kw_only=True)
class PrometheusSpec:
    """One Prometheus, which takes monitors and rules of every namespace whatever their labels; history is analytics' matter.

    Traces of slow requests are found from their bucket, by its exemplar.
    """

    storage_spec: dict[str, Any]
    retention: str = "15d"
    retention_size: str = "18GB"
    service_monitor_selector_nil_uses_helm_values: bool = False
    pod_monitor_selector_nil_uses_helm_values: bool = False
    rule_selector_nil_uses_helm_values: bool = False
    enable_features: Sequence[str] = ("exemplar-storage",)
    resources: dict[str, Any] = field(default_factory=lambda: resources(Requests(cpu="200m", memory="1Gi")))


@dataclass(frozen=True, kw_only=True)
class Prometheus:
    """As the chart nests it."""

    prometheus_spec: PrometheusSpec


@dataclass(frozen=True, kw_only=True)
class Off:
    """What EKS runs itself and shows to nobody, or what is not wanted."""

    enabled: bool = False


@dataclass(frozen=True, kw_only=True)
class Grafana:
    """Dashboards come from ConfigMaps with the label, of every namespace; the password of its admin is made by the chart."""

    sidecar: dict[str, Any] = field(
        default_factory=lambda: {
            "dashboards": {"enabled": True, "label": "grafana_dashboard", "searchNamespace": "ALL"}
        }
    )
    resources: dict[str, Any] = field(default_factory=lambda: resources(Requests(cpu="50m", memory="256Mi")))


@dataclass(frozen=True, kw_only=True)
class Account:
    """The service account to which the role belongs."""

    name: str = ALERTMANAGER.name


@dataclass(frozen=True, kw_only=True)
class Alertmanager:
    """One Alertmanager; ``config`` is its own, laid over the chart's (:func:`told`)."""

    config: dict[str, Any]
    service_account: Account = Account()


@dataclass(frozen=True, kw_only=True)
class StackValues:
    """The stack of one cluster of AWS."""

    prometheus: Prometheus
    alertmanager: Alertmanager
    grafana: Grafana = Grafana()
    kube_etcd: Off = Off()
    kube_scheduler: Off = Off()
    kube_controller_manager: Off = Off()


@dataclass(frozen=True, kw_only=True)
class Server:
    """The Prometheus to ask."""

    url: str = _URL
    port: int = 9090


@dataclass(frozen=True, kw_only=True)
class Rules:
    """Only what an autoscaler here looks at; the adapter's defaults would offer every metric there is."""

    default: bool = False
    custom: Sequence[dict[str, Any]] = ()


@dataclass(frozen=True, kw_only=True)
class AdapterValues:
    """The rate of requests of a pod over two scrapes and more, by the name that the autoscaler asks for."""

    prometheus: Server = Server()
    rules: Rules = Rules(
        custom=(
            {
                "seriesQuery": 'vanta_http_requests_total{namespace!="",pod!=""}',
                "resources": {
                    "overrides": {"namespace": {"resource": "namespace"}, "pod": {"resource": "pod"}}
                },
                "name": {"as": REQUESTS_METRIC},
                "metricsQuery": "sum(rate(<<.Series>>{<<.LabelMatchers>>}[1m])) by (<<.GroupBy>>)",
            },
        )
    )
    replicas: int = 2
    resources: dict[str, Any] = field(default_factory=lambda: resources(Requests(cpu="50m", memory="128Mi")))


def told(topic_arn: pulumi.Input[str], region: str) -> dict[str, Any]:
    """Every alert goes to the topic, its end too, but for those by which the chart's rules talk to each other.

    Source: Alertmanager documentation, "Configuration", ``sns_configs``; a subject of SNS has less than 100 characters.
    """
    nobody = "null"
    return {
        "route": {
            "receiver": "notifications",
            "group_by": ["alertname", "severity"],
            "routes": [{"receiver": nobody, "matchers": ['alertname =~ "InfoInhibitor|Watchdog"']}],
        },
        "receivers": [
            {"name": nobody},
            {
                "name": "notifications",
                "sns_configs": [
                    {
                        "topic_arn": topic_arn,
                        "sigv4": {"region": region},
                        "subject": "{{ .Status }}: {{ .GroupLabels.alertname }}",
                        "send_resolved": True,
                    }
                ],
            },
        ],
    }


def volume_of(storage_class: str) -> dict[str, Any]:
    """The claim of Prometheus' volume, as its operator reads it."""
    return {
        "volumeClaimTemplate": {
            "spec": {
                "storageClassName": storage_class,
                "accessModes": ["ReadWriteOnce"],
                "resources": {"requests": {"storage": _VOLUME}},
            }
        }
    }
