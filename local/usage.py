"""What the processes of a home use, for machines and for people."""

from collections.abc import Iterator, Mapping
from typing import Any

from local.processes import Process, Processes

Usage = Mapping[str, Mapping[str, Any]]


def usage(processes: Processes) -> Usage:
    """By name: the pid (None when it is dead), and of the process with all that it started resident bytes and CPU seconds."""
    return {process.command.name: _of(process) for process in processes.all()}


def lines(found: Usage, remedy: str) -> Iterator[str]:
    """A line each; ``remedy`` is the command that starts what is dead."""
    width = max(map(len, found), default=0)
    for name, used in found.items():
        state = f"dead: run {remedy}"
        if used["pid"]:
            state = f"pid {used['pid']}  {used['residentBytes'] >> 20} MiB  {used['cpuSeconds']} s CPU"
        yield f"  {name:<{width}} {state}"


def _of(process: Process) -> dict[str, Any]:
    handle = process.handle()
    if handle is None:
        return {"pid": None}
    family = [handle, *handle.children(recursive=True)]
    return {
        "pid": handle.pid,
        "residentBytes": sum(member.memory_info().rss for member in family),
        "cpuSeconds": round(sum(sum(member.cpu_times()[:2]) for member in family), 2),
    }
