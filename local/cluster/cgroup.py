"""The cgroup that all pods of a cluster live in, so that they end with it and nobody else's are touched."""

import os
import signal
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

_ROOT = Path("/sys/fs/cgroup")
# What the kubelet limits pods by.
_CONTROLLERS = ("cpu", "cpuset", "memory", "pids")
# Of one core, in version 1 and in version 2.
_WEIGHTS = {"cpu.shares": 1024, "cpu.weight": 100}


def make(name: str) -> None:
    """Make the cgroup ``name`` in every hierarchy (version 1), or in the one (version 2)."""
    if _unified():
        (_ROOT / "cgroup.subtree_control").write_text(" ".join(f"+{one}" for one in _CONTROLLERS))
    for parent in _hierarchies():
        folder = parent / name
        folder.mkdir(exist_ok=True)
        for inherited in ("cpuset.cpus", "cpuset.mems"):
            # Version 1 starts with none, and refuses every process until both are set.
            if not _unified() and (parent / inherited).exists():
                (folder / inherited).write_text((parent / inherited).read_text())
        for weight, usual in _WEIGHTS.items():
            # As much as the kubelet gives to its pods; one level higher, all of them would weigh as one process.
            if (folder / weight).exists():
                (folder / weight).write_text(str(usual * (os.cpu_count() or 1)))


def remove(name: str, *, deadline: float = 20) -> int:
    """Kill every process in the cgroup ``name``, remove it, and return how many processes there were."""
    killed: set[int] = set()
    end = time.monotonic() + deadline
    while (members := _members(name)) and time.monotonic() < end:
        for pid in members:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        killed |= members
        time.sleep(0.02)
    for parent in _hierarchies():
        for folder, _, _ in os.walk(parent / name, topdown=False):
            Path(folder).rmdir()
    return len(killed)


def missing() -> list[str]:
    """The controllers that pods need and this kernel does not offer."""
    if _unified():
        offered = (_ROOT / "cgroup.controllers").read_text().split()
    else:
        offered = [name for parent in _hierarchies() for name in parent.name.split(",")]
    return [name for name in _CONTROLLERS if name not in offered]


def _members(name: str) -> set[int]:
    return {
        int(pid)
        for parent in _hierarchies()
        for listed in (parent / name).rglob("cgroup.procs")
        for pid in listed.read_text().split()
    }


def _unified() -> bool:
    return (_ROOT / "cgroup.controllers").exists()


def _hierarchies() -> Iterator[Path]:
    if _unified():
        yield _ROOT
        return
    seen = set()
    for folder in sorted(_ROOT.iterdir()):
        # A hierarchy with two controllers has a link by the name of each.
        if (folder / "cgroup.procs").exists() and folder.resolve() not in seen:
            seen.add(folder.resolve())
            yield folder
