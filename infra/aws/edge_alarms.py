"""When clients are not served: thresholds as named numbers, each with its reason."""

from collections.abc import Sequence

from infra.aws.alarms import Alarm
from infra.aws.load_balancer import LoadBalancer

# Ours: a rolling update loses none; ten in each of five minutes are no accident.
ERRORS_A_MINUTE = 10
# The load balancer counts in each zone: where fewer are left, clients are served from the other zones, until those are lost.
TARGETS = 1


def edge_alarms(balancer: LoadBalancer) -> Sequence[Alarm]:
    """The alarms of a load balancer and of what serves behind it.

    Source: Elastic Load Balancing, "CloudWatch metrics for your Application Load Balancer".
    """
    whole = {"LoadBalancer": balancer.arn_suffix}
    return [
        Alarm(
            noun="edge-errors",
            description="What serves the API answers with errors",
            namespace="AWS/ApplicationELB",
            metric="HTTPCode_Target_5XX_Count",
            unit="count",
            dimensions=whole,
            above=ERRORS_A_MINUTE,
            total=True,
        ),
        Alarm(
            noun="edge-refusals",
            description="The load balancer finds nobody to serve requests",
            namespace="AWS/ApplicationELB",
            metric="HTTPCode_ELB_5XX_Count",
            unit="count",
            dimensions=whole,
            above=ERRORS_A_MINUTE,
            total=True,
        ),
        Alarm(
            noun="edge-targets",
            description="A zone has nothing left that serves the API",
            namespace="AWS/ApplicationELB",
            metric="HealthyHostCount",
            unit="count",
            dimensions={**whole, "TargetGroup": balancer.target_group_suffix},
            below=TARGETS,
        ),
    ]
