"""The global database: clusters of several regions, of which one takes writes and the others follow within a second."""

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from infra.aws.options import holding_data
from infra.names import Names
from infra.settings.lifetime import Lifetime

# Whoever leads is for operators to change: a fail-over leaves the program as it is. Versions of all members change
# together through the global cluster.
CHANGED_ELSEWHERE = ("engineVersion", "globalClusterIdentifier", "replicationSourceIdentifier")


@dataclass(frozen=True, kw_only=True)
class Joined:
    """What a cluster follows: a global cluster led from ``source_region``; the secrets are the copies in its own region."""

    global_cluster: str
    source_region: str
    master_secret_arn: str
    app_secret_arn: str


@dataclass(frozen=True, kw_only=True)
class GlobalDatabaseArgs:
    """Inputs of :class:`GlobalDatabase`; ``instances`` have to be there before another region can follow."""

    names: Names
    lifetime: Lifetime
    cluster_arn: pulumi.Input[str]
    engine_version: str
    instances: Sequence[pulumi.Resource]


class GlobalDatabase(pulumi.ComponentResource):
    """A global cluster around a cluster that exists, whatever that was made or restored from.

    Engine, encryption and database are those of that cluster; clusters in other regions join by ``identifier``.

    Produces ``GlobalCluster``.

    Source: Amazon Aurora User Guide, "Using Amazon Aurora Global Database"; Amazon RDS API, "CreateGlobalCluster".
    """

    identifier: pulumi.Output[str]

    def __init__(
        self, name: str, args: GlobalDatabaseArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("vanta:aws:GlobalDatabase", name, None, opts)
        cluster = aws.rds.GlobalCluster(
            name,
            global_cluster_identifier=args.names.of(name),
            source_db_cluster_identifier=args.cluster_arn,
            # The API refuses it beside a source, so the provider leaves it out there; later it upgrades every member.
            engine_version=args.engine_version,
            # A global cluster with members cannot be deleted; without it they stay, each on its own.
            force_destroy=True,
            deletion_protection=args.lifetime.protected,
            tags=args.names.tags(layer="state", classification="restricted"),
            opts=holding_data(self, lifetime=args.lifetime, depends_on=args.instances),
        )
        self.identifier = cluster.global_cluster_identifier
        self.register_outputs({"identifier": self.identifier})
