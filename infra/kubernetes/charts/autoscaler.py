"""The cluster autoscaler: nodes for pods that wait, and none for those that are gone."""

from dataclasses import dataclass, field
from typing import Any

import pulumi

from infra.aws.node_scaling import AUTOSCALER
from infra.kubernetes.charts.chart import Chart, Requests, resources

CHART = Chart(
    name="cluster-autoscaler", version="9.59.0", repository="https://kubernetes.github.io/autoscaler"
)


@dataclass(frozen=True, kw_only=True)
class Discovery:
    """Node groups are found by the tags that EKS gives those of the cluster."""

    cluster_name: pulumi.Input[str]


@dataclass(frozen=True, kw_only=True)
class Account:
    """The service account to which the role belongs."""

    name: str = AUTOSCALER.name


@dataclass(frozen=True, kw_only=True)
class Rbac:
    """Its rights in Kubernetes."""

    service_account: Account = Account()


@dataclass(frozen=True, kw_only=True)
class AutoscalerValues:
    """Zones stay alike, and pods with volumes of their own or of kube-system do not keep a node for ever."""

    auto_discovery: Discovery
    aws_region: str
    rbac: Rbac = Rbac()
    replica_count: int = 1
    extra_args: dict[str, bool] = field(
        default_factory=lambda: {
            "balance-similar-node-groups": True,
            "skip-nodes-with-local-storage": False,
            "skip-nodes-with-system-pods": False,
        }
    )
    resources: dict[str, Any] = field(default_factory=lambda: resources(Requests(cpu="50m", memory="256Mi")))
