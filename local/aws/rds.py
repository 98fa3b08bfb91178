"""RDS made real: an Aurora PostgreSQL cluster is a running PostgreSQL, its readers are streaming replicas.

The emulator keeps the records and validates; this room carries the requests out with :mod:`local.aws.rds_engines`.
"""

import copy
import shutil
from dataclasses import dataclass
from typing import Any

from local import postgres_parameters
from local.aws.internals import (
    RDS_ACTIONS,
    Answer,
    Handler,
    Params,
    Record,
    cluster_parameter_groups,
    cluster_snapshots,
    clusters,
    delete_secret,
    instance_answer,
    instance_parameter_groups,
    instances,
    one,
    rds,
    rds_error,
    request_scope,
    restore_databases,
)
from local.aws.query import RefusedError, answering, refusing
from local.aws.rds_engines import Engines, check_version, group_values, members, publish
from local.aws.rds_global_clusters import GlobalClusters
from local.aws.rds_lag import Lags
from local.aws.rds_members import leader_of
from local.aws.rds_passwords import check_management, manage
from local.aws.rds_records import cluster_answer, record_snapshot, snapshot_folder
from local.aws.rds_renames import Renames
from local.aws.rds_snapshots import Snapshots
from local.aws.rds_switches import Switches
from local.home import Home
from local.postgres import MAJOR
from local.postgres_recovery import copy as copy_data
from local.processes import Processes

ENGINE, DEFAULT_VERSION = "aurora-postgresql", f"{MAJOR}.7"

# What is record keeping alone, and therefore true as the emulator does it.
RECORDS = {
    "AddTagsToResource", "CreateDBClusterParameterGroup", "CreateDBParameterGroup", "CreateDBSubnetGroup",
    "DeleteDBClusterParameterGroup", "DeleteDBParameterGroup", "DeleteDBSubnetGroup", "DeleteGlobalCluster", "DescribeDBClusterParameterGroups",
    "DescribeDBClusterParameters", "DescribeDBClusterSnapshots", "DescribeDBEngineVersions", "DescribeDBParameterGroups",
    "DescribeDBParameters", "DescribeDBSnapshots", "DescribeDBSubnetGroups", "DescribeEvents", "DescribeGlobalClusters",
    "DescribeOrderableDBInstanceOptions", "DescribePendingMaintenanceActions", "ListTagsForResource", "ModifyDBSubnetGroup",
    "RemoveTagsFromResource",
}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Databases:
    """The database clusters of ``home``."""

    home: Home

    @property
    def _engines(self) -> Engines:
        return Engines(home=self.home)

    def install(self) -> None:
        """Stand between the emulator and its answers."""
        rooms = {
            "CreateDBCluster": self.create_cluster,
            "ModifyDBCluster": self.modify_cluster,
            "DeleteDBCluster": self.delete_cluster,
            "DescribeDBClusters": self.describe,
            "CreateDBInstance": self.create_instance,
            "ModifyDBInstance": self.modify_instance,
            "DeleteDBInstance": self.delete_instance,
            "DescribeDBInstances": self.describe,
            "RebootDBInstance": self.reboot_instance,
            "ModifyDBClusterParameterGroup": self.modify_parameters,
            "ResetDBClusterParameterGroup": self.modify_parameters,
            "ModifyDBParameterGroup": self.modify_parameters,
            "ResetDBParameterGroup": self.modify_parameters,
            **GlobalClusters(engines=self._engines).rooms(),
            **Switches(engines=self._engines).rooms(),
            **Snapshots(home=self.home, engines=self._engines).rooms(),
        }
        # The emulator does not know all of them, and then there is nothing that it could keep books of.
        for action, bookkeep in [
            *RDS_ACTIONS.items(),
            *((name, _unknown) for name in {*rooms} - {*RDS_ACTIONS}),
        ]:
            if action not in RECORDS:
                room = rooms.get(action) or refusing(action)
                RDS_ACTIONS[action] = answering(room, bookkeep, rds_error)
        Lags(engines=self._engines).install()
        # When it starts, the emulator would look for containers and rewrite its records while it does not find them.
        vars(rds)["load_persisted_state"] = restore_databases

    def recover(self) -> None:
        """Start every engine that should run and does not, each where its records say."""
        waiting = []
        for (account, region, _), cluster in list(clusters.all_items()):
            with request_scope(account, region):
                if leader_of(cluster):
                    waiting.append((account, region, cluster))
                else:
                    self._engines.settle(cluster)
        # What follows comes after what it follows.
        for account, region, cluster in waiting:
            with request_scope(account, region):
                self._engines.settle(cluster)

    def create_cluster(self, params: Params, bookkeep: Handler) -> Answer:
        """Initialise the storage of a cluster; its first member will serve it."""
        if one(params, "Engine") != ENGINE:
            raise RefusedError(
                "InvalidParameterValue", f"Engine is {one(params, 'Engine')!r}: only {ENGINE} runs here."
            )
        params.setdefault("EngineVersion", [DEFAULT_VERSION])
        check_version(params)
        parameters = group_values(cluster_parameter_groups.get(one(params, "DBClusterParameterGroupName")))
        postgres_parameters.check(parameters)
        answer = bookkeep(params)
        if answer[0] != 200:
            return answer
        cluster = clusters[one(params, "DBClusterIdentifier")]
        try:
            publish(cluster, self._engines.claim_port(cluster), self.home)
            storage = self._engines.storage(cluster)
            # What a crash in the middle of an earlier creation has left belongs to nobody.
            shutil.rmtree(storage.folder, ignore_errors=True)
            # What follows another cluster is copied from there when its first member comes.
            if not leader_of(cluster):
                storage.initialise(
                    username=cluster["MasterUsername"],
                    password=cluster["_MasterUserPassword"],
                    database=cluster["DatabaseName"],
                    parameters=parameters,
                )
                copy_data(storage.data, storage.folder / "base")
        except BaseException:
            self._undo_cluster(cluster)
            raise
        return cluster_answer("CreateDBCluster", cluster)

    def modify_cluster(self, params: Params, bookkeep: Handler) -> Answer:
        """Change the name, the master password, the parameter group or records of a cluster; its port is this machine's."""
        check_version(params)
        params = Renames(engines=self._engines).cluster(params)
        before = copy.deepcopy(clusters.get(one(params, "DBClusterIdentifier")))
        managed = before["MasterUserSecret"] if before else None
        check_management(params, managed)
        if before and managed and one(params, "ManageMasterUserPassword") == "false":
            clusters[before["DBClusterIdentifier"]]["MasterUserSecret"] = None
        answer = bookkeep(params)
        if before is None:
            return answer
        cluster = clusters[before["DBClusterIdentifier"]]
        if answer[0] != 200:
            cluster["MasterUserSecret"] = managed
            return answer
        cluster["Port"] = before["Port"]
        try:
            manage(cluster, params)
            self._engines.settle(cluster)
            if (
                cluster["_MasterUserPassword"] != before["_MasterUserPassword"]
                and cluster["DBClusterMembers"]
            ):
                self._engines.writer(cluster).set_password(
                    cluster["MasterUsername"], cluster["_MasterUserPassword"]
                )
        except BaseException:
            if not managed and (made := cluster["MasterUserSecret"]):
                delete_secret(made["SecretArn"])
            cluster.clear()
            cluster.update(before)
            raise
        if managed and not cluster["MasterUserSecret"]:
            delete_secret(managed["SecretArn"])
        return cluster_answer("ModifyDBCluster", cluster)

    def delete_cluster(self, params: Params, bookkeep: Handler) -> Answer:
        """Delete a cluster without members; its storage goes with it, or becomes the final snapshot."""
        final = one(params, "FinalDBSnapshotIdentifier")
        if (one(params, "SkipFinalSnapshot") == "true") == bool(final):
            raise RefusedError(
                "InvalidParameterCombination",
                "FinalDBSnapshotIdentifier is for SkipFinalSnapshot=false, which needs it: give one of them.",
            )
        if final in cluster_snapshots:
            raise RefusedError(
                "DBClusterSnapshotAlreadyExistsFault",
                f"{final} exists: give the final snapshot another name.",
            )
        cluster = clusters.get(one(params, "DBClusterIdentifier"))
        answer = bookkeep(params)
        if answer[0] == 200 and cluster:
            storage = self._engines.storage(cluster).folder
            if final:
                storage.rename(snapshot_folder(self.home, final))
                record_snapshot(final, cluster)
            shutil.rmtree(storage, ignore_errors=True)
        return answer

    def describe(self, params: Params, bookkeep: Handler) -> Answer:
        """Describe clusters or instances; ``available`` means that the engine takes connections now."""
        for cluster in clusters.values():
            publish(cluster, cluster["Port"], self.home)
            for instance in members(cluster):
                server = self._engines.server(cluster, instance)
                running = Processes(self.home).running(server.name) is not None
                instance["DBInstanceStatus"] = (
                    "available" if server.ready() else "starting" if running else "failed"
                )
            status = {member["DBInstanceStatus"] for member in members(cluster)[:1]}
            cluster["Status"] = status.pop() if status else "available"
        return bookkeep(params)

    def create_instance(self, params: Params, bookkeep: Handler) -> Answer:
        """Start a member of a cluster: the first is the writer, each further one its streaming replica."""
        cluster = clusters.get(one(params, "DBClusterIdentifier"))
        if cluster is None:
            identifier = one(params, "DBClusterIdentifier")
            raise RefusedError(
                "DBClusterNotFoundFault",
                f"DBCluster {identifier!r} is not found: only members of one run here.",
            )
        taken = {member["Endpoint"]["Address"] for member in members(cluster)}
        free = [host for host in self.home.addresses if host not in taken]
        if not free:
            raise RefusedError(
                "InstanceQuotaExceeded",
                f"the cluster has {len(self.home.addresses)} members: no address is left for more.",
            )
        answer = bookkeep(params)
        if answer[0] != 200:
            return answer
        instance = instances[one(params, "DBInstanceIdentifier")]
        instance["Endpoint"]["Address"] = free[0]
        try:
            self._engines.settle(cluster)
        except BaseException:
            self._engines.forget(cluster, instance)
            self._engines.settle(cluster)
            raise
        instance["DBInstanceStatus"] = "available"
        return instance_answer("CreateDBInstanceResponse", "CreateDBInstanceResult", instance)

    def modify_instance(self, params: Params, bookkeep: Handler) -> Answer:
        """Change the name, the parameter group or records of a member."""
        check_version(params)
        params = Renames(engines=self._engines).instance(params)
        before = copy.deepcopy(instances.get(one(params, "DBInstanceIdentifier")))
        answer = bookkeep(params)
        if answer[0] != 200 or before is None:
            return answer
        instance = instances[before["DBInstanceIdentifier"]]
        try:
            self._engines.settle(clusters[instance["DBClusterIdentifier"]])
        except BaseException:
            instance.clear()
            instance.update(before)
            raise
        return answer

    def delete_instance(self, params: Params, bookkeep: Handler) -> Answer:
        """Stop and remove a member; a reader takes over from a deleted writer."""
        instance = instances.get(one(params, "DBInstanceIdentifier"))
        cluster = clusters.get(instance["DBClusterIdentifier"]) if instance else None
        answer = bookkeep(params)
        if answer[0] == 200 and instance and cluster:
            self._engines.retire(cluster, instance)
            self._engines.settle(cluster)
        return answer

    def reboot_instance(self, params: Params, bookkeep: Handler) -> Answer:
        """Restart a member, which applies the parameters that wait for it."""
        answer = bookkeep(params)
        if answer[0] == 200:
            instance = instances[one(params, "DBInstanceIdentifier")]
            cluster = clusters[instance["DBClusterIdentifier"]]
            server = self._engines.server(cluster, instance)
            server.stop()
            server.start()
        return answer

    def modify_parameters(self, params: Params, bookkeep: Handler) -> Answer:
        """Change a parameter group: refused as a whole if the engine refuses one value, applied at once where it can be.

        What needs a restart waits for RebootDBInstance; the rest takes effect whatever ApplyMethod says.
        """
        groups, name = _group_of(params)
        group = groups.get(name)
        before = copy.deepcopy(group)
        answer = bookkeep(params)
        if answer[0] != 200 or group is None:
            return answer
        try:
            postgres_parameters.check(group_values(group))
            for cluster in clusters.values():
                self._engines.settle(cluster)
        except BaseException:
            groups[name] = before
            raise
        return answer

    def _undo_cluster(self, cluster: Record) -> None:
        cluster["DeletionProtection"] = False
        delete = {"DBClusterIdentifier": [cluster["DBClusterIdentifier"]], "SkipFinalSnapshot": ["true"]}
        RDS_ACTIONS["DeleteDBCluster"](delete)


def _unknown(params: Params) -> Answer:
    raise RefusedError("InvalidAction", f"{one(params, 'Action')} is not kept in books here.")


def _group_of(params: Params) -> tuple[Any, str]:
    if name := one(params, "DBClusterParameterGroupName"):
        return cluster_parameter_groups, name
    return instance_parameter_groups, one(params, "DBParameterGroupName")
