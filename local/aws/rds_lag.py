"""CloudWatch's AuroraGlobalDBReplicationLag, measured on the engines in the moment in which somebody asks for metrics."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from local.aws.internals import cloudwatch, clusters, record_metric
from local.aws.rds_engines import Engines, members
from local.aws.rds_members import leader_of
from local.postgres import Postgres
from local.postgres_tools import PostgresError

NAMESPACE, METRIC = "AWS/RDS", "AuroraGlobalDBReplicationLag"
_READERS = ("_get_metric_data", "_get_metric_statistics", "_list_metrics")

# A leader that is idle is not ahead, however long ago its last transaction was.
_LAG = """
SELECT CASE WHEN pg_last_wal_replay_lsn() >= :'position' THEN 0
            ELSE extract(epoch FROM clock_timestamp()
                         - coalesce(pg_last_xact_replay_timestamp(), pg_postmaster_start_time())) * 1000 END
"""


@dataclass(frozen=True, kw_only=True)
class Lags:
    """How far each cluster of a region that follows is behind its leader, in milliseconds.

    As on AWS it is known in the region that follows; there is none while one of the two does not run, or they are not connected.
    """

    engines: Engines

    def install(self) -> None:
        """Measure before metrics are read."""
        for name in _READERS:
            vars(cloudwatch)[name] = self._measured(vars(cloudwatch)[name])

    def _measured(self, read: Callable[..., Any]) -> Callable[..., Any]:
        def reading(*request: Any) -> Any:
            self._measure()
            return read(*request)

        return reading

    def _measure(self) -> None:
        for cluster in list(clusters.values()):
            leader = leader_of(cluster)
            if leader and members(cluster):
                lag = _lag(self.engines.leader(leader), self.engines.writer(cluster))
                if lag is not None:
                    named = {"DBClusterIdentifier": cluster["DBClusterIdentifier"]}
                    record_metric(
                        NAMESPACE, METRIC, named, time.time(), "Milliseconds", lag, None, None, None
                    )


def _lag(leader: Postgres, follower: Postgres) -> float | None:
    if not (leader.ready() and follower.ready()):
        return None
    try:
        position = leader.query("SELECT pg_current_wal_lsn()")
        if follower.query("SELECT status FROM pg_stat_wal_receiver") != "streaming":
            return None
        return float(follower.query(_LAG, position=position))
    except PostgresError:  # one of them went away meanwhile
        return None
