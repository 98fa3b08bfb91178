"""TimescaleDB: the series of analytics, in a PostgreSQL that an operator runs and backs up to S3."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_kubernetes as kubernetes
from pulumi_kubernetes.apiextensions import CustomResource
from pulumi_kubernetes.meta.v1 import ObjectMetaArgsDict
from pulumi_kubernetes.networking.v1 import (
    NetworkPolicyEgressRuleArgsDict,
    NetworkPolicyIngressRuleArgsDict,
)

from infra.aws.access import HTTPS_PORT, POSTGRESQL_PORT
from infra.aws.app_roles import NAMESPACE as APP_NAMESPACE
from infra.aws.options import holding_data
from infra.aws.timescale_backup import ACCOUNT
from infra.kubernetes.charts.postgres import NAMESPACE as OPERATOR_NAMESPACE
from infra.kubernetes.metadata import APP_NAME, NAME, labels, metadata
from infra.kubernetes.namespace import pod_security
from infra.kubernetes.network_policies import policy_spec
from infra.kubernetes.peers import (
    ANYWHERE,
    DNS_PORT,
    METADATA,
    MONITORING,
    POD_IDENTITY,
    POD_IDENTITY_PORT,
    block,
    dns,
    pods,
    tcp,
    udp,
)
from infra.kubernetes.volumes import STORAGE_CLASS
from infra.settings.lifetime import Lifetime
from infra.settings.timescale import TimescaleSettings

NAMESPACE = ACCOUNT.namespace
_APP = ACCOUNT.name
_API = "postgresql.cnpg.io/v1"
# CloudNativePG, "Image Volume Extensions": PostgreSQL without extras, and the extension as an image beside it. Both are of
# the operator's publishers; this is the edition of TimescaleDB under the Apache licence (docs/adr/0027).
_POSTGRESQL = "ghcr.io/cloudnative-pg/postgresql:18-minimal-trixie"
_EXTENSION = "ghcr.io/cloudnative-pg/timescaledb-oss:2.29.2-18-trixie"
_PLUGIN = "barman-cloud.cloudnative-pg.io"
# Six fields, seconds first; 02:11 UTC.
_SCHEDULE = "0 11 2 * * *"
# The operator's own doors into each instance: status, metrics.
_STATUS_PORT, _METRICS_PORT = 8000, 9187


@dataclass(frozen=True, kw_only=True)
class TimescaleArgs:
    """Inputs of :class:`Timescale`; ``version`` is that of Kubernetes, ``bucket`` where its backups go."""

    settings: TimescaleSettings
    lifetime: Lifetime
    version: str
    bucket: pulumi.Input[str]
    depends_on: Sequence[pulumi.Resource]


class Timescale(pulumi.ComponentResource):
    """A primary and its standbys, each with a volume of its own, and every second of ``backup_days`` in S3.

    A commit waits for one standby where there is one, and goes on without when there is none. Connections are TLS with
    the operator's own authority, so that its pods need no mesh.

    Produces ``Namespace``, three ``NetworkPolicy``, ``ObjectStore``, ``Cluster``, ``Database`` and ``ScheduledBackup``.

    Source: CloudNativePG 1.30, "API Reference", "Security" and "Barman Cloud plugin".
    """

    def __init__(self, name: str, args: TimescaleArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("vanta:kubernetes:Timescale", name, None, opts)
        self._namespace = kubernetes.core.v1.Namespace(
            f"{name}-namespace",
            metadata={
                "name": NAMESPACE,
                "labels": {
                    **labels("namespace", name=_APP),
                    **pod_security("restricted", args.version),
                },
            },
            opts=pulumi.ResourceOptions(parent=self, depends_on=list(args.depends_on)),
        )
        self._inside = pulumi.ResourceOptions(parent=self, depends_on=[self._namespace])
        self._doors()
        store = self._object(
            "ObjectStore",
            {
                "configuration": {
                    "destinationPath": pulumi.Output.concat("s3://", args.bucket, "/"),
                    "s3Credentials": {"inheritFromIAMRole": True},
                    # Encryption is the bucket's own; it refuses any other.
                    "wal": {"compression": "gzip", "maxParallel": 4},
                    "data": {"compression": "gzip", "jobs": 2},
                },
                "retentionPolicy": f"{args.settings.backup_days}d",
            },
            api_version="barmancloud.cnpg.io/v1",
            opts=self._inside,
        )
        cluster = self._object(
            "Cluster",
            _cluster(args.settings),
            opts=holding_data(self, lifetime=args.lifetime, depends_on=[store]),
        )
        after = pulumi.ResourceOptions(parent=self, depends_on=[cluster])
        self._object(
            "Database",
            {
                "name": "vanta",
                "owner": "vanta",
                "cluster": {"name": _APP},
                "extensions": [{"name": "timescaledb"}],
                # The object may go; the data stays.
                "databaseReclaimPolicy": "retain",
            },
            opts=after,
        )
        self._object(
            "ScheduledBackup",
            {
                "schedule": _SCHEDULE,
                "immediate": True,
                "cluster": {"name": _APP},
                "method": "plugin",
                "pluginConfiguration": {"name": _PLUGIN},
                "backupOwnerReference": "self",
            },
            opts=after,
        )
        self.register_outputs({})

    def _object(
        self, kind: str, spec: dict[str, Any], *, opts: pulumi.ResourceOptions, api_version: str = _API
    ) -> CustomResource:
        return CustomResource(
            f"timescale-{kind.lower()}",
            api_version=api_version,
            kind=kind,
            metadata=_metadata(_APP),
            spec=spec,
            opts=opts,
        )

    def _doors(self) -> None:
        """Default deny; the app, the operator and the instances among themselves come in, and all reach S3 and Kubernetes."""
        served = [tcp(POSTGRESQL_PORT), tcp(_STATUS_PORT)]
        self._policy("default-deny", ingress=[], egress=[])
        self._policy(
            "callers",
            ingress=[
                {"from_": [pods(APP_NAMESPACE, {NAME: APP_NAME})], "ports": [tcp(POSTGRESQL_PORT)]},
                {"from_": [pods(OPERATOR_NAMESPACE), pods()], "ports": served},
                {"from_": [pods(MONITORING)], "ports": [tcp(_METRICS_PORT)]},
            ],
        )
        self._policy(
            "called",
            egress=[
                {"to": [pods()], "ports": served},
                {"to": [dns()], "ports": [udp(DNS_PORT), tcp(DNS_PORT)]},
                # S3, the API of Kubernetes, and the agent that gives a pod its role.
                {"to": [block(ANYWHERE, but=METADATA)], "ports": [tcp(HTTPS_PORT)]},
                {"to": [block(POD_IDENTITY)], "ports": [tcp(POD_IDENTITY_PORT)]},
            ],
        )

    def _policy(
        self,
        name: str,
        *,
        ingress: list[NetworkPolicyIngressRuleArgsDict] | None = None,
        egress: list[NetworkPolicyEgressRuleArgsDict] | None = None,
    ) -> None:
        kubernetes.networking.v1.NetworkPolicy(
            f"timescale-{name}",
            metadata=_metadata(name),
            spec=policy_spec({}, ingress=ingress, egress=egress),
            opts=self._inside,
        )


def _cluster(settings: TimescaleSettings) -> dict[str, Any]:
    replicated = settings.instances > 1
    return {
        "instances": settings.instances,
        "imageName": _POSTGRESQL,
        "bootstrap": {"initdb": {"database": "vanta", "owner": "vanta", "dataChecksums": True}},
        "postgresql": {
            "shared_preload_libraries": ["timescaledb"],
            "parameters": {"timescaledb.telemetry_level": "off", "max_locks_per_transaction": "128"},
            "extensions": [{"name": "timescaledb-oss", "image": {"reference": _EXTENSION}}],
            **(
                {"synchronous": {"method": "any", "number": 1, "dataDurability": "preferred"}}
                if replicated
                else {}
            ),
        },
        "storage": {"size": f"{settings.storage_gib}Gi", "storageClass": STORAGE_CLASS},
        "resources": {"requests": {"cpu": "250m", "memory": "1Gi"}, "limits": {"memory": "1Gi"}},
        "affinity": {
            "enablePodAntiAffinity": True,
            "topologyKey": "topology.kubernetes.io/zone",
            "podAntiAffinityType": "preferred",
        },
        "enablePDB": replicated,
        "inheritedMetadata": {"labels": labels("database", name=_APP)},
        "plugins": [
            {"name": _PLUGIN, "isWALArchiver": True, "parameters": {"barmanObjectName": _APP}},
        ],
    }


def _metadata(name: str) -> ObjectMetaArgsDict:
    return metadata(name, "database", app=_APP, namespace=NAMESPACE)
