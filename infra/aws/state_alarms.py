"""When the primary store and the cache are in trouble: thresholds as named numbers, each with its reason."""

from collections.abc import Mapping, Sequence

from infra.aws.alarms import Alarm

# Amazon ElastiCache User Guide, "Which metrics should I monitor?": 90 %; taken for the database too, for which AWS
# recommends to find one's own number.
CPU_PERCENT = 90
# Ours: the rest is left for a fail-over, when every client connects anew before its old connection has timed out.
CONNECTIONS_SHARE = 0.8
# Amazon Aurora User Guide, "Maximum connections to an Aurora PostgreSQL DB instance": the default of max_connections.
BYTES_PER_CONNECTION = 9_531_392
MOST_CONNECTIONS = 5000
# Ours: Aurora gives three quarters to shared buffers for good, so that what is free is what sorts and connections share.
FREE_MEMORY_SHARE = 0.1
# Amazon Aurora User Guide, "Aurora Replicas": usually much less than 100 ms; ten times that is not usual.
REPLICA_LAG_MS = 1000
# Amazon Aurora User Guide, "Using Amazon Aurora Global Database": typically less than a second between regions; ten times
# that, too, is not usual.
GLOBAL_LAG_MS = 10_000
# Above it the eviction policy has no room for the next burst; Amazon ElastiCache User Guide, "Managing reserved memory"
# keeps a quarter outside of this percentage.
CACHE_MEMORY_PERCENT = 90
# Ours: entries that expire may be evicted; so many a minute mean that the cache is too small to help.
EVICTIONS_A_MINUTE = 1000
# Ours: a fail-over loses this much of what was cached and invalidated last; ElastiCache itself counts in seconds.
CACHE_LAG_S = 5

_GIB = 1024**3


def database_alarms(
    identifier: str, memory_gib: float, *, readers: bool, joined: bool = False
) -> Sequence[Alarm]:
    """The alarms of an Aurora cluster whose instances have ``memory_gib`` each; a ``joined`` one follows another region's.

    They follow the roles, not the instances: a fail-over changes who is writer, and scaling how many read.

    Source: Amazon Aurora User Guide, "Creating CloudWatch alarms to monitor Amazon Aurora".
    """
    connections = min(memory_gib * _GIB / BYTES_PER_CONNECTION, MOST_CONNECTIONS)
    alarms = []
    for role in ("writer", "reader") if readers else ("writer",):
        dimensions = {"DBClusterIdentifier": identifier, "Role": role.upper()}
        alarms += [
            Alarm(
                noun=f"database-{role}-cpu",
                description=f"The processors of a {role} are busy",
                namespace="AWS/RDS",
                metric="CPUUtilization",
                unit="%",
                dimensions=dimensions,
                above=CPU_PERCENT,
            ),
            Alarm(
                noun=f"database-{role}-connections",
                description=f"A {role} will soon refuse connections",
                namespace="AWS/RDS",
                metric="DatabaseConnections",
                unit="count",
                dimensions=dimensions,
                above=int(connections * CONNECTIONS_SHARE),
            ),
            Alarm(
                noun=f"database-{role}-memory",
                description=f"A {role} has little memory left",
                namespace="AWS/RDS",
                metric="FreeableMemory",
                unit="bytes",
                dimensions=dimensions,
                below=int(memory_gib * _GIB * FREE_MEMORY_SHARE),
            ),
        ]
    if readers:
        lag = Alarm(
            noun="database-replica-lag",
            description="A reader shows what is no longer true",
            namespace="AWS/RDS",
            metric="AuroraReplicaLagMaximum",
            unit="ms",
            dimensions={"DBClusterIdentifier": identifier},
            above=REPLICA_LAG_MS,
        )
        alarms.append(lag)
    if joined:
        # Published in the region that follows, for the cluster there.
        distance = Alarm(
            noun="database-global-lag",
            description="The other region's writes arrive late: they would be lost with it",
            namespace="AWS/RDS",
            metric="AuroraGlobalDBReplicationLag",
            unit="ms",
            dimensions={"DBClusterIdentifier": identifier},
            above=GLOBAL_LAG_MS,
        )
        alarms.append(distance)
    return alarms


def cache_alarms(nodes: Mapping[str, str], *, replicas: bool) -> Sequence[Alarm]:
    """The alarms of each of the cache's ``nodes``, from noun to identifier; any may become a primary."""
    alarms = []
    for noun, node in nodes.items():
        # Every node of ElastiCache for Valkey is a cache cluster of one node.
        dimensions = {"CacheClusterId": node, "CacheNodeId": "0001"}
        alarms += [
            Alarm(
                noun=f"{noun}-cpu",
                description="The one core that executes commands is busy",
                namespace="AWS/ElastiCache",
                metric="EngineCPUUtilization",
                unit="%",
                dimensions=dimensions,
                above=CPU_PERCENT,
            ),
            Alarm(
                noun=f"{noun}-memory",
                description="The cache is full",
                namespace="AWS/ElastiCache",
                metric="DatabaseMemoryUsagePercentage",
                unit="%",
                dimensions=dimensions,
                above=CACHE_MEMORY_PERCENT,
            ),
            Alarm(
                noun=f"{noun}-evictions",
                description="The cache drops entries before they expire",
                namespace="AWS/ElastiCache",
                metric="Evictions",
                unit="count",
                dimensions=dimensions,
                above=EVICTIONS_A_MINUTE,
            ),
        ]
        if replicas:
            lag = Alarm(
                noun=f"{noun}-lag",
                description="A replica is behind its primary",
                namespace="AWS/ElastiCache",
                metric="ReplicationLag",
                unit="s",
                dimensions=dimensions,
                above=CACHE_LAG_S,
            )
            alarms.append(lag)
    return alarms
