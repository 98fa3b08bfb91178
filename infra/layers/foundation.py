"""The foundation: network, keys, and where trouble is told."""

from dataclasses import dataclass

from infra.aws.endpoints import Endpoints, EndpointsArgs
from infra.aws.flow_logs import FlowLogs, FlowLogsArgs
from infra.aws.keys import Keys, KeysArgs
from infra.aws.network import Network, NetworkArgs
from infra.aws.notifications import Notifications, NotificationsArgs
from infra.layers.site import Site


@dataclass(frozen=True, kw_only=True)
class Foundation:
    """The rooms that all others stand on."""

    network: Network
    endpoints: Endpoints
    keys: Keys
    notifications: Notifications


def lay_foundation(site: Site) -> Foundation:
    """Declare the foundation."""
    chosen, names, place = site.chosen, site.names, site.place
    network = Network(
        "network",
        NetworkArgs(names=names, cidr=chosen.network.cidr, zones=place.zones, nat=chosen.network.nat),
    )
    endpoints = Endpoints(
        "endpoints",
        EndpointsArgs(
            names=names,
            place=place,
            interfaces=chosen.network.endpoints,
            vpc_id=network.vpc_id,
            subnet_ids=network.private_subnet_ids,
            route_table_ids=network.private_route_table_ids,
            app_security_group_id=network.app_security_group_id,
        ),
    )
    keys = Keys(
        "keys",
        KeysArgs(
            names=names,
            place=place,
            lifetime=chosen.lifetime,
            deletion_days=chosen.keys.deletion_days,
            rotation_days=chosen.keys.rotation_days,
            registry=chosen.registry.enabled,
            cluster=chosen.cluster.enabled,
            backup=chosen.backup.enabled,
            recovery_region=chosen.recovery.region,
            held=site.primary.key_arns if site.primary else {},
        ),
    )
    notifications = Notifications(
        "notifications",
        NotificationsArgs(
            names=names,
            account_id=place.account_id,
            kms_key_arn=keys.notifications,
            email=chosen.alarms.email,
        ),
    )
    if chosen.network.flow_logs:
        FlowLogs(
            "flow-logs",
            FlowLogsArgs(
                names=names,
                place=place,
                lifetime=chosen.lifetime,
                vpc_id=network.vpc_id,
                logs_key_arn=keys.logs,
                retention_days=chosen.network.flow_log_days,
            ),
        )
    return Foundation(network=network, endpoints=endpoints, keys=keys, notifications=notifications)
