"""The whole platform, in the order in which data needs its rooms."""

import pulumi

from infra import settings
from infra.aws import place
from infra.aws.alarms import Alarms, AlarmsArgs
from infra.aws.archive import Archive, ArchiveArgs
from infra.aws.audit import Audit, AuditArgs
from infra.aws.cache import Cache, CacheArgs, node_identifiers
from infra.aws.capacity import memory_gib
from infra.aws.database import Database, DatabaseArgs
from infra.aws.endpoints import Endpoints, EndpointsArgs
from infra.aws.flow_logs import FlowLogs, FlowLogsArgs
from infra.aws.keys import Keys, KeysArgs
from infra.aws.network import Network, NetworkArgs
from infra.aws.notifications import Notifications, NotificationsArgs
from infra.aws.state_alarms import cache_alarms, database_alarms
from infra.names import Names
from infra.outputs import export


def program() -> None:
    """Declare every resource of the stack and export what the app and its operators need.

    Raises:
        SettingsError: the configuration is refused; nothing has been registered.
    """
    stack = pulumi.get_stack()
    chosen = settings.load(stack)
    here = place.find(zones=chosen.network.zones, account=chosen.account)
    names = Names(stack=stack, owner=chosen.owner, account_id=here.account_id, region=here.region)

    network = Network(
        "network",
        NetworkArgs(names=names, cidr=chosen.network.cidr, zones=here.zones, nat=chosen.network.nat),
    )
    Endpoints(
        "endpoints",
        EndpointsArgs(
            names=names,
            place=here,
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
            place=here,
            lifetime=chosen.lifetime,
            deletion_days=chosen.keys.deletion_days,
            rotation_days=chosen.keys.rotation_days,
        ),
    )
    notifications = Notifications(
        "notifications",
        NotificationsArgs(
            names=names,
            account_id=here.account_id,
            kms_key_arn=keys.notifications,
            email=chosen.alarms.email,
        ),
    )
    if chosen.network.flow_logs:
        FlowLogs(
            "flow-logs",
            FlowLogsArgs(
                names=names,
                place=here,
                lifetime=chosen.lifetime,
                vpc_id=network.vpc_id,
                logs_key_arn=keys.logs,
                retention_days=chosen.network.flow_log_days,
            ),
        )
    database = Database(
        "database",
        DatabaseArgs(
            names=names,
            settings=chosen.database,
            lifetime=chosen.lifetime,
            subnet_ids=network.data_subnet_ids,
            security_group_id=network.database_security_group_id,
            state_key_arn=keys.state,
            secrets_key_arn=keys.secrets,
            logs_key_arn=keys.logs,
        ),
    )
    cache = Cache(
        "cache",
        CacheArgs(
            names=names,
            settings=chosen.cache,
            lifetime=chosen.lifetime,
            subnet_ids=network.data_subnet_ids,
            security_group_id=network.cache_security_group_id,
            state_key_arn=keys.state,
            secrets_key_arn=keys.secrets,
        ),
    )
    archive = Archive(
        "archive",
        ArchiveArgs(names=names, settings=chosen.archive, lifetime=chosen.lifetime, kms_key_arn=keys.archive),
    )
    audit = Audit(
        "audit",
        AuditArgs(names=names, settings=chosen.audit, lifetime=chosen.lifetime, kms_key_arn=keys.audit),
    )
    if chosen.alarms.enabled:
        Alarms(
            "alarms",
            AlarmsArgs(
                names=names,
                topic_arn=notifications.topic_arn,
                alarms=[
                    *database_alarms(
                        names.of("database"),
                        memory_gib(chosen.database),
                        readers=chosen.database.readers > 0,
                    ),
                    *cache_alarms(
                        node_identifiers("cache", names.of("cache"), chosen.cache),
                        replicas=chosen.cache.nodes > 1,
                    ),
                ],
            ),
        )

    export(
        here,
        network=network,
        keys=keys,
        notifications=notifications,
        database=database,
        cache=cache,
        archive=archive,
        audit=audit,
    )
