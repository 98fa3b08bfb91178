"""What a stack file says of the backups that outlive the database itself."""

from dataclasses import dataclass

from infra.refusal import refusal
from infra.settings.lifetime import Lifetime
from infra.settings.limits import within

# AWS Backup API: Lifecycle, DeleteAfterDays, and PutBackupVaultLockConfiguration, ChangeableForDays; ours: less than a
# week is no backup, and ten years are for the archive.
RETENTION_DAYS = range(7, 3651)
LOCK_AFTER_DAYS = range(3, 36501)
# Ours: half of the hour that may be lost at most, less the minutes that a snapshot and its copy take.
COPY_MINUTES = range(10, 31)


@dataclass(frozen=True, kw_only=True)
class BackupSettings:
    """Daily backups kept ``retention_days``; with ``lock_after_days`` not even the account's root changes that afterwards.

    ``copy_minutes``: how often a database without global cluster is copied to the recovery region.
    """

    enabled: bool
    retention_days: int
    lock_after_days: int
    copy_minutes: int


def check_backup(backup: BackupSettings, *, lifetime: Lifetime) -> None:
    """The ranges of AWS Backup, and no vault that would outlive a throw-away stack."""
    within("backup.retentionDays", backup.retention_days, RETENTION_DAYS)
    within("backup.copyMinutes", backup.copy_minutes, COPY_MINUTES, noun="{} to {} minutes")
    if not backup.lock_after_days:
        return
    within("backup.lockAfterDays", backup.lock_after_days, LOCK_AFTER_DAYS, noun="{} to {} days, or 0")
    if not lifetime.kept:
        raise refusal(
            "backup.lockAfterDays",
            backup.lock_after_days,
            f"but vanta:lifetime is {lifetime}: nobody could delete the vault with what is in it",
            "Use 0, or set vanta:lifetime to permanent",
        )
