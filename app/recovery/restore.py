"""A database as it was at some second, beside the one that serves, and the exchange of the two.

To exchange them means to exchange their names. The address that the app is given, what the program declares and what Pulumi's
state refers to are all names, so none of these changes; the program's own inputs for a restore matter only when a cluster is made.
The other one stays, under a name that says until when it served. Which names there are is the only memory, so a step that
was interrupted is found out and taken again.
"""

import datetime as dt
import time
from collections.abc import Callable
from typing import Any, Literal

from botocore.exceptions import ClientError

from app.recovery import aws
from app.recovery.errors import LostError, RecoveryError
from app.recovery.stacks import Stack

POLL_SECONDS = 0.5
# AWS Knowledge Center: a restore "can take up to a few hours". A rename restarts an instance.
RESTORE_SECONDS, RENAME_SECONDS = 6 * 3600, 900
# Amazon RDS API, "CreateDBCluster": DBClusterIdentifier.
LONGEST_NAME = 63

Kind = Literal["cluster", "instance"]
_MISSING = {"DBClusterNotFoundFault", "DBInstanceNotFound", "DBInstanceNotFoundFault"}


class Restore:
    """The database of ``stack`` as it was at ``when``, a whole second in UTC.

    Source: Amazon RDS API, "RestoreDBClusterToPointInTime", "ModifyDBCluster" and "ModifyDBInstance".
    """

    def __init__(self, stack: Stack, when: dt.datetime) -> None:
        self._rds = aws.client("rds", stack.region, patience="change")
        self._when = when
        #: Called while one waits.
        self.alive: Callable[[], None] = lambda: None
        self.stack = stack
        self.name = stack.database
        self.restored = f"{stack.database}-at-{when:%Y%m%dt%H%M%Sz}"
        self.replaced = f"{stack.database}-until-{when:%Y%m%dt%H%M%Sz}"
        if len(self.replaced) + len("-00") > LONGEST_NAME:
            raise RecoveryError(
                f"{self.replaced} would be too long a name: restore {self.name} with `aws rds`, under one of your own."
            )

    def make(self) -> dict[str, Any]:
        """Restore it, with as many instances as the stack's own has, and describe it; what is there already is kept.

        Raises:
            RecoveryError: the second cannot be restored.
        """
        source = self._described("cluster", self.name)
        if source is None:
            raise RecoveryError(
                f"{self.name} is not found in {self.stack.region}: look whether it is being renamed."
            )
        if self._described("cluster", self.restored) is None:
            with aws.asking(f"{self.name} cannot be restored to {self._when:%Y-%m-%dT%H:%M:%SZ}"):
                self._rds.restore_db_cluster_to_point_in_time(
                    DBClusterIdentifier=self.restored,
                    SourceDBClusterIdentifier=self.name,
                    RestoreToTime=self._when,
                    RestoreType="full-copy",
                    **_like_cluster(source),
                )
        self._settled("cluster", self.restored, RESTORE_SECONDS)
        for instance in self._instances(source):
            name = _moved(instance["DBInstanceIdentifier"], self.name, self.restored)
            if self._described("instance", name) is None:
                with aws.asking(f"Instance {name} cannot be created"):
                    self._rds.create_db_instance(
                        DBInstanceIdentifier=name,
                        DBClusterIdentifier=self.restored,
                        **_like_instance(instance),
                    )
            # One after the other: the first becomes the writer.
            self._settled("instance", name, RESTORE_SECONDS)
        return self._settled("cluster", self.restored, RENAME_SECONDS)

    def judge(self) -> None:
        """Refuse an exchange that could not be finished.

        Raises:
            RecoveryError: there is nothing to exchange, or the cluster cannot have another name.
        """
        if self._described("cluster", self.restored):
            self._refuse_member()
        elif not self._described("cluster", self.replaced):
            raise RecoveryError(
                f"{self.restored} is not found: make it with `dr restore --at {self._when:%Y-%m-%dT%H:%M:%SZ}` first."
            )

    def _refuse_member(self) -> None:
        cluster = self._described("cluster", self.name)
        with aws.asking("Global clusters cannot be described"):
            known = self._rds.describe_global_clusters()["GlobalClusters"]
        for name, members in ((one["GlobalClusterIdentifier"], one["GlobalClusterMembers"]) for one in known):
            if cluster and cluster["DBClusterArn"] in {member["DBClusterArn"] for member in members}:
                raise RecoveryError(
                    f"{self.name} belongs to global cluster {name}, whose other members have the same writes: "
                    "let them leave it first, this one last (`aws rds remove-from-global-cluster`)."
                )

    def address(self) -> tuple[str, int] | None:
        """Where the restored cluster answers; None once it has taken the place of the other."""
        found = self._described("cluster", self.restored)
        return (found["Endpoint"], found["Port"]) if found else None

    def exchange(self, tell: Callable[[str], None]) -> None:
        """Give the restored cluster the name of the stack's own, whose clients are disconnected before; may be repeated."""
        if not self._described("cluster", self.replaced):
            self._move(self.name, self.replaced, tell)
        if self._described("cluster", self.restored):
            self._move(self.restored, self.name, tell)
        self._manage_password(tell)

    def _manage_password(self, tell: Callable[[str], None]) -> None:
        """Let RDS keep the master user's password if it kept that of the other one: a restored cluster has that from then."""
        kept = (self._described("cluster", self.replaced) or {}).get("MasterUserSecret")
        own = (self._described("cluster", self.name) or {}).get("MasterUserSecret")
        if not kept or own:
            return
        with aws.asking(f"The master user's password of {self.name} cannot be given to RDS"):
            self._rds.modify_db_cluster(
                DBClusterIdentifier=self.name,
                ManageMasterUserPassword=True,
                MasterUserSecretKmsKeyId=kept["KmsKeyId"],
                ApplyImmediately=True,
            )
        self._settled("cluster", self.name, RENAME_SECONDS)
        tell(f"RDS keeps a new password of the master user of {self.name}")

    def _move(self, old: str, new: str, tell: Callable[[str], None]) -> None:
        # The cluster last: as long as it has its old name, this is not over.
        cluster = self._settled("cluster", old, RENAME_SECONDS)
        for instance in self._instances(cluster):
            name = instance["DBInstanceIdentifier"]
            self._rename("instance", name, _moved(name, old, new), tell)
        self._rename("cluster", old, new, tell)

    def _rename(self, kind: Kind, old: str, new: str, tell: Callable[[str], None]) -> None:
        of = "DBCluster" if kind == "cluster" else "DBInstance"
        change = self._rds.modify_db_cluster if kind == "cluster" else self._rds.modify_db_instance
        with aws.asking(f"{old} cannot be renamed to {new}"):
            change(**{f"{of}Identifier": old, f"New{of}Identifier": new, "ApplyImmediately": True})
        self._settled(kind, new, RENAME_SECONDS)
        tell(f"{kind} {old} is {new} now")

    def _instances(self, cluster: dict[str, Any]) -> list[dict[str, Any]]:
        """Its instances that are named after it, the writer first; those that scaling made go as it made them."""
        of, found = cluster["DBClusterIdentifier"], []
        for member in sorted(cluster["DBClusterMembers"], key=lambda member: not member["IsClusterWriter"]):
            name = member["DBInstanceIdentifier"]
            described = self._described("instance", name) if name.startswith(f"{of}-") else None
            if described:
                found.append(described)
        return found

    def _described(self, kind: Kind, name: str) -> dict[str, Any] | None:
        try:
            with aws.asking(f"{name} cannot be described"):
                if kind == "cluster":
                    return self._rds.describe_db_clusters(DBClusterIdentifier=name)["DBClusters"][0]
                return self._rds.describe_db_instances(DBInstanceIdentifier=name)["DBInstances"][0]
        except LostError as error:
            cause = error.__cause__
            if isinstance(cause, ClientError) and cause.response["Error"]["Code"] in _MISSING:
                return None
            raise

    def _settled(self, kind: Kind, name: str, seconds: float) -> dict[str, Any]:
        """Its description once it is available."""
        end = time.monotonic() + seconds
        status = "Status" if kind == "cluster" else "DBInstanceStatus"
        while not (found := self._described(kind, name)) or found[status] != "available":
            if time.monotonic() > end:
                raise RecoveryError(
                    f"After {seconds:.0f} s {kind} {name} is {found[status] if found else 'not found'}: "
                    "look why, then repeat the command, which goes on."
                )
            self.alive()
            time.sleep(POLL_SECONDS)
        return found


def _moved(name: str, old: str, new: str) -> str:
    return new + name.removeprefix(old)


def _like_cluster(source: dict[str, Any]) -> dict[str, Any]:
    """What a restored cluster is not given by its data."""
    arguments = {
        "DBSubnetGroupName": source.get("DBSubnetGroup"),
        "DBClusterParameterGroupName": source.get("DBClusterParameterGroup"),
        "VpcSecurityGroupIds": [group["VpcSecurityGroupId"] for group in source.get("VpcSecurityGroups", [])],
        "KmsKeyId": source.get("KmsKeyId"),
        "EnableCloudwatchLogsExports": source.get("EnabledCloudwatchLogsExports"),
        "EnableIAMDatabaseAuthentication": source.get("IAMDatabaseAuthenticationEnabled"),
        "CopyTagsToSnapshot": source.get("CopyTagsToSnapshot"),
        "DeletionProtection": source.get("DeletionProtection"),
        "BackupRetentionPeriod": source.get("BackupRetentionPeriod"),
        "ServerlessV2ScalingConfiguration": source.get("ServerlessV2ScalingConfiguration"),
        "Tags": _tags(source),
    }
    return {name: value for name, value in arguments.items() if value not in (None, [], "", {})}


def _like_instance(source: dict[str, Any]) -> dict[str, Any]:
    insights = source.get("PerformanceInsightsEnabled") or None
    arguments = {
        "Engine": source["Engine"],
        "DBInstanceClass": source["DBInstanceClass"],
        "DBParameterGroupName": next(
            (group["DBParameterGroupName"] for group in source.get("DBParameterGroups", [])), None
        ),
        "PromotionTier": source.get("PromotionTier"),
        "PubliclyAccessible": source.get("PubliclyAccessible"),
        "AutoMinorVersionUpgrade": source.get("AutoMinorVersionUpgrade"),
        "CopyTagsToSnapshot": source.get("CopyTagsToSnapshot"),
        "EnablePerformanceInsights": insights,
        "PerformanceInsightsKMSKeyId": source.get("PerformanceInsightsKMSKeyId") if insights else None,
        "PerformanceInsightsRetentionPeriod": source.get("PerformanceInsightsRetentionPeriod")
        if insights
        else None,
        "Tags": _tags(source),
    }
    return {name: value for name, value in arguments.items() if value not in (None, [], "", {})}


def _tags(source: dict[str, Any]) -> list[dict[str, str]]:
    # AWS keeps names that begin so for itself.
    return [tag for tag in source.get("TagList", []) if not tag["Key"].startswith("aws:")]
