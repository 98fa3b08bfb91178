"""External Secrets: copies of secrets from Secrets Manager, kept up to date."""

from dataclasses import dataclass, field
from typing import Any

from infra.aws.operator_roles import EXTERNAL_SECRETS
from infra.kubernetes.charts.chart import Chart, Requests, resources

CHART = Chart(name="external-secrets", version="2.9.0", repository="https://charts.external-secrets.io")
ACCOUNT = EXTERNAL_SECRETS


@dataclass(frozen=True, kw_only=True)
class Account:
    """The service account to which the role belongs."""

    name: str = ACCOUNT.name


@dataclass(frozen=True, kw_only=True)
class Monitor:
    """Whether Prometheus scrapes it."""

    enabled: bool = True


@dataclass(frozen=True, kw_only=True)
class ExternalSecretsValues:
    """Two controllers of which one leads; cluster-wide stores are off, so that a namespace sees its own alone."""

    install_crds: bool = field(default=True, metadata={"key": "installCRDs"})
    replica_count: int = 2
    leader_elect: bool = True
    process_cluster_external_secret: bool = False
    process_cluster_store: bool = False
    process_cluster_push_secret: bool = False
    process_push_secret: bool = False
    service_account: Account = Account()
    service_monitor: Monitor = Monitor()
    resources: dict[str, Any] = field(default_factory=lambda: resources(Requests(cpu="25m", memory="128Mi")))
