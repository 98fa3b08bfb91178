"""New names of clusters and of their instances: data, books and address go with the name."""

from dataclasses import dataclass

from local.aws.internals import Params, Record, clusters, instances, one, rds_tags
from local.aws.query import RefusedError
from local.aws.rds_engines import Engines, members


@dataclass(frozen=True, kw_only=True)
class Renames:
    """What ModifyDBCluster and ModifyDBInstance are asked for beside other changes; the rest of a request is of the new name.

    Clients are disconnected. An address belongs to a name, so who takes a name that was given up answers where its owner did.

    Source: Amazon RDS API, "ModifyDBCluster", NewDBClusterIdentifier; "ModifyDBInstance", NewDBInstanceIdentifier.
    """

    engines: Engines

    def cluster(self, params: Params) -> Params:
        """Rename a cluster if that is asked for, and return the request for what it is called now."""
        old, new = one(params, "DBClusterIdentifier"), one(params, "NewDBClusterIdentifier")
        cluster = clusters.get(old)
        if not new or cluster is None:
            return params
        if new in clusters:
            raise RefusedError("DBClusterAlreadyExistsFault", f"DB cluster {new} already exists.")
        if cluster.get("GlobalClusterIdentifier"):
            raise RefusedError(
                "InvalidDBClusterStateFault",
                f"DB cluster {old} belongs to a global cluster: let it leave first.",
            )
        self._stop(cluster)
        folder = self.engines.storage(cluster).folder
        folder.rename(folder.parent / new)
        _rename(cluster, "DBCluster", new)
        clusters[new] = cluster
        del clusters[old]
        for member in members(cluster):
            member["DBClusterIdentifier"] = new
        self.engines.settle(cluster)
        return {**_without(params, "NewDBClusterIdentifier"), "DBClusterIdentifier": [new]}

    def instance(self, params: Params) -> Params:
        """Rename an instance if that is asked for, and return the request for what it is called now."""
        old, new = one(params, "DBInstanceIdentifier"), one(params, "NewDBInstanceIdentifier")
        instance = instances.get(old)
        if not new or instance is None:
            return params
        if new in instances:
            raise RefusedError("DBInstanceAlreadyExists", f"DB instance {new} already exists.")
        cluster = clusters[instance["DBClusterIdentifier"]]
        before, writer = self.engines.server(cluster, instance), self.engines.writer(cluster)
        before.stop()
        if before != writer:
            before.release(writer)
        _rename(instance, "DBInstance", new)
        instances[new] = instance
        del instances[old]
        for member in cluster["DBClusterMembers"]:
            if member["DBInstanceIdentifier"] == old:
                member["DBInstanceIdentifier"] = new
        before.data.rename(self.engines.server(cluster, instance).data)
        self.engines.settle(cluster)
        return {**_without(params, "NewDBInstanceIdentifier"), "DBInstanceIdentifier": [new]}

    def _stop(self, cluster: Record) -> None:
        # The writer first: it sends its readers all that it has before it ends.
        for member in members(cluster):
            self.engines.server(cluster, member).stop()


def _rename(record: Record, kind: str, new: str) -> None:
    before = record[f"{kind}Arn"]
    after = f"{before.rpartition(':')[0]}:{new}"
    record |= {f"{kind}Identifier": new, f"{kind}Arn": after}
    if before in rds_tags:
        rds_tags[after] = rds_tags.pop(before)


def _without(params: Params, name: str) -> Params:
    return {known: values for known, values in params.items() if known != name}
