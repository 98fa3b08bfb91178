"""Who follows whom across regions: the members of a global cluster, one of which leads."""

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass

from local.aws.internals import Record, clusters, get_account_id, get_region, global_clusters, request_scope


@dataclass(frozen=True, kw_only=True)
class Member:
    """A cluster of a global cluster and the region that it is in."""

    region: str
    cluster: Record


def leader_of(cluster: Record) -> Member | None:
    """The member that ``cluster`` follows; None if it leads, or belongs to no global cluster."""
    leader = next((member for member, leads in _members(cluster) if leads), None)
    return None if leader is None or leader.cluster is cluster else leader


def followers_of(cluster: Record) -> list[Member]:
    """The members that follow ``cluster``, which is none if it does not lead."""
    found = _members(cluster)
    leads = any(leads and member.cluster is cluster for member, leads in found)
    return [member for member, _ in found if member.cluster is not cluster] if leads else []


def find(identifier: str) -> Member | None:
    """The cluster of an ARN, or of a name in the region of the request."""
    if not identifier.startswith("arn:"):
        cluster = clusters.get(identifier)
        return Member(region=get_region(), cluster=cluster) if cluster else None
    _, _, _, region, account, _, name = identifier.split(":", 6)
    cluster = clusters.get_scoped(account, region, name)
    return Member(region=region, cluster=cluster) if cluster else None


def resyncs(cluster: Record) -> bool:
    """Whether ``cluster`` led until another was promoted without it: what it has is not what the leader has."""
    entry = _entry(cluster)
    return bool(entry) and entry["SynchronizationStatus"] == "pending-resync"


def synchronised(cluster: Record, *, now: bool) -> None:
    """Note whether ``cluster`` has what its leader has."""
    if entry := _entry(cluster):
        entry["SynchronizationStatus"] = "connected" if now else "pending-resync"


@contextmanager
def inside(region: str) -> Generator[None]:
    """Whatever looks into records meanwhile sees those of ``region``."""
    with request_scope(get_account_id(), region):
        yield


def _members(cluster: Record) -> list[tuple[Member, bool]]:
    found = [(find(entry["DBClusterArn"]), entry["IsWriter"]) for entry in _entries(cluster)]
    return [(member, leads) for member, leads in found if member]


def _entry(cluster: Record) -> Record:
    """What the global cluster of ``cluster`` says of it; empty if it belongs to none."""
    own = (entry for entry in _entries(cluster) if entry["DBClusterArn"] == cluster["DBClusterArn"])
    return next(own, {})


def _entries(cluster: Record) -> list[Record]:
    record = global_clusters.get(cluster.get("GlobalClusterIdentifier") or "") or {}
    return record.get("GlobalClusterMembers", [])
