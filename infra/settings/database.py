"""What a stack file says of its database."""

import datetime as dt
import re
from dataclasses import dataclass
from typing import Literal

from infra.refusal import refusal
from infra.settings.lifetime import Lifetime
from infra.settings.limits import check_log_retention, nearest, within
from infra.settings.recovery import RecoverySettings

# Amazon RDS API: CreateDBCluster, BackupRetentionPeriod, and CreateDBInstance, PerformanceInsightsRetentionPeriod.
BACKUP_RETENTION_DAYS = range(1, 36)
PERFORMANCE_INSIGHTS_DAYS = frozenset({7, 731, *(31 * month for month in range(1, 24))})
# Amazon Aurora User Guide, "Adding Aurora Replicas to a DB cluster": one primary instance and up to 15 replicas.
READERS = range(16)
# Amazon RDS API: ServerlessV2ScalingConfiguration, MaxCapacity; below 1 PostgreSQL has too few connections to be useful.
CAPACITY_UNITS = range(1, 257)
# Amazon Aurora User Guide, "Configuration requirements of an Amazon Aurora global database": the least capacity that it
# recommends for the primary, and replicas of the primary less one for each other region.
GLOBAL_CAPACITY_UNITS = range(8, 257)
GLOBAL_READERS = range(15)
# PostgreSQL, log_min_duration_statement: -1 would switch the slow query log off, 0 would log every statement.
SLOW_QUERY_MS = range(1, 3_600_001)

# Amazon Aurora User Guide, "Getting a list of available versions in your AWS Region": Aurora has no 17.0 to 17.3.
_ENGINE_VERSION = re.compile(r"17\.([4-9]|[1-9][0-9])")
_IDENTIFIER = re.compile(r"[a-z][a-z0-9_]{0,62}")
_DB_CLASS = re.compile(r"db\.(t3|t4g|r[5-9][a-z]*|x2g)\.(medium|large|[0-9]*xlarge)")


@dataclass(frozen=True, kw_only=True)
class DatabaseSettings:
    """The Aurora PostgreSQL cluster; ``slow_query_ms`` in milliseconds, retentions in days, capacity in Aurora units.

    ``max_readers`` 0 switches scaling off; empty ``restore_...`` begin with an empty database. A primary with
    ``global_cluster`` is replicated to the clusters of other regions that join it.
    """

    name: str
    engine_version: str
    capacity: Literal["provisioned", "serverless"]
    instance_class: str
    min_capacity_units: int
    max_capacity_units: int
    readers: int
    max_readers: int
    restore_snapshot: str
    restore_cluster: str
    restore_time: str
    backup_retention_days: int
    performance_insights_days: int
    log_retention_days: int
    slow_query_ms: int
    iam_authentication: bool
    global_cluster: bool


def check_database(database: "DatabaseSettings", *, lifetime: Lifetime, recovery: RecoverySettings) -> None:
    """The ranges of Amazon RDS, and enough readers to survive the loss of the writer where data matters."""
    if not _IDENTIFIER.fullmatch(database.name):
        raise refusal(
            "database.name",
            database.name,
            "which PostgreSQL would have to quote",
            "Use a-z, 0-9 and _, a letter first",
        )
    if not _ENGINE_VERSION.fullmatch(database.engine_version):
        raise refusal(
            "database.engineVersion",
            database.engine_version,
            "but the parameter groups are those of PostgreSQL 17, which Aurora has from 17.4 on",
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
    if lifetime.kept and database.readers == 0:
        raise refusal(
            "database.readers",
            0,
            f"but vanta:lifetime is {lifetime}: nothing could take over when the writer is lost",
            "Use 1 or more",
        )
    _check_scaling(database)
    _check_restore(database)
    if database.global_cluster:
        _check_global(database, recovery)
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


def _check_global(database: "DatabaseSettings", recovery: RecoverySettings) -> None:
    if recovery.standby:
        raise refusal(
            "database.globalCluster",
            True,
            "but vanta:recovery.role is standby, which joins the global cluster of its primary",
            "Remove it, and set it on the primary",
        )
    if not recovery.region:
        raise refusal(
            "database.globalCluster",
            True,
            "but vanta:recovery.region is empty: no cluster could join with a copy of the secrets",
            "Name the region, or set it to false",
        )
    _check_member(database)


def check_joined(database: "DatabaseSettings") -> None:
    """What a standby's cluster has to be like to follow its primary's global cluster.

    Raises:
        SettingsError: Aurora would refuse the cluster as a member.
    """
    _check_member(database)
    if database.max_readers:
        raise refusal(
            "database.maxReaders",
            database.max_readers,
            "but Aurora scales no readers of a cluster that follows another region's",
            "Set vanta:database.readers to how many are needed, and this to 0",
        )
    if database.restore_cluster:
        raise refusal(
            "database.restoreCluster",
            database.restore_cluster,
            "but a cluster that joins a global one begins with its data",
            "Remove it",
        )


def _check_member(database: "DatabaseSettings") -> None:
    """Every member alike: any of them may be the primary tomorrow."""
    if database.capacity == "provisioned" and database.instance_class.startswith("db.t"):
        raise refusal(
            "database.instanceClass",
            database.instance_class,
            "but a global cluster needs instances that are optimised for memory",
            "Use a class like db.r8g.large",
        )
    if database.capacity == "serverless":
        within(
            "database.minCapacityUnits",
            database.min_capacity_units,
            GLOBAL_CAPACITY_UNITS,
            noun="{} to {} units in a global cluster",
        )
    for key, count in (
        ("database.readers", database.readers),
        ("database.maxReaders", database.max_readers),
    ):
        within(key, count, GLOBAL_READERS, noun="{} to {} readers in a global cluster")


def _is_moment(text: str) -> bool:
    try:
        dt.datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=dt.UTC)
    except ValueError:
        return False
    return True
