"""The state API itself: its pods, the name by which they are found, and how few there may ever be."""

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
import pulumi_kubernetes as kubernetes

from infra.aws.app_roles import APP
from infra.kubernetes.metadata import APP_NAME, metadata, selector
from infra.kubernetes.options import inside
from infra.kubernetes.pod import Image, pod_template
from infra.kubernetes.sizes import PORT_NAME

SERVICE_PORT = 80
# A pod that ends by itself right after its first answer is no new version.
_MIN_READY_SECONDS = 5
# From a pod that does not get ready to a refused rollout; the old pods serve on.
_PROGRESS_SECONDS = 300
_KEPT_VERSIONS = 5


@dataclass(frozen=True, kw_only=True)
class StateApiArgs:
    """Inputs of :class:`StateApi`; a ``standby``'s pods are there and not ready, for its database takes no writes."""

    image: Image
    standby: bool
    depends_on: Sequence[pulumi.Resource]


class StateApi(pulumi.ComponentResource):
    """The pods of the state API, replaced one by one and never fewer than asked for.

    How many there are is the autoscaler's. A rollout adds a pod, waits until it is ready and takes one away; one that does
    not get ready ends the rollout with what the pod says, and the old pods serve on.

    Produces ``Deployment``, ``Service`` and ``PodDisruptionBudget``.

    Source: Kubernetes documentation, "Deployments" and "Specifying a Disruption Budget for your Application".
    """

    service: kubernetes.core.v1.Service

    def __init__(self, name: str, args: StateApiArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("vanta:kubernetes:StateApi", name, None, opts)
        child = inside(self, opts)
        # Nobody can wait for the pods of a standby to get ready, nor for a Service that has none.
        unawaited = {"pulumi.com/skipAwait": "true"} if args.standby else {}
        kubernetes.apps.v1.Deployment(
            name,
            metadata=metadata(APP_NAME, "api", annotations=unawaited),
            spec={
                "selector": {"match_labels": selector("api")},
                "strategy": {
                    "type": "RollingUpdate",
                    "rolling_update": {"max_unavailable": 0, "max_surge": 1},
                },
                "min_ready_seconds": _MIN_READY_SECONDS,
                "progress_deadline_seconds": _PROGRESS_SECONDS,
                "revision_history_limit": _KEPT_VERSIONS,
                "template": pod_template(
                    args.image, "api", account=APP.name, arguments=["serve"], serving=True
                ),
            },
            opts=inside(self, opts, *args.depends_on),
        )
        self.service = kubernetes.core.v1.Service(
            name,
            metadata=metadata(APP_NAME, "api", annotations=unawaited),
            spec={
                "type": "ClusterIP",
                "selector": selector("api"),
                "ports": [{"name": PORT_NAME, "port": SERVICE_PORT, "target_port": PORT_NAME}],
                # A request stays in its zone where it can: faster, and not billed.
                "traffic_distribution": "PreferSameZone",
            },
            opts=child,
        )
        kubernetes.policy.v1.PodDisruptionBudget(
            name,
            metadata=metadata(APP_NAME, "api"),
            spec={
                "selector": {"match_labels": selector("api")},
                "max_unavailable": 1,
                # A pod that is not ready serves nobody: it must not keep a node from being drained.
                "unhealthy_pod_eviction_policy": "AlwaysAllow",
            },
            opts=child,
        )
        self.register_outputs({})
