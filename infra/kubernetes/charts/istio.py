"""Istio in ambient mode: mutual TLS between pods by one proxy a node, and none in a pod."""

from dataclasses import dataclass, field
from typing import Any

from infra.kubernetes.charts.chart import Chart, Requests, resources

NAMESPACE = "istio-system"
# All four of one version.
_VERSION = "1.30.3"
_REPOSITORY = "https://istio-release.storage.googleapis.com/charts"
BASE, CONTROL, NODES, TUNNEL = (
    Chart(name=name, version=_VERSION, repository=_REPOSITORY)
    for name in ("base", "istiod", "cni", "ztunnel")
)


@dataclass(frozen=True, kw_only=True)
class BaseValues:
    """The definitions of Istio's objects, as it ships them."""

    default_revision: str = "default"


@dataclass(frozen=True, kw_only=True)
class ControlValues:
    """The control plane, two of it; the profile brings what ambient mode needs."""

    profile: str = "ambient"
    autoscale_min: int = 2
    resources: dict[str, Any] = field(default_factory=lambda: resources(Requests(cpu="100m", memory="512Mi")))


@dataclass(frozen=True, kw_only=True)
class NodesValues:
    """The agent that brings pods of a node into the mesh."""

    profile: str = "ambient"
    resources: dict[str, Any] = field(default_factory=lambda: resources(Requests(cpu="50m", memory="128Mi")))


@dataclass(frozen=True, kw_only=True)
class TunnelValues:
    """The proxy of a node, through which all its pods talk."""

    resources: dict[str, Any] = field(default_factory=lambda: resources(Requests(cpu="100m", memory="256Mi")))
