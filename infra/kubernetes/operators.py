"""The operators: what stands behind the objects that the workload declares."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi
import pulumi_kubernetes as kubernetes

from infra.kubernetes.charts import autoscaler, external_secrets, istio, load_balancer, postgres, prometheus
from infra.kubernetes.charts.chart import Chart, release
from infra.kubernetes.metadata import labels
from infra.kubernetes.namespace import pod_security
from infra.kubernetes.peers import MONITORING
from infra.kubernetes.volumes import STORAGE_CLASS

# What the operators of a namespace are allowed: Istio's agents and the node exporter look at their node, others do not.
_LEVELS = {
    external_secrets.ACCOUNT.namespace: "restricted",
    postgres.CERTIFICATES_NAMESPACE: "restricted",
    postgres.NAMESPACE: "restricted",
    istio.NAMESPACE: "privileged",
    MONITORING: "privileged",
}


@dataclass(frozen=True, kw_only=True)
class OperatorsArgs:
    """Inputs of :class:`Operators`, for the stack's own cluster; ``version`` is that of Kubernetes, such as "1.35".

    Alerts go to ``topic_arn``. ``balanced`` is whether there is a load balancer, ``timescale`` whether there is a PostgreSQL to operate; ``volumes`` and
    the ``roles`` of the operators have to be there before them.
    """

    cluster_name: pulumi.Input[str]
    region: str
    vpc_id: pulumi.Input[str]
    topic_arn: pulumi.Input[str]
    version: str
    balanced: bool
    timescale: bool
    volumes: pulumi.Resource
    roles: pulumi.Resource


class Operators(pulumi.ComponentResource):
    """Third-party pieces from pinned charts (docs/adr/0027-mesh-and-operators.md); ``ready`` are all of them.

    Produces a ``Namespace`` each for those that do not belong to Kubernetes itself, with its Pod Security Standard, and a
    ``Release`` of External Secrets, the cluster autoscaler, kube-prometheus-stack, Prometheus Adapter and the four parts of
    Istio; of the AWS Load Balancer Controller where there is a load balancer; and of cert-manager, CloudNativePG and its
    backup plug-in where there is a TimescaleDB.
    """

    ready: Sequence[pulumi.Resource]

    def __init__(self, name: str, args: OperatorsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("vanta:kubernetes:Operators", name, None, opts)
        self._args = args
        self._namespaces = self._declare_namespaces()
        self._before: Sequence[pulumi.Resource] = (args.volumes, args.roles)
        # The first one brings the definitions that the others' own monitors are made of.
        stack = self._release(
            prometheus.STACK_RELEASE,
            prometheus.STACK,
            prometheus.StackValues(
                prometheus=prometheus.Prometheus(
                    prometheus_spec=prometheus.PrometheusSpec(
                        storage_spec=prometheus.volume_of(STORAGE_CLASS)
                    )
                ),
                alertmanager=prometheus.Alertmanager(config=prometheus.told(args.topic_arn, args.region)),
            ),
            MONITORING,
        )
        self._before = (*self._before, stack)
        made = [
            stack,
            self._release("prometheus-adapter", prometheus.ADAPTER, prometheus.AdapterValues(), MONITORING),
            self._release(
                "external-secrets",
                external_secrets.CHART,
                external_secrets.ExternalSecretsValues(),
                external_secrets.ACCOUNT.namespace,
            ),
            self._autoscaler(),
            *self._mesh(),
        ]
        if args.balanced:
            made.append(self._load_balancer())
        if args.timescale:
            made += self._postgres()
        self.ready = made
        self.register_outputs({})

    def _declare_namespaces(self) -> Mapping[str, kubernetes.core.v1.Namespace]:
        wanted = {
            name: level
            for name, level in _LEVELS.items()
            if self._args.timescale or name not in (postgres.NAMESPACE, postgres.CERTIFICATES_NAMESPACE)
        }
        # Prometheus scrapes the API through the mesh; who is not in it could not.
        meshed = {MONITORING: {"istio.io/dataplane-mode": "ambient"}}
        return {
            name: kubernetes.core.v1.Namespace(
                f"operators-{name}",
                metadata={
                    "name": name,
                    "labels": {
                        **labels("namespace", name=name),
                        **pod_security(level, self._args.version),
                        **meshed.get(name, {}),
                    },
                },
                opts=pulumi.ResourceOptions(parent=self),
            )
            for name, level in wanted.items()
        }

    def _release(
        self,
        name: str,
        chart: Chart,
        values: object,
        namespace: str,
        after: Sequence[pulumi.Resource] = (),
    ) -> pulumi.Resource:
        own = [self._namespaces[namespace]] if namespace in self._namespaces else []
        return release(
            name,
            chart,
            values,
            namespace=namespace,
            parent=self,
            depends_on=[*own, *self._before, *after],
        )

    def _autoscaler(self) -> pulumi.Resource:
        args = self._args
        values = autoscaler.AutoscalerValues(
            auto_discovery=autoscaler.Discovery(cluster_name=args.cluster_name), aws_region=args.region
        )
        return self._release(
            autoscaler.AUTOSCALER.name, autoscaler.CHART, values, autoscaler.AUTOSCALER.namespace
        )

    def _load_balancer(self) -> pulumi.Resource:
        args = self._args
        values = load_balancer.LoadBalancerValues(
            cluster_name=args.cluster_name, region=args.region, vpc_id=args.vpc_id
        )
        return self._release(
            load_balancer.ACCOUNT.name, load_balancer.CHART, values, load_balancer.ACCOUNT.namespace
        )

    def _mesh(self) -> list[pulumi.Resource]:
        base = self._release("istio-base", istio.BASE, istio.BaseValues(), istio.NAMESPACE)
        control = self._release("istiod", istio.CONTROL, istio.ControlValues(), istio.NAMESPACE, after=[base])
        return [
            base,
            control,
            self._release("istio-cni", istio.NODES, istio.NodesValues(), istio.NAMESPACE, after=[control]),
            self._release("ztunnel", istio.TUNNEL, istio.TunnelValues(), istio.NAMESPACE, after=[control]),
        ]

    def _postgres(self) -> list[pulumi.Resource]:
        certificates = self._release(
            "cert-manager",
            postgres.CERTIFICATES,
            postgres.CertificatesValues(),
            postgres.CERTIFICATES_NAMESPACE,
        )
        operator = self._release(
            "cloudnative-pg", postgres.OPERATOR, postgres.OperatorValues(), postgres.NAMESPACE
        )
        backup = self._release(
            "plugin-barman-cloud",
            postgres.BACKUP,
            postgres.BackupValues(),
            postgres.NAMESPACE,
            after=[certificates, operator],
        )
        return [certificates, operator, backup]
