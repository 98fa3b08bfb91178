"""What a stack file says of its TimescaleDB."""

from dataclasses import dataclass

from infra.refusal import refusal
from infra.settings.cluster import ClusterSettings
from infra.settings.lifetime import Lifetime
from infra.settings.limits import within
from infra.settings.workload import WorkloadSettings

INSTANCES = range(1, 10)
# Amazon EBS User Guide, "Amazon EBS volume types": gp3 has 1 GiB to 64 TiB.
STORAGE_GIB = range(1, 65_537)
BACKUP_DAYS = range(1, 366)


@dataclass(frozen=True, kw_only=True)
class TimescaleSettings:
    """TimescaleDB in the stack's cluster: one primary and standbys, each with ``storage_gib`` of its own."""

    enabled: bool
    instances: int
    storage_gib: int
    backup_days: int


def check_timescale(
    timescale: TimescaleSettings, *, workload: WorkloadSettings, cluster: ClusterSettings, lifetime: Lifetime
) -> None:
    """A cluster of AWS below it, whose volumes and bucket it uses, and a standby where data is kept."""
    within("timescale.instances", timescale.instances, INSTANCES, noun="{} to {} instances")
    within("timescale.storageGib", timescale.storage_gib, STORAGE_GIB, noun="{} to {} GiB")
    within("timescale.backupDays", timescale.backup_days, BACKUP_DAYS)
    if not timescale.enabled:
        return
    if not (workload.enabled and cluster.enabled):
        raise refusal(
            "timescale.enabled",
            True,
            "but it runs beside the workload in the stack's own cluster",
            "Set vanta:workload.enabled and vanta:cluster.enabled",
        )
    if lifetime.kept and timescale.instances < 2:
        raise refusal(
            "timescale.instances",
            timescale.instances,
            "but the stack is to be kept: with its volume's zone the series would be away",
            "Use 2 or more",
        )
