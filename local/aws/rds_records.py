"""What is said of clusters and of their snapshots, and where a snapshot lies."""

from pathlib import Path

from local.aws.internals import (
    Answer,
    Record,
    cluster_snapshot_xml,
    cluster_xml,
    get_region,
    rds_answer,
    record_cluster_snapshot,
)
from local.home import Home


def cluster_answer(action: str, cluster: Record) -> Answer:
    """The answer of ``action`` that describes ``cluster``."""
    return _answer(action, f"<DBCluster>{cluster_xml(cluster)}</DBCluster>")


def snapshot_answer(action: str, snapshot: Record) -> Answer:
    """The answer of ``action`` that describes ``snapshot``."""
    return _answer(action, f"<DBClusterSnapshot>{cluster_snapshot_xml(snapshot)}</DBClusterSnapshot>")


def record_snapshot(name: str, original: Record, *, kind: str = "manual") -> Record:
    """Keep books of a snapshot of ``original``, a cluster or another snapshot; whoever restores it needs its password."""
    snapshot = note_origin(record_cluster_snapshot(name, original), original)
    snapshot["SnapshotType"] = kind
    return snapshot


def note_origin(snapshot: Record, original: Record) -> Record:
    """Add what the emulator's own record leaves out."""
    snapshot |= {known: original.get(known) for known in ("_MasterUserPassword", "DatabaseName")}
    return snapshot


def snapshot_folder(home: Home, name: str, region: str | None = None) -> Path:
    """Where the snapshot ``name`` of a region lies, that of the request unless said: the folder of a cluster that nothing serves."""
    return home.folder("snapshots", region or get_region()) / name


def _answer(action: str, described: str) -> Answer:
    return rds_answer(200, f"{action}Response", f"<{action}Result>{described}</{action}Result>")
