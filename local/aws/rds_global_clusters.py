"""Global clusters: what happens to the engines when clusters join and leave them."""

from collections.abc import Callable
from dataclasses import dataclass

from local.aws.internals import Answer, Handler, Params, one
from local.aws.query import RefusedError
from local.aws.rds_engines import Engines, check_version
from local.aws.rds_members import find, inside, leader_of, resyncs


@dataclass(frozen=True, kw_only=True)
class GlobalClusters:
    """The requests about global clusters; clusters join when they are made."""

    engines: Engines

    def rooms(self) -> dict[str, Callable[[Params, Handler], Answer]]:
        """What answers which action."""
        return {
            "CreateGlobalCluster": self.create,
            "ModifyGlobalCluster": self.modify,
            "RemoveFromGlobalCluster": self.remove_member,
        }

    def create(self, params: Params, bookkeep: Handler) -> Answer:
        """Make a global cluster, empty or around one that exists."""
        source = find(one(params, "SourceDBClusterIdentifier"))
        # Amazon Aurora User Guide, "Limitations for Secrets Manager integration with Amazon Aurora".
        if source and source.cluster["MasterUserSecret"]:
            raise RefusedError(
                "InvalidDBClusterStateFault",
                "The master password of the source is managed by RDS, which no member of a global cluster's may be.",
            )
        return bookkeep(params)

    def modify(self, params: Params, bookkeep: Handler) -> Answer:
        """Change records of a global cluster and its members, which stay of the major version that runs here."""
        check_version(params)
        return bookkeep(params)

    def remove_member(self, params: Params, bookkeep: Handler) -> Answer:
        """Take a cluster out: what has followed becomes a cluster of its own, with all that it has received."""
        member = find(one(params, "DbClusterIdentifier"))
        leader = leader_of(member.cluster) if member else None
        if member and resyncs(member.cluster) and member.cluster["DBClusterMembers"]:
            raise RefusedError(
                "InvalidDBClusterStateFault",
                "The cluster led until another was promoted without it, and would be a second writer: "
                "let it follow again, or delete its instances first.",
            )
        answer = bookkeep(params)
        if answer[0] == 200 and member and leader:
            member.cluster["_MasterUserPassword"] = leader.cluster["_MasterUserPassword"]
            with inside(member.region):
                self.engines.part(member.cluster, self.engines.leader(leader))
        return answer
