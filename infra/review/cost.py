"""In which direction a change moves the bill, and why: a direction, not a sum.

Source of what is billed: the pricing pages of the services, "On-Demand"; a resource that is not listed here is free or
billed by use alone.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from infra.review.preview import Change, Preview

Direction = Literal["up", "down", "same", "unclear"]
Inputs = Mapping[str, Any]
# Sizes in AWS's order; within a family each is about twice as dear as the one before. Of two families with the same
# size, burstable (t) costs less than general (m), that less than memory (r) and that less than large memory (x).
_SIZES = ("nano", "micro", "small", "medium", "large", "xlarge")
_FAMILIES = "tmrx"
_CLASS = re.compile(r"(?:db\.|cache\.)?(?P<family>[a-z0-9-]+)\.(?:(?P<times>\d+)(?=xlarge))?(?P<size>[a-z]+)")


@dataclass(frozen=True, kw_only=True)
class Priced:
    """How a type is billed: ``why`` for its mere existence, ``dearer`` the properties of which more costs more."""

    why: str
    dearer: tuple[str, ...] = ()
    exists: Callable[[Inputs], bool] = field(default=lambda _: True)


@dataclass(frozen=True, kw_only=True)
class Reason:
    """One resource's share in the direction."""

    change: Change
    direction: Direction
    why: str


PRICED = {
    "aws:cfg/recorder:Recorder": Priced(why="each recorded change of a resource is billed"),
    "aws:cfg/rule:Rule": Priced(why="evaluations are billed"),
    "aws:cloudtrail/trail:Trail": Priced(
        why="data events are billed, and management events from an account's second trail on"
    ),
    "aws:cloudwatch/dashboard:Dashboard": Priced(why="billed by the dashboard and month"),
    "aws:cloudwatch/metricAlarm:MetricAlarm": Priced(why="billed by the alarm and month"),
    "aws:ec2/eip:Eip": Priced(why="public addresses are billed by the hour"),
    # Itself free, it says what the nodes of its groups cost.
    "aws:ec2/launchTemplate:LaunchTemplate": Priced(
        why="the size of nodes", dearer=("instanceType",), exists=lambda _: False
    ),
    "aws:ec2/natGateway:NatGateway": Priced(why="billed by the hour and gigabyte"),
    "aws:ec2/vpcEndpoint:VpcEndpoint": Priced(
        why="interface endpoints are billed by zone and hour",
        exists=lambda inputs: inputs.get("vpcEndpointType") == "Interface",
    ),
    "aws:eks/cluster:Cluster": Priced(why="control planes are billed by the hour"),
    "aws:eks/nodeGroup:NodeGroup": Priced(
        why="nodes and their volumes are billed by the hour",
        dearer=("scalingConfig.minSize", "scalingConfig.maxSize"),
    ),
    "aws:elasticache/replicationGroup:ReplicationGroup": Priced(
        why="nodes are billed by the hour",
        dearer=(
            "nodeType",
            "numCacheClusters",
            "numNodeGroups",
            "replicasPerNodeGroup",
            "snapshotRetentionLimit",
        ),
    ),
    "aws:guardduty/detector:Detector": Priced(why="what it analyses is billed"),
    "aws:guardduty/detectorFeature:DetectorFeature": Priced(why="what it analyses is billed"),
    "aws:kms/key:Key": Priced(why="billed by the key and month"),
    "aws:kms/replicaKey:ReplicaKey": Priced(why="billed by the key and month"),
    "aws:lb/loadBalancer:LoadBalancer": Priced(why="billed by the hour and capacity unit"),
    "aws:rds/cluster:Cluster": Priced(
        why="storage and backups are billed by the gigabyte and month",
        dearer=(
            "backupRetentionPeriod",
            "serverlessv2ScalingConfiguration.maxCapacity",
            "serverlessv2ScalingConfiguration.minCapacity",
        ),
    ),
    "aws:rds/clusterInstance:ClusterInstance": Priced(
        why="instances are billed by the hour", dearer=("instanceClass", "performanceInsightsRetentionPeriod")
    ),
    "aws:route53/healthCheck:HealthCheck": Priced(why="billed by the check and month"),
    "aws:route53/zone:Zone": Priced(why="billed by the zone and month"),
    "aws:s3/bucketReplicationConfig:BucketReplicationConfig": Priced(
        why="copies are billed as storage, and by the gigabyte moved in time"
    ),
    "aws:secretsmanager/secret:Secret": Priced(why="billed by the secret and month"),
    "kubernetes:postgresql.cnpg.io/v1:Cluster": Priced(
        why="the volume of each instance is billed by the gigabyte and month",
        dearer=("spec.instances", "spec.storage.size"),
    ),
    "aws:wafv2/webAcl:WebAcl": Priced(why="billed by the list, rule and month, and by request"),
}


def reasons(preview: Preview) -> list[Reason]:
    """Every change that moves the bill."""
    return [reason for change in preview.changes if change.type in PRICED for reason in _reasons(change)]


def direction(found: list[Reason]) -> Direction:
    """All reasons taken together; ``unclear`` when they pull in both directions or one of them is."""
    directions = {reason.direction for reason in found}
    if not directions:
        return "same"
    return directions.pop() if len(directions) == 1 else "unclear"


def _reasons(change: Change) -> list[Reason]:
    priced = PRICED[change.type]
    if change.action in ("create", "delete"):
        created = change.action == "create"
        if not priced.exists(change.after if created else change.before):
            return []
        return [Reason(change=change, direction="up" if created else "down", why=priced.why)]
    found: list[Reason] = []
    for path in priced.dearer:
        before, after = _at(change.before, path), _at(change.after, path)
        if before != after:
            found.append(
                Reason(change=change, direction=_compared(before, after), why=_said(path, before, after))
            )
    return found


def _at(inputs: Inputs, path: str) -> Any:
    value: Any = inputs
    for segment in path.split("."):
        value = value.get(segment) if isinstance(value, Mapping) else None
    return value


def _said(path: str, before: Any, after: Any) -> str:
    return f"{path}: {_shown(before)} → {_shown(after)}"


def _shown(value: Any) -> str:
    return "none" if value is None else str(value)


def _compared(before: Any, after: Any) -> Direction:
    """Up when no part of the size is smaller and one is larger; a newer generation of the same size is unclear."""
    old, new = _size(before), _size(after)
    if old is None or new is None or old == new:
        return "unclear"
    if all(a <= b for a, b in zip(old, new, strict=True)):
        return "up"
    return "down" if all(a >= b for a, b in zip(old, new, strict=True)) else "unclear"


def _size(value: Any) -> tuple[int, float] | None:
    """Family and size of an instance class, or a plain number, nothing being 0; None when it cannot be ordered."""
    if value is None:
        return 0, 0
    if isinstance(value, int | float):
        return 0, value
    match = _CLASS.fullmatch(value) if isinstance(value, str) else None
    if match is None or match["size"] not in _SIZES or match["family"][0] not in _FAMILIES:
        return None
    return _FAMILIES.index(match["family"][0]), 2 ** _SIZES.index(match["size"]) * int(match["times"] or 1)
