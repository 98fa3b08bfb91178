"""What AWS, and sense, refuse: plain functions over plain values, each limit with its source.

They run before anything is registered and ask AWS nothing.
"""

import ipaddress
import re
from typing import TYPE_CHECKING

from infra.names import STACK_NAME_LENGTH
from infra.refusal import SettingsError, refusal

if TYPE_CHECKING:
    from infra.settings import (
        ArchiveSettings,
        AuditSettings,
        CacheSettings,
        DatabaseSettings,
        KeysSettings,
        NetworkSettings,
    )

# RFC 1918 and RFC 6598 (carrier-grade NAT, which AWS accepts for a VPC and Kubernetes pods like to use).
PRIVATE_RANGES = tuple(
    ipaddress.IPv4Network(cidr) for cidr in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10")
)
# Amazon VPC User Guide, "VPC CIDR blocks": /16 is the largest. Below /20 the data subnets (a 64th each, /26) have too
# few addresses for a fail-over to start its replacements.
VPC_PREFIXES = range(16, 21)
# Aurora and ElastiCache subnet groups need two zones; no region has more than six.
ZONES = range(2, 7)
# AWS KMS API: ScheduleKeyDeletion, PendingWindowInDays, and EnableKeyRotation, RotationPeriodInDays.
KEY_DELETION_DAYS = range(7, 31)
KEY_ROTATION_DAYS = range(90, 2561)
# Amazon RDS API: CreateDBCluster, BackupRetentionPeriod, and CreateDBInstance, PerformanceInsightsRetentionPeriod.
BACKUP_RETENTION_DAYS = range(1, 36)
PERFORMANCE_INSIGHTS_DAYS = frozenset({7, 731, *(31 * month for month in range(1, 24))})
# Amazon Aurora User Guide, "Adding Aurora Replicas to a DB cluster": one primary instance and up to 15 replicas.
READERS = range(16)
# PostgreSQL, log_min_duration_statement: -1 would switch the slow query log off, 0 would log every statement.
SLOW_QUERY_MS = range(1, 3_600_001)
# Amazon CloudWatch Logs API: PutRetentionPolicy, retentionInDays.
LOG_RETENTION_DAYS = frozenset(
    {1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653}
)
# Amazon ElastiCache API: CreateReplicationGroup, NumCacheClusters (a primary and up to five replicas) and AuthToken.
CACHE_NODES = range(1, 7)
AUTH_TOKEN_LENGTH = range(16, 129)
# AWS Config, elasticache-automatic-backup-check-enabled: 1 to 35 days; ElastiCache API: 0 switches snapshots off.
SNAPSHOT_DAYS = range(36)
# Amazon S3 User Guide, "Transitioning objects using Amazon S3 Lifecycle": an object stays 30 days in STANDARD before
# STANDARD_IA. The S3 API reference has since allowed any age, that of the regions in China has not: 30 is right in both.
STANDARD_DAYS = 30
# Amazon S3 User Guide, "Comparing the Amazon S3 storage classes": minimum storage durations of STANDARD_IA and
# GLACIER_IR, which are paid for whether used or not.
WARM_DAYS = 30
COLD_DAYS = 90
# Amazon S3 User Guide, "Managing Object Lock": at most 100 years, or 36,500 days.
LOCK_DAYS = range(1, 36_501)

_IDENTIFIER = re.compile(r"[a-z][a-z0-9_]{0,62}")
_DB_CLASS = re.compile(r"db\.(t3|t4g|r[5-9][a-z]*|x2g)\.(medium|large|[0-9]*xlarge)")
_CACHE_NODE = re.compile(
    r"cache\.(t3|t4g|m[5-9][a-z]*|r[5-9][a-z]*|c[7-9]gn)\.(micro|small|medium|large|[0-9]*xlarge)"
)
_PERIOD = re.compile(r"([0-9]{1,5}) (day|year)s?")
_DAYS_PER_YEAR = 365


def check_stack_name(stack: str) -> None:
    """Names of resources carry the stack's name, so it has to be acceptable to the pickiest service."""
    if not re.fullmatch(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", stack) or len(stack) > STACK_NAME_LENGTH:
        raise SettingsError(
            f'The stack name "{stack}" cannot be part of resource names. Use at most {STACK_NAME_LENGTH} '
            "lower-case letters, digits and single hyphens, beginning with a letter."
        )


def check_owner(owner: str) -> None:
    """The owner is a tag value: what AWS allows in one, and not empty."""
    if not re.fullmatch(r"[A-Za-z0-9 _.:/=+@-]{1,64}", owner):
        raise refusal(
            "owner", owner, "but is a tag's value", "Use 1 to 64 letters, digits, spaces or _.:/=+@-"
        )


def check_network(network: "NetworkSettings") -> None:
    """A private range that is large enough, over a number of zones that the data services accept."""
    try:
        cidr = ipaddress.IPv4Network(network.cidr)
    except ValueError:
        raise refusal(
            "network.cidr", network.cidr, "but must be an IPv4 network", "Write it like 10.20.0.0/16"
        ) from None
    if not any(cidr.subnet_of(private) for private in PRIVATE_RANGES):
        raise refusal(
            "network.cidr", network.cidr, "which is not a private range", "Use a part of 10.0.0.0/8"
        )
    _within(
        "network.cidr", cidr.prefixlen, VPC_PREFIXES, shown=network.cidr, noun="a network from /{} to /{}"
    )
    _within("network.zones", network.zones, ZONES, noun="{} to {} availability zones")


def check_keys(keys: "KeysSettings") -> None:
    """The ranges of AWS KMS."""
    _within("keys.deletionDays", keys.deletion_days, KEY_DELETION_DAYS)
    _within("keys.rotationDays", keys.rotation_days, KEY_ROTATION_DAYS)


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
    _within("database.readers", database.readers, READERS, noun="{} to {} readers")
    if permanent and database.readers == 0:
        raise refusal(
            "database.readers",
            0,
            "but vanta:lifetime is permanent: nothing could take over when the writer is lost",
            "Use 1 or more",
        )
    _within("database.backupRetentionDays", database.backup_retention_days, BACKUP_RETENTION_DAYS)
    if database.performance_insights_days not in PERFORMANCE_INSIGHTS_DAYS:
        raise refusal(
            "database.performanceInsightsDays",
            database.performance_insights_days,
            "but Performance Insights keeps 7 days, 1 to 23 months of 31 days, or 731 days",
            f"Use {_nearest(database.performance_insights_days, PERFORMANCE_INSIGHTS_DAYS)}",
        )
    _check_log_retention("database.logRetentionDays", database.log_retention_days)
    _within("database.slowQueryMs", database.slow_query_ms, SLOW_QUERY_MS, noun="{} to {} milliseconds")


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
    _within("cache.nodes", cache.nodes, CACHE_NODES, noun="{} to {} nodes")
    _within("cache.snapshotDays", cache.snapshot_days, SNAPSHOT_DAYS)
    _within("cache.authTokenLength", cache.auth_token_length, AUTH_TOKEN_LENGTH, noun="{} to {} characters")


def check_archive(archive: "ArchiveSettings") -> None:
    """The order of the tiers, what S3 refuses, and what it would charge for without giving it."""
    hot, warm, expiry = archive.warm_after_days, archive.cold_after_days, archive.expire_after_days
    if hot < STANDARD_DAYS:
        raise refusal(
            "archive.warmAfterDays",
            hot,
            f"but not every S3 moves objects to STANDARD_IA before {STANDARD_DAYS} days",
            f"Use {STANDARD_DAYS} or more",
        )
    if warm < hot + WARM_DAYS:
        raise refusal(
            "archive.coldAfterDays",
            warm,
            f"but objects are paid for {WARM_DAYS} days in STANDARD_IA after vanta:archive.warmAfterDays ({hot})",
            f"Use {hot + WARM_DAYS} or more",
        )
    if expiry < warm + COLD_DAYS:
        raise refusal(
            "archive.expireAfterDays",
            expiry,
            f"but objects are paid for {COLD_DAYS} days in GLACIER_IR after vanta:archive.coldAfterDays ({warm})",
            f"Use {warm + COLD_DAYS} or more",
        )
    _within("archive.noncurrentDays", archive.noncurrent_days, range(1, 3651))
    _within("archive.multipartDays", archive.multipart_days, range(1, 31))


def check_audit(audit: "AuditSettings", *, permanent: bool, stack: str) -> None:
    """A lock that S3 accepts and that the stack's own lifetime can bear."""
    days = lock_days(audit.lock_period)
    if days not in LOCK_DAYS:
        raise refusal(
            "audit.lockPeriod", audit.lock_period, "but S3 locks for 1 day to 100 years", "Use 7 years"
        )
    if audit.lock_mode == "COMPLIANCE" and not permanent:
        raise refusal(
            "audit.lockMode",
            audit.lock_mode,
            f'but stack "{stack}" is throw-away: its bucket could not be deleted for {audit.lock_period}',
            "Use GOVERNANCE, or set vanta:lifetime to permanent",
        )
    if audit.access_log_days < 1:
        raise refusal(
            "audit.accessLogDays",
            audit.access_log_days,
            "but logs that nobody keeps prove nothing",
            "Use 400",
        )


def lock_days(period: str) -> int:
    """``7 years`` or ``1 day`` in days, a year counted as S3 counts it for the limits: 365 days.

    Raises:
        SettingsError: the text is no period.
    """
    return lock_period(period)[0] * (_DAYS_PER_YEAR if lock_period(period)[1] == "years" else 1)


def lock_period(period: str) -> tuple[int, str]:
    """``7 years`` as ``(7, "years")``; the unit is ``days`` or ``years``, which S3 keeps apart.

    Raises:
        SettingsError: the text is no period.
    """
    match = _PERIOD.fullmatch(period)
    if match is None:
        raise refusal("audit.lockPeriod", period, "which is no period", "Write it like 7 years or 1 day")
    return int(match[1]), f"{match[2]}s"


def _check_log_retention(key: str, days: int) -> None:
    if days not in LOG_RETENTION_DAYS:
        raise refusal(
            key,
            days,
            "which CloudWatch Logs does not offer as a retention",
            f"Use {_nearest(days, LOG_RETENTION_DAYS)}",
        )


def _within(
    key: str, number: int, limits: range, *, shown: str | None = None, noun: str = "{} to {} days"
) -> None:
    if number not in limits:
        allowed = noun.format(limits.start, limits.stop - 1)
        raise refusal(key, number if shown is None else shown, "which is out of range", f"Use {allowed}")


def _nearest(number: int, allowed: frozenset[int]) -> int:
    """The smallest allowed number that is not less; the largest when all are."""
    return min((each for each in allowed if each >= number), default=max(allowed))
