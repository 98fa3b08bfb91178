"""The global cluster: who leads, how far the other is behind, and the change of the leader."""

import datetime as dt
from collections.abc import Mapping

import msgspec

from app.recovery import aws
from app.recovery.errors import LostError, RecoveryError
from app.recovery.stacks import Pair, Stack

# Aurora publishes it once a minute; one that is older says nothing about now.
LAG_SECONDS = 300


class Member(msgspec.Struct, frozen=True, kw_only=True):
    """A cluster of the global cluster; ``resyncs`` while it has not what the leader has."""

    arn: str
    leads: bool
    resyncs: bool


class GlobalDatabase:
    """The global cluster of ``pair``, asked in the region of its target: the other one may be lost.

    Source: Amazon RDS API, "DescribeGlobalClusters", "SwitchoverGlobalCluster", "FailoverGlobalCluster"; Amazon Aurora User
    Guide, "Amazon CloudWatch metrics for Amazon Aurora".
    """

    def __init__(self, pair: Pair) -> None:
        self._pair = pair
        self._rds = aws.client("rds", pair.target.region)
        self._changing = aws.client("rds", pair.target.region, patience="change")

    def members(self) -> tuple[Mapping[str, Member], bool]:
        """The members by stack, and whether a change of the leader is under way.

        Raises:
            RecoveryError: the target is none of them.
        """
        name = self._pair.target.global_cluster
        with aws.asking(f"Global cluster {name} cannot be described"):
            answer = self._rds.describe_global_clusters(GlobalClusterIdentifier=name)
        (described,) = answer["GlobalClusters"]
        found = {}
        for entry in described["GlobalClusterMembers"]:
            for stack in (self._pair.target, self._pair.other):
                # The partition of the ARN is left open.
                if entry["DBClusterArn"].endswith(
                    f":{stack.region}:{stack.account}:cluster:{stack.database}"
                ):
                    found[stack.name] = Member(
                        arn=entry["DBClusterArn"],
                        leads=entry["IsWriter"],
                        resyncs=entry.get("SynchronizationStatus") == "pending-resync",
                    )
        if self._pair.target.name not in found:
            raise RecoveryError(
                f"The database of {self._pair.target.name} is no member of global cluster {name}: "
                "let it join by `pulumi up` while its leader runs."
            )
        moving = described["Status"] != "available" or bool(described.get("FailoverState", {}).get("Status"))
        return found, moving

    def status(self, stack: Stack) -> str:
        """What RDS says of the cluster of ``stack``: ``available``, or what is wrong."""
        other = stack.name == self._pair.other.name
        rds = aws.client("rds", stack.region, patience="glance" if other else "usual")
        try:
            with aws.asking(f"The database of {stack.name} cannot be described"):
                answer = rds.describe_db_clusters(DBClusterIdentifier=stack.database)
        except LostError as error:
            return f"unknown ({error})"
        (cluster,) = answer["DBClusters"]
        if not cluster["DBClusterMembers"]:
            return "without an instance"
        return cluster["Status"]

    def lag_seconds(self) -> float | None:
        """How far the target was behind when that was last measured, if that was lately."""
        now = dt.datetime.now(dt.UTC)
        with aws.asking("The replication lag cannot be read"):
            answer = aws.client("cloudwatch", self._pair.target.region).get_metric_data(
                StartTime=now - dt.timedelta(seconds=LAG_SECONDS),
                # CloudWatch leaves out a period that has not ended when the request does.
                EndTime=now + dt.timedelta(seconds=60),
                MetricDataQueries=[
                    {
                        "Id": "lag",
                        "MetricStat": {
                            "Metric": {
                                "Namespace": "AWS/RDS",
                                "MetricName": "AuroraGlobalDBReplicationLag",
                                "Dimensions": [
                                    {"Name": "DBClusterIdentifier", "Value": self._pair.target.database}
                                ],
                            },
                            "Period": 60,
                            "Stat": "Maximum",
                        },
                    }
                ],
            )
        (result,) = answer["MetricDataResults"]
        _, newest = max(zip(result["Timestamps"], result["Values"], strict=True), default=(None, None))
        return None if newest is None else newest / 1000

    def switch_over(self, target: Member) -> None:
        """Ask for a change that loses nothing."""
        with aws.asking("The switchover was refused"):
            self._changing.switchover_global_cluster(
                GlobalClusterIdentifier=self._pair.target.global_cluster, TargetDbClusterIdentifier=target.arn
            )

    def fail_over(self, target: Member) -> None:
        """Ask for a change that loses what has not arrived."""
        with aws.asking("The fail-over was refused"):
            self._changing.failover_global_cluster(
                GlobalClusterIdentifier=self._pair.target.global_cluster,
                TargetDbClusterIdentifier=target.arn,
                AllowDataLoss=True,
            )
