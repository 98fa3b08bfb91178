"""Backups of clusters: snapshots, their copies, and new clusters made of them or of the archive of WAL."""

import datetime as dt
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from local.aws.internals import (
    RDS_ACTIONS,
    Answer,
    Handler,
    Params,
    Record,
    cluster_snapshots,
    clusters,
    get_account_id,
    get_region,
    one,
)
from local.aws.query import RefusedError
from local.aws.rds_engines import Engines, members
from local.aws.rds_members import leader_of
from local.aws.rds_records import (
    cluster_answer,
    note_origin,
    record_snapshot,
    snapshot_answer,
    snapshot_folder,
)
from local.home import Home, write
from local.postgres_recovery import archive_everything, back_up, copy, recover, share

# What a request says of the backup, and not of the cluster that it becomes.
_OF_THE_BACKUP = {
    "Action", "SnapshotIdentifier", "SourceDBClusterIdentifier", "RestoreToTime", "RestoreType", "UseLatestRestorableTime", "Version",
}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Snapshots:
    """The requests about backups.

    A snapshot is the folder of a cluster that nothing serves. What a new cluster begins with is kept beside it as ``base``: with the
    archive of WAL it gives every moment since.
    """

    home: Home
    engines: Engines

    def rooms(self) -> dict[str, Callable[[Params, Handler], Answer]]:
        """What answers which action."""
        return {
            "CreateDBClusterSnapshot": self.create,
            "CopyDBClusterSnapshot": self.copy,
            "DeleteDBClusterSnapshot": self.delete,
            "RestoreDBClusterFromSnapshot": self.restore,
            "RestoreDBClusterToPointInTime": self.restore_to_time,
        }

    def create(self, params: Params, bookkeep: Handler) -> Answer:
        """Take a snapshot of a cluster as it is now."""
        cluster = clusters.get(one(params, "DBClusterIdentifier"))
        name = one(params, "DBClusterSnapshotIdentifier")
        if cluster is None or name in cluster_snapshots:
            return bookkeep(params)
        folder, storage = snapshot_folder(self.home, name), self.engines.storage(cluster)
        if members(cluster):
            back_up(self.engines.writer(cluster), folder / storage.name)
        else:
            copy(storage.data, folder / storage.name)
        self._keep_password(storage.folder, folder)
        answer = bookkeep(params)
        if answer[0] == 200:
            note_origin(cluster_snapshots[name], cluster)
        return answer

    def copy(self, params: Params, _bookkeep: Handler) -> Answer:
        """Copy a snapshot, from another region too."""
        source, region = _snapshot(one(params, "SourceDBClusterSnapshotIdentifier"))
        name = one(params, "TargetDBClusterSnapshotIdentifier")
        if name in cluster_snapshots:
            raise RefusedError(
                "DBClusterSnapshotAlreadyExistsFault", f"DB cluster snapshot {name} already exists."
            )
        share(
            snapshot_folder(self.home, source["DBClusterSnapshotIdentifier"], region),
            snapshot_folder(self.home, name),
        )
        copied = record_snapshot(name, source)
        copied["KmsKeyId"] = one(params, "KmsKeyId") or source["KmsKeyId"]
        return snapshot_answer("CopyDBClusterSnapshot", copied)

    def delete(self, params: Params, bookkeep: Handler) -> Answer:
        """Delete a snapshot."""
        answer = bookkeep(params)
        if answer[0] == 200:
            shutil.rmtree(
                snapshot_folder(self.home, one(params, "DBClusterSnapshotIdentifier")), ignore_errors=True
            )
        return answer

    def restore(self, params: Params, _bookkeep: Handler) -> Answer:
        """Make a cluster of a snapshot."""
        snapshot, region = _snapshot(one(params, "SnapshotIdentifier"))
        folder = snapshot_folder(self.home, snapshot["DBClusterSnapshotIdentifier"], region)

        def fill(cluster: Record) -> None:
            storage = self.engines.storage(cluster)
            copy(folder / storage.name, storage.data)
            share(folder / storage.name, storage.folder / "base")
            self._keep_password(folder, storage.folder)

        return self._made("RestoreDBClusterFromSnapshot", params, snapshot, fill)

    def restore_to_time(self, params: Params, _bookkeep: Handler) -> Answer:
        """Make a cluster of what another one was at some time."""
        source = clusters.get(one(params, "SourceDBClusterIdentifier"))
        if source is None:
            raise RefusedError("DBClusterNotFoundFault", "The source DBCluster is not found.")
        until = _until(params)
        known = self.engines.storage(source)
        if not (known.folder / "base").exists() or leader_of(source) or not members(source):
            raise RefusedError(
                "InvalidDBClusterStateFault",
                "Here a cluster goes back in time if it runs and has led without interruption: use one of its snapshots.",
            )
        archive_everything(self.engines.writer(source))

        def fill(cluster: Record) -> None:
            storage = self.engines.storage(cluster)
            copy(known.folder / "base", storage.data)
            self._keep_password(known.folder, storage.folder)
            recover(storage, known.archive, until=until)
            copy(storage.data, storage.folder / "base")

        return self._made("RestoreDBClusterToPointInTime", params, source, fill)

    def _made(self, action: str, params: Params, original: Record, fill: Callable[[Record], None]) -> Answer:
        """The answer for a new cluster as ``params`` ask for it, with what ``original`` has of its own, and storage and its base by ``fill``."""
        asked = {name: value for name, value in params.items() if name not in _OF_THE_BACKUP}
        asked |= {
            "MasterUsername": [original["MasterUsername"]],
            "DatabaseName": [original.get("DatabaseName") or ""],
        }
        asked["StorageEncrypted"] = ["true" if original["StorageEncrypted"] else "false"]
        for name in ("Engine", "EngineVersion"):
            asked.setdefault(name, [original[name]])
        if one(params, "ManageMasterUserPassword") != "true":
            asked["MasterUserPassword"] = [original["_MasterUserPassword"]]
        answer = RDS_ACTIONS["CreateDBCluster"](asked)
        if answer[0] != 200:
            return answer
        cluster = clusters[one(params, "DBClusterIdentifier")]
        storage = self.engines.storage(cluster)
        try:
            for path in (storage.data, storage.folder / "base"):
                shutil.rmtree(path)
            fill(cluster)
        except BaseException:
            cluster["DeletionProtection"] = False
            RDS_ACTIONS["DeleteDBCluster"](
                {"DBClusterIdentifier": [cluster["DBClusterIdentifier"]], "SkipFinalSnapshot": ["true"]}
            )
            raise
        return cluster_answer(action, cluster)

    def _keep_password(self, source: Path, target: Path) -> None:
        write(target / "admin.pgpass", (source / "admin.pgpass").read_text())


def _snapshot(identifier: str) -> tuple[Record, str]:
    """The snapshot of an ARN, or of a name in the region of the request, and its region."""
    account, region, name = get_account_id(), get_region(), identifier
    if identifier.startswith("arn:"):
        _, _, _, region, account, _, name = identifier.split(":", 6)
    snapshot = cluster_snapshots.get_scoped(account, region, name)
    if snapshot is None:
        raise RefusedError(
            "DBClusterSnapshotNotFoundFault", f"DB cluster snapshot {identifier} is not found."
        )
    return snapshot, region


def _until(params: Params) -> str | None:
    """The time asked for; None for the latest."""
    text, latest = one(params, "RestoreToTime"), one(params, "UseLatestRestorableTime") == "true"
    if bool(text) == latest:
        raise RefusedError(
            "InvalidParameterCombination", "Give one of RestoreToTime and UseLatestRestorableTime."
        )
    if not text:
        return None
    when = dt.datetime.fromisoformat(text)
    if when > dt.datetime.now(dt.UTC):
        raise RefusedError("InvalidParameterValue", f"RestoreToTime {text} is in the future.")
    return when.isoformat()
