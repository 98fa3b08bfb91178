"""What a stack file says of its cache."""

import re
from dataclasses import dataclass

from infra.refusal import refusal
from infra.settings.limits import within

# Amazon ElastiCache API: CreateReplicationGroup, NumCacheClusters (a primary and up to five replicas) and AuthToken.
CACHE_NODES = range(1, 7)
AUTH_TOKEN_LENGTH = range(16, 129)
# Amazon ElastiCache User Guide, "Quotas for ElastiCache": nodes per cluster, unless AWS was asked for more.
MOST_CACHE_NODES = 90
SHARDS = range(1, MOST_CACHE_NODES + 1)
# AWS Config, elasticache-automatic-backup-check-enabled: 1 to 35 days; ElastiCache API: 0 switches snapshots off.
SNAPSHOT_DAYS = range(36)

_CACHE_NODE = re.compile(
    r"cache\.(t3|t4g|m[5-9][a-z]*|r[5-9][a-z]*|c[7-9]gn)\.(micro|small|medium|large|[0-9]*xlarge)"
)


@dataclass(frozen=True, kw_only=True)
class CacheSettings:
    """The ElastiCache replication group; ``nodes`` counts those of each of its ``shards``, the primary included."""

    engine_version: str
    node_type: str
    shards: int
    nodes: int
    snapshot_days: int
    auth_token_length: int


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
