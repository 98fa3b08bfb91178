"""Object locks that outlive the emulator, which itself keeps them in memory only: a restart would unlock everything."""

import json
from pathlib import Path
from typing import Any

from local.aws.internals import AccountScopedDict, s3

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
    """Put journals in ``folder`` in the place of the emulator's own stores."""
    for name in STORES:
        vars(s3)[name] = Journal(folder / f"{name.strip('_')}.jsonl")
