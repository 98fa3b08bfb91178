"""The scaling of pods: more while they are busy, fewer once they have not been for a while."""

from dataclasses import dataclass

import pulumi
import pulumi_kubernetes as kubernetes
from pulumi_kubernetes.autoscaling.v2 import MetricSpecArgsDict

from infra.kubernetes.metadata import APP_NAME, metadata
from infra.kubernetes.options import inside
from infra.settings.workload import WorkloadSettings

# What Prometheus Adapter calls the rate of vanta_http_requests_total of a pod.
REQUESTS_METRIC = "vanta_http_requests_per_second"
# Of what a pod requests, which is a quarter of a core: one that is at its core has long got company.
_BUSY_PERCENT = 70
_CALM_SECONDS = 120


@dataclass(frozen=True, kw_only=True)
class ScalingArgs:
    """Inputs of :class:`Scaling`."""

    settings: WorkloadSettings


class Scaling(pulumi.ComponentResource):
    """The autoscaler of the state API: it doubles at once, and takes a pod away every half minute after two calm ones.

    It does not wait for the Deployment, which says no number of pods: the first rollout is over once there are enough.

    Produces a ``HorizontalPodAutoscaler`` that looks at CPU and, if asked for, at requests per second; the higher of what
    both want counts.

    Source: Kubernetes documentation, "Horizontal Pod Autoscaling".
    """

    def __init__(self, name: str, args: ScalingArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("vanta:kubernetes:Scaling", name, None, opts)
        kubernetes.autoscaling.v2.HorizontalPodAutoscaler(
            name,
            metadata=metadata(APP_NAME, "api"),
            spec={
                "scale_target_ref": {"api_version": "apps/v1", "kind": "Deployment", "name": APP_NAME},
                "min_replicas": args.settings.min_replicas,
                "max_replicas": args.settings.max_replicas,
                "metrics": _metrics(args.settings.requests_per_second),
                "behavior": {
                    "scale_up": {
                        "stabilization_window_seconds": 0,
                        "policies": [{"type": "Percent", "value": 100, "period_seconds": 15}],
                    },
                    "scale_down": {
                        "stabilization_window_seconds": _CALM_SECONDS,
                        "policies": [{"type": "Pods", "value": 1, "period_seconds": 30}],
                    },
                },
            },
            opts=inside(self, opts),
        )
        self.register_outputs({})


def _metrics(requests_per_second: int) -> list[MetricSpecArgsDict]:
    busy: MetricSpecArgsDict = {
        "type": "Resource",
        "resource": {
            "name": "cpu",
            "target": {"type": "Utilization", "average_utilization": _BUSY_PERCENT},
        },
    }
    asked: MetricSpecArgsDict = {
        "type": "Pods",
        "pods": {
            "metric": {"name": REQUESTS_METRIC},
            "target": {"type": "AverageValue", "average_value": str(requests_per_second)},
        },
    }
    return [busy, asked] if requests_per_second else [busy]
