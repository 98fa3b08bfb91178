"""CloudNativePG: PostgreSQL run by an operator, backed up by its plug-in, whose certificates cert-manager makes."""

from dataclasses import dataclass, field
from typing import Any

from infra.kubernetes.charts.chart import Chart, Requests, resources

NAMESPACE = "cnpg-system"
CERTIFICATES_NAMESPACE = "cert-manager"
_REPOSITORY = "https://cloudnative-pg.github.io/charts"
OPERATOR = Chart(name="cloudnative-pg", version="0.29.0", repository=_REPOSITORY)
BACKUP = Chart(name="plugin-barman-cloud", version="0.7.0", repository=_REPOSITORY)
CERTIFICATES = Chart(name="cert-manager", version="v1.21.1", repository="https://charts.jetstack.io")


@dataclass(frozen=True, kw_only=True)
class Definitions:
    """Whether the chart brings the definitions of its objects; they stay when it goes, and with them the objects."""

    enabled: bool = True
    keep: bool = True


@dataclass(frozen=True, kw_only=True)
class CertificatesValues:
    """cert-manager as it comes."""

    crds: Definitions = Definitions()
    resources: dict[str, Any] = field(default_factory=lambda: resources(Requests(cpu="25m", memory="128Mi")))


@dataclass(frozen=True, kw_only=True)
class OperatorValues:
    """The operator, two of it, of which one leads."""

    replica_count: int = 2
    resources: dict[str, Any] = field(default_factory=lambda: resources(Requests(cpu="50m", memory="256Mi")))


@dataclass(frozen=True, kw_only=True)
class BackupValues:
    """The plug-in through which clusters archive to S3."""

    resources: dict[str, Any] = field(default_factory=lambda: resources(Requests(cpu="25m", memory="128Mi")))
