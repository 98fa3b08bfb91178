"""Where the state API runs: its images, its cluster, its rights, and the way in."""

from dataclasses import dataclass

from infra.aws.app_roles import AppRoles, AppRolesArgs
from infra.aws.cluster import Cluster, ClusterArgs
from infra.aws.edge import Edge, EdgeArgs
from infra.aws.registry import Registry, RegistryArgs
from infra.layers.foundation import Foundation
from infra.layers.history import History
from infra.layers.site import Site
from infra.layers.state import State


@dataclass(frozen=True, kw_only=True)
class Runtime:
    """What the configuration asks for of it; None is not there."""

    registry: Registry | None
    cluster: Cluster | None
    app_roles: AppRoles | None
    edge: Edge | None


def declare_runtime(site: Site, below: Foundation, state: State, history: History) -> Runtime:
    """Declare registry, cluster, the app's roles, and the edge."""
    cluster = _cluster(site, below)
    return Runtime(
        registry=_registry(site, below),
        cluster=cluster,
        app_roles=_app_roles(site, below, state, history, cluster) if cluster else None,
        edge=_edge(site, below),
    )


def _registry(site: Site, below: Foundation) -> Registry | None:
    if below.keys.registry is None:
        return None
    return Registry(
        "registry",
        RegistryArgs(
            names=site.names,
            place=site.place,
            settings=site.chosen.registry,
            lifetime=site.chosen.lifetime,
            kms_key_arn=below.keys.registry,
            recovery_region=site.chosen.recovery.region,
        ),
    )


def _cluster(site: Site, below: Foundation) -> Cluster | None:
    if below.keys.cluster is None:
        return None
    return Cluster(
        "cluster",
        ClusterArgs(
            names=site.names,
            place=site.place,
            settings=site.chosen.cluster,
            lifetime=site.chosen.lifetime,
            network=below.network,
            endpoints=below.endpoints,
            internet=site.chosen.network.nat != "none",
            cluster_key_arn=below.keys.cluster,
            logs_key_arn=below.keys.logs,
        ),
    )


def _app_roles(site: Site, below: Foundation, state: State, history: History, cluster: Cluster) -> AppRoles:
    return AppRoles(
        "app-roles",
        AppRolesArgs(
            names=site.names,
            place=site.place,
            cluster_name=cluster.name,
            keys=below.keys,
            database=state.database,
            cache=state.cache,
            archive_arn=history.archive.arn,
            audit_arn=history.audit.arn,
        ),
    )


def _edge(site: Site, below: Foundation) -> Edge | None:
    chosen, primary = site.chosen, site.primary
    if primary and primary.edge:
        domain, zone_id, host = primary.edge["domain"], primary.edge["zoneId"], primary.edge["host"]
    elif chosen.dns.zone:
        domain, zone_id, host = chosen.dns.zone, chosen.dns.zone_id, chosen.dns.host
    else:
        return None
    return Edge(
        "edge",
        EdgeArgs(
            names=site.names,
            place=site.place,
            lifetime=chosen.lifetime,
            domain=domain,
            zone_id=zone_id,
            host=host,
            standby=chosen.recovery.standby,
            firewall=chosen.firewall,
            vpc_id=below.network.vpc_id,
            subnet_ids=below.network.public_subnet_ids,
            app_group_id=below.network.app_security_group_id,
            logs_key_arn=below.keys.logs,
        ),
    )
