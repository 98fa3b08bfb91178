"""What AWS, and sense, refuse of the database and the cache: as :mod:`infra.checks`, each limit with its source."""

import datetime as dt
import re
from typing import TYPE_CHECKING

from infra.limits import check_log_retention, nearest, within
from infra.refusal import refusal

if TYPE_CHECKING:
    from infra.settings import CacheSettings, DatabaseSettings

# Amazon RDS API: CreateDBCluster, BackupRetentionPeriod, and CreateDBInstance, PerformanceInsightsRetentionPeriod.
BACKUP_RETENTION_DAYS = range(1, 36)
PERFORMANCE_INSIGHTS_DAYS = frozenset({7, 731, *(31 * month for month in range(1, 24))})
# Amazon Aurora User Guide, "Adding Aurora Replicas to a DB cluster": one primary instance and up to 15 replicas.
READERS = range(16)
# Amazon RDS API: ServerlessV2ScalingConfiguration, MaxCapacity; below 1 PostgreSQL has too few connections to be useful.
CAPACITY_UNITS = range(1, 257)
# PostgreSQL, log_min_duration_statement: -1 would switch the slow query log off, 0 would log every statement.
SLOW_QUERY_MS = range(1, 3_600_001)
# Amazon ElastiCache API: CreateReplicationGroup, NumCacheClusters (a primary and up to five replicas) and AuthToken.
CACHE_NODES = range(1, 7)
AUTH_TOKEN_LENGTH = range(16, 129)
# Amazon ElastiCache User Guide, "Quotas for ElastiCache": nodes per cluster, unless AWS was asked for more.
MOST_CACHE_NODES = 90
SHARDS = range(1, MOST_CACHE_NODES + 1)
# AWS Config, elasticache-automatic-backup-check-enabled: 1 to 35 days; ElastiCache API: 0 switches snapshots off.
SNAPSHOT_DAYS = range(36)

_IDENTIFIER = re.compile(r"[a-z][a-z0-9_]{0,62}")
_DB_CLASS = re.compile(r"db\.(t3|t4g|r[5-9][a-z]*|x2g)\.(medium|large|[0-9]*xlarge)")
_CACHE_NODE = re.compile(
    r"cache\.(t3|t4g|m[5-9][a-z]*|r[5-9][a-z]*|c[7-9]gn)\.(micro|small|medium|large|[0-9]*xlarge)"
)


def check_database(database: "DatabaseSettings", *, permanent: bool) -> None:
    """The ranges of Amazon RDS, and enough readers to survive the loss of the writer where data matters."""
    if not _IDENTIFIER.fullmatch(database.name):
        raise refusal(
            "database.name",
            database.name,
            "which PostgreSQL would have to quote",
            "Use a-z, 0-9 and _, a letter first",
        )
    if not re.fullmatch(r"17\.[0-9]{1,2}", database.engine_version):
        raise refusal(
            "database.engineVersion",
            database.engine_version,
            "but the parameter groups are those of PostgreSQL 17",
            'Use a version like "17.5"',
        )
    if not _DB_CLASS.fullmatch(database.instance_class):
        raise refusal(
            "database.instanceClass",
            database.instance_class,
            "which Aurora PostgreSQL 17 does not offer",
            "Use a class like db.t4g.medium or db.r8g.large",
        )
    within("database.readers", database.readers, READERS, noun="{} to {} readers")
    if permanent and database.readers == 0:
        raise refusal(
            "database.readers",
            0,
            "but vanta:lifetime is permanent: nothing could take over when the writer is lost",
            "Use 1 or more",
        )
    _check_scaling(database)
    _check_restore(database)
    within("database.backupRetentionDays", database.backup_retention_days, BACKUP_RETENTION_DAYS)
    if database.performance_insights_days not in PERFORMANCE_INSIGHTS_DAYS:
        raise refusal(
            "database.performanceInsightsDays",
            database.performance_insights_days,
            "but Performance Insights keeps 7 days, 1 to 23 months of 31 days, or 731 days",
            f"Use {nearest(database.performance_insights_days, PERFORMANCE_INSIGHTS_DAYS)}",
        )
    check_log_retention("database.logRetentionDays", database.log_retention_days)
    within("database.slowQueryMs", database.slow_query_ms, SLOW_QUERY_MS, noun="{} to {} milliseconds")


def _check_scaling(database: "DatabaseSettings") -> None:
    within("database.minCapacityUnits", database.min_capacity_units, CAPACITY_UNITS, noun="{} to {} units")
    within("database.maxCapacityUnits", database.max_capacity_units, CAPACITY_UNITS, noun="{} to {} units")
    if database.max_capacity_units < database.min_capacity_units:
        raise refusal(
            "database.maxCapacityUnits",
            database.max_capacity_units,
            f"which is less than vanta:database.minCapacityUnits ({database.min_capacity_units})",
            f"Use {database.min_capacity_units} or more",
        )
    within("database.maxReaders", database.max_readers, READERS, noun="{} to {} readers")
    if not database.max_readers:
        return
    if database.readers == 0:
        raise refusal(
            "database.readers",
            0,
            "but vanta:database.maxReaders asks for scaling, which measures the readers there are",
            "Use 1 or more",
        )
    if database.max_readers <= database.readers:
        raise refusal(
            "database.maxReaders",
            database.max_readers,
            f"which leaves nothing to scale above vanta:database.readers ({database.readers})",
            f"Use {database.readers + 1} or more, or 0 for no scaling",
        )


def _check_restore(database: "DatabaseSettings") -> None:
    if database.restore_snapshot and database.restore_cluster:
        raise refusal(
            "database.restoreSnapshot",
            database.restore_snapshot,
            f"but vanta:database.restoreCluster is {database.restore_cluster}: a cluster begins from one of them",
            "Remove one",
        )
    if database.restore_time and not database.restore_cluster:
        raise refusal(
            "database.restoreTime",
            database.restore_time,
            "but vanta:database.restoreCluster does not say of which cluster",
            "Name it",
        )
    if database.restore_time and not _is_moment(database.restore_time):
        raise refusal(
            "database.restoreTime",
            database.restore_time,
            "which is no moment in UTC",
            "Write it like 2026-01-31T13:05:00Z",
        )


def _is_moment(text: str) -> bool:
    try:
        dt.datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=dt.UTC)
    except ValueError:
        return False
    return True


def check_cache(cache: "CacheSettings") -> None:
    """The ranges of Amazon ElastiCache."""
    if not re.fullmatch(r"8\.[0-9]", cache.engine_version):
        raise refusal(
            "cache.engineVersion",
            cache.engine_version,
            "but the parameter group is that of Valkey 8",
            'Use a version like "8.1"',
        )
    if not _CACHE_NODE.fullmatch(cache.node_type):
        raise refusal(
            "cache.nodeType",
            cache.node_type,
            "which ElastiCache does not offer",
            "Use a type like cache.t4g.micro or cache.r7g.large",
        )
    within("cache.nodes", cache.nodes, CACHE_NODES, noun="{} to {} nodes")
    within("cache.shards", cache.shards, SHARDS, noun="{} to {} shards")
    if cache.shards * cache.nodes > MOST_CACHE_NODES:
        raise refusal(
            "cache.shards",
            cache.shards,
            f"but with vanta:cache.nodes ({cache.nodes}) in each that is {cache.shards * cache.nodes} nodes "
            f"of at most {MOST_CACHE_NODES}",
            f"Use {MOST_CACHE_NODES // cache.nodes} or fewer",
        )
    within("cache.snapshotDays", cache.snapshot_days, SNAPSHOT_DAYS)
    within("cache.authTokenLength", cache.auth_token_length, AUTH_TOKEN_LENGTH, noun="{} to {} characters")
