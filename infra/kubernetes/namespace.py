"""The namespace: what pods in it must be like, how much they may use, and who they are."""

from dataclasses import dataclass

import pulumi
import pulumi_kubernetes as kubernetes

from infra.aws.app_roles import APP, MIGRATION, NAMESPACE
from infra.kubernetes.metadata import labels, metadata
from infra.kubernetes.options import inside
from infra.kubernetes.sizes import MEMORY_MIB, REQUESTED_CPU_MILLIS, REQUESTED_MEMORY_MIB

PRIORITY = "vanta-state-api"
# Above what runs at the default of 0, below what Kubernetes itself needs (2,000,000,000).
_PRIORITY_VALUE = 1_000_000
# A rollout surges by one, and the migration and the rewrapping of secrets may run at the same time.
_BESIDE_REPLICAS = 4


@dataclass(frozen=True, kw_only=True)
class NamespaceArgs:
    """Inputs of :class:`Namespace`.

    ``version`` is that of Kubernetes, such as "1.35"; ``meshed`` whether its pods talk through the mesh, ``balanced``
    whether a pod waits until the stack's load balancer has found it ready too.
    """

    version: str
    max_replicas: int
    meshed: bool
    balanced: bool


class Namespace(pulumi.ComponentResource):
    """The room of the state API in a cluster.

    Produces ``Namespace`` with the restricted Pod Security Standard in the version of the cluster, ``ResourceQuota``,
    ``LimitRange``, ``PriorityClass``, and a ``ServiceAccount`` each for the API and the job that migrates its database,
    which EKS Pod Identity knows by name. No pod gets a token for the API of Kubernetes: none calls it.

    Source: Kubernetes documentation, "Enforce Pod Security Standards with Namespace Labels" and "Resource Quotas".
    """

    namespace: kubernetes.core.v1.Namespace

    def __init__(self, name: str, args: NamespaceArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("vanta:kubernetes:Namespace", name, None, opts)
        self.namespace = kubernetes.core.v1.Namespace(
            name,
            metadata={
                "name": NAMESPACE,
                "labels": {
                    **labels("namespace"),
                    **pod_security("restricted", args.version),
                    **({"istio.io/dataplane-mode": "ambient"} if args.meshed else {}),
                    **({"elbv2.k8s.aws/pod-readiness-gate-inject": "enabled"} if args.balanced else {}),
                },
            },
            opts=inside(self, opts),
        )
        within = inside(self, opts, self.namespace)
        self._limit(args.max_replicas + _BESIDE_REPLICAS, within)
        kubernetes.scheduling.v1.PriorityClass(
            PRIORITY,
            metadata=metadata(PRIORITY, "priority", namespace=None),
            value=_PRIORITY_VALUE,
            global_default=False,
            description="The state API: it stays when a node is full",
            opts=inside(self, opts),
        )
        for account, component in ((APP, "api"), (MIGRATION, "migration")):
            kubernetes.core.v1.ServiceAccount(
                account.name,
                metadata=metadata(account.name, component),
                automount_service_account_token=False,
                opts=within,
            )
        self.register_outputs({})

    def _limit(self, pods: int, within: pulumi.ResourceOptions) -> None:
        kubernetes.core.v1.ResourceQuota(
            "quota",
            metadata=metadata("quota", "limits"),
            spec={
                "hard": {
                    # Finished jobs stay as objects and are not counted.
                    "pods": str(pods),
                    "requests.cpu": f"{pods * REQUESTED_CPU_MILLIS}m",
                    "requests.memory": f"{pods * REQUESTED_MEMORY_MIB}Mi",
                    "limits.memory": f"{pods * MEMORY_MIB}Mi",
                    "persistentvolumeclaims": "0",
                    "services.loadbalancers": "0",
                    "services.nodeports": "0",
                }
            },
            opts=within,
        )
        kubernetes.core.v1.LimitRange(
            "limits",
            metadata=metadata("limits", "limits"),
            spec={
                "limits": [
                    {
                        "type": "Container",
                        "default_request": {
                            "cpu": f"{REQUESTED_CPU_MILLIS}m",
                            "memory": f"{REQUESTED_MEMORY_MIB}Mi",
                        },
                        "default": {"memory": f"{MEMORY_MIB}Mi"},
                        "max": {"memory": f"{MEMORY_MIB}Mi"},
                    }
                ]
            },
            opts=within,
        )


def pod_security(level: str, version: str) -> dict[str, str]:
    """The labels by which the API server refuses pods below ``level``; pinned, so that an upgrade refuses nothing new."""
    modes = ("enforce", "audit", "warn")
    return {
        **{f"pod-security.kubernetes.io/{mode}": level for mode in modes},
        **{f"pod-security.kubernetes.io/{mode}-version": f"v{version}" for mode in modes},
    }
