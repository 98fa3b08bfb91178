"""What is watched for people: alarms, a dashboard of the same, and the bill."""

from infra.aws.alarms import Alarms, AlarmsArgs
from infra.aws.budget import Budget, BudgetArgs
from infra.aws.cache import node_identifiers
from infra.aws.capacity import memory_gib
from infra.aws.dashboard import Dashboard, DashboardArgs
from infra.aws.edge_alarms import edge_alarms
from infra.aws.state_alarms import cache_alarms, database_alarms
from infra.layers.foundation import Foundation
from infra.layers.runtime import Runtime
from infra.layers.site import Site


def declare_watch(site: Site, below: Foundation, runtime: Runtime) -> None:
    """Declare alarms and dashboard, and the budget if there is one."""
    chosen, names, topic = site.chosen, site.names, below.notifications.topic_arn
    if chosen.alarms.enabled:
        watched = [
            *database_alarms(
                names.of("database"),
                memory_gib(chosen.database),
                readers=chosen.database.readers > 0,
                joined=site.joins,
            ),
            *cache_alarms(
                node_identifiers("cache", names.of("cache"), chosen.cache), replicas=chosen.cache.nodes > 1
            ),
            *(edge_alarms(runtime.edge.load_balancer) if runtime.edge else ()),
        ]
        Alarms("alarms", AlarmsArgs(names=names, topic_arn=topic, alarms=watched))
        Dashboard("dashboard", DashboardArgs(names=names, place=site.place, alarms=watched))
    if chosen.budget.monthly_usd:
        Budget("budget", BudgetArgs(names=names, monthly_usd=chosen.budget.monthly_usd, topic_arn=topic))
