"""Object locks that outlive the emulator, which itself keeps them in memory only: a restart would unlock everything."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from local.aws.internals import (
    AccountScopedDict,
    S3Answer,
    apply_object_lock,
    bucket_object_lock,
    buckets,
    s3,
    s3_error,
)

STORES = ("_object_retention", "_object_legal_hold")


class Journal(AccountScopedDict):
    """A store of the emulator that appends each change to a file before it answers, and starts from that file.

    A journal and not a snapshot, for there is one entry an object: a snapshot would grow slower with each write.
    """

    def __init__(self, path: Path) -> None:
        super().__init__()
        if path.exists():
            for line in path.read_text().splitlines(keepends=True):
                # A line without an end was cut off by a crash, and its request was never answered.
                if line.endswith("\n"):
                    self._replay(json.loads(line))
        self._file = path.open("a")

    def __setitem__(self, key: object, value: object) -> None:
        """Keep ``value`` for ``key``, which belongs to the account of the request."""
        super().__setitem__(key, value)
        self._append([self._scoped(key), value])

    def __delitem__(self, key: object) -> None:
        """Forget ``key``."""
        super().__delitem__(key)
        self._append([self._scoped(key), None])

    def pop(self, key: object, *default: object) -> object:
        """Forget ``key`` and return its value."""
        known = key in self
        value = super().pop(key, *default)
        if known:
            self._append([self._scoped(key), None])
        return value

    def _append(self, change: list[object]) -> None:
        self._file.write(json.dumps(change) + "\n")
        self._file.flush()

    def _replay(self, change: list[Any]) -> None:
        (account, key), value = change
        if value is None:
            self._data.pop((account, tuple(key)), None)
        else:
            self._data[account, tuple(key)] = value


def install(folder: Path) -> None:
    """Put journals in ``folder`` in the place of the emulator's own stores, and close the ways around a lock."""
    inside = vars(s3)
    for name in STORES:
        inside[name] = Journal(folder / f"{name.strip('_')}.jsonl")
    inside["_put_bucket_versioning"] = _keeping_versions(inside["_put_bucket_versioning"])
    # Only PutObject takes the lock that a bucket gives by default; these write objects too.
    for name in ("_copy_object", "_complete_multipart_upload"):
        inside[name] = _locking(inside[name])


def _keeping_versions(handler: Callable[[str, bytes], S3Answer]) -> Callable[[str, bytes], S3Answer]:
    def put_bucket_versioning(bucket: str, body: bytes) -> S3Answer:
        if bucket in bucket_object_lock and b"<Status>Suspended<" in body:
            message = "An Object Lock configuration is present on this bucket, so the versioning state cannot be changed."
            return s3_error("InvalidBucketState", message, 409)
        return handler(bucket, body)

    return put_bucket_versioning


def _locking(handler: Callable[..., S3Answer]) -> Callable[..., S3Answer]:
    def write_object(bucket: str, key: str, *request: Any) -> S3Answer:
        answer = handler(bucket, key, *request)
        written = (buckets.get(bucket) or {}).get("objects", {}).get(key)
        if (
            answer[0] == 200
            and written
            and (bucket, key, written.get("version_id")) not in vars(s3)["_object_retention"]
        ):
            # The headers of the request come last in both operations.
            apply_object_lock(bucket, key, request[-1] or {}, written.get("version_id"))
        return answer

    return write_object
