"""The AWS Load Balancer Controller: it registers pods in the target group, and makes no load balancer."""

from dataclasses import dataclass, field
from typing import Any

import pulumi

from infra.aws.operator_roles import LOAD_BALANCER
from infra.kubernetes.charts.chart import Chart, Requests, resources

CHART = Chart(
    name="aws-load-balancer-controller", version="3.5.0", repository="https://aws.github.io/eks-charts"
)
ACCOUNT = LOAD_BALANCER


@dataclass(frozen=True, kw_only=True)
class Account:
    """The service account to which the role belongs."""

    name: str = ACCOUNT.name


@dataclass(frozen=True, kw_only=True)
class LoadBalancerValues:
    """Everything is off but the registration of targets: the load balancer is the program's (docs/adr/0014-edge.md)."""

    cluster_name: pulumi.Input[str]
    region: str
    vpc_id: pulumi.Input[str]
    service_account: Account = Account()
    replica_count: int = 2
    create_ingress_class_resource: bool = False
    enable_service_mutator_webhook: bool = False
    enable_shield: bool = False
    enable_waf: bool = False
    enable_wafv2: bool = False
    enable_backend_security_group: bool = False
    # Or each look for changes would find a new certificate of its own.
    keep_tls_secret: bool = field(default=True, metadata={"key": "keepTLSSecret"})
    resources: dict[str, Any] = field(default_factory=lambda: resources(Requests(cpu="50m", memory="128Mi")))
