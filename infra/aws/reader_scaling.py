"""The scaling of the readers: more of them while they are busy, fewer when they are not."""

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from infra.names import Names

# Well below what the alarm calls busy: a new reader takes minutes, and a lost one leaves its load to the others.
TARGET_CPU_PERCENT = 50
# Amazon Aurora User Guide, "Amazon Aurora Auto Scaling with Aurora Replicas": the default of both, stated because a
# reader that is removed too early drops its connections.
COOLDOWN_SECONDS = 300


@dataclass(frozen=True, kw_only=True)
class ReaderScalingArgs:
    """Inputs of :class:`ReaderScaling`; ``readers`` are those the program declares, which scaling never removes."""

    names: Names
    cluster_identifier: pulumi.Input[str]
    fewest: int
    most: int
    readers: Sequence[pulumi.Resource]


class ReaderScaling(pulumi.ComponentResource):
    """Between ``fewest`` and ``most`` readers of an Aurora cluster, by the average load of their processors.

    Produces an ``appautoscaling.Target`` and an ``appautoscaling.Policy``. Readers that scaling adds are not in the
    stack; scaling alone removes them.

    Source: Amazon Aurora User Guide, "Amazon Aurora Auto Scaling with Aurora Replicas".
    """

    def __init__(
        self, name: str, args: ReaderScalingArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("vanta:aws:ReaderScaling", name, None, opts)
        target = aws.appautoscaling.Target(
            name,
            service_namespace="rds",
            resource_id=pulumi.Output.concat("cluster:", args.cluster_identifier),
            scalable_dimension="rds:cluster:ReadReplicaCount",
            min_capacity=args.fewest,
            max_capacity=args.most,
            tags=args.names.tags(layer="state", classification="internal"),
            # Scaling that comes first would add the readers that the program is about to make.
            opts=pulumi.ResourceOptions(parent=self, depends_on=list(args.readers)),
        )
        aws.appautoscaling.Policy(
            name,
            name=args.names.of(name),
            policy_type="TargetTrackingScaling",
            service_namespace=target.service_namespace,
            resource_id=target.resource_id,
            scalable_dimension=target.scalable_dimension,
            target_tracking_scaling_policy_configuration={
                "predefined_metric_specification": {
                    "predefined_metric_type": "RDSReaderAverageCPUUtilization"
                },
                "target_value": TARGET_CPU_PERCENT,
                "scale_in_cooldown": COOLDOWN_SECONDS,
                "scale_out_cooldown": COOLDOWN_SECONDS,
            },
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.register_outputs({})
