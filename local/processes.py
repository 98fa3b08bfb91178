"""Long-running processes of one home: started detached, remembered in files, found again by anybody."""

import logging
import os
import signal
import subprocess
import time
from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
import psutil

from local.home import Home, write

MARKER = "VANTA_HOME"

# The shell starts the program in the background and ends: the program is then nobody's child here, so that its death
# never leaves a zombie that looks alive, and it outlives whoever started it.
_DETACH = 'log=$1; shift; exec 3>&1 >>"$log" 2>&1; "$@" 3>&- </dev/null & echo $! >&3'

log = logging.getLogger(__name__)


class ProcessError(Exception):
    """A process could not be started, or does not exist; the message is one sentence for the user."""


@dataclass(frozen=True, kw_only=True)
class Command:
    """What to run. ``environment`` is added to the inherited one and is kept in a file: never a secret."""

    name: str
    argv: list[str]
    cwd: Path
    environment: Mapping[str, str] = field(default_factory=dict)
    stop_signal: str = "SIGTERM"


@dataclass(frozen=True, kw_only=True)
class Process:
    """A command that was started: ``created`` (seconds since the epoch) tells its pid from a later, reused one."""

    command: Command
    pid: int
    created: float
    log: Path

    def handle(self) -> psutil.Process | None:
        """Return the live process, or None when it is gone."""
        try:
            process = psutil.Process(self.pid)
            same = abs(process.create_time() - self.created) < 0.1
        except psutil.NoSuchProcess:
            return None
        return process if same and alive(process) else None

    def tail(self, lines: int = 15) -> str:
        """Return the last ``lines`` of its log, for an error message."""
        try:
            return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])
        except FileNotFoundError:
            return "(no log)"


class Processes:
    """The processes of ``home``: one JSON record each, no supervisor.

    Every process carries ``VANTA_HOME=<home.root>`` in its environment, so that it is found even after its record was deleted.
    """

    def __init__(self, home: Home) -> None:
        self.home = home

    def start(self, command: Command) -> Process:
        """Start ``command`` in a session of its own, output appended to its log file; a name runs once only.

        Raises :class:`ProcessError` when a process of that name is running.
        """
        with self.home.lock(f"start-{command.name}"):
            if running := self.running(command.name):
                raise ProcessError(
                    f"{command.name} is already running as process {running.pid}: stop it before starting it again."
                )
            return self._spawn(command)

    def ensure(self, name: str) -> Process:
        """Return the process ``name``, started again from its record if it is dead.

        Raises :class:`ProcessError` when nothing of that name was ever started.
        """
        with self.home.lock(f"start-{name}"):
            process = self.get(name)
            if process is None:
                raise ProcessError(f"no process {name} is known in {self.home.root}: start it first.")
            return process if process.handle() else self._spawn(process.command)

    def stop(self, name: str, *, deadline: float = 30) -> None:
        """Stop ``name`` by its stop signal, by SIGKILL after ``deadline`` seconds, with its descendants, and forget it."""
        process = self.get(name)
        if process is None:
            return
        if handle := process.handle():
            _end([handle], signal.Signals[process.command.stop_signal], deadline)
        self._record(name).unlink(missing_ok=True)

    def stop_all(self) -> None:
        """Stop and forget every recorded process."""
        for process in self.all():
            self.stop(process.command.name)

    def get(self, name: str) -> Process | None:
        """Return the record of ``name``, dead or alive; None when there is none."""
        try:
            record = self._record(name).read_bytes()
        except FileNotFoundError:
            return None
        return msgspec.json.decode(record, type=Process, dec_hook=lambda _, value: Path(value))

    def running(self, name: str) -> Process | None:
        """Return ``name`` if it is alive, else None."""
        process = self.get(name)
        return process if process and process.handle() else None

    def all(self) -> list[Process]:
        """Return every recorded process, dead or alive, by name."""
        if not self.home.root.exists():
            return []
        names = sorted(path.stem for path in self.home.processes.glob("*.json"))
        return [process for name in names if (process := self.get(name))]

    def orphans(self) -> list[psutil.Process]:
        """Return the processes that carry this home's marker, but neither are recorded nor descend from a recorded one."""
        known = {os.getpid(), *(parent.pid for parent in psutil.Process().parents())}
        for process in self.all():
            if handle := process.handle():
                known |= {handle.pid, *(child.pid for child in handle.children(recursive=True))}
        # psutil.process_iter remembers who had a number before: whoever has it now could not be stopped.
        found = (_of(pid) for pid in psutil.pids() if pid not in known)
        return [process for process in found if process and self._marked(process)]

    def stop_orphans(self, *, deadline: float = 10) -> int:
        """Stop what :meth:`orphans` finds; return how many there were."""
        orphans = self.orphans()
        _end(orphans, signal.SIGTERM, deadline)
        return len(orphans)

    def _record(self, name: str) -> Path:
        return self.home.processes / f"{name}.json"

    def _marked(self, process: psutil.Process) -> bool:
        try:
            environment = process.as_dict(["environ"])["environ"] or {}
            return bool(environment.get(MARKER) == str(self.home.root))
        except (psutil.Error, OSError):
            return False  # another user's process, or one that has just ended: not ours

    def _spawn(self, command: Command) -> Process:
        path = self.home.logs / f"{command.name}.log"
        path.touch(mode=0o600)
        shell = subprocess.run(
            ["/bin/sh", "-c", _DETACH, "sh", str(path), *command.argv],
            cwd=command.cwd,
            env={**os.environ, **command.environment, MARKER: str(self.home.root)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            start_new_session=True,
            check=True,
        )
        pid = int(shell.stdout)
        try:
            created = psutil.Process(pid).create_time()
        except psutil.NoSuchProcess:
            created = 0.0  # died at once; its log says why, and the record stays for whoever polls it
        process = Process(command=command, pid=pid, created=created, log=path)
        write(self._record(command.name), msgspec.json.encode(process, enc_hook=str).decode())
        log.info("started %s as process %d", command.name, pid)
        return process


def alive(process: psutil.Process) -> bool:
    """Whether ``process`` still does anything: a zombie does not, however long nobody reaps it."""
    try:
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def working_in(folder: Path) -> list[psutil.Process]:
    """Return the processes whose working directory is ``folder``."""
    found = psutil.process_iter(["cwd"])  # None for the dead and for what is not ours
    return [process for process in found if process.info["cwd"] == str(folder)]


def _end(processes: Collection[psutil.Process], how: signal.Signals, deadline: float) -> None:
    family = [member for process in processes for member in _family(process)]
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            process.send_signal(how)
    # Descendants end with who started them, if they end by themselves at all.
    for group, patience in ((processes, deadline), (family, 1)):
        for process in _still_alive(group, patience):
            with suppress(psutil.NoSuchProcess):
                process.kill()
    _still_alive(family, 10)


def _of(pid: int) -> psutil.Process | None:
    with suppress(psutil.NoSuchProcess):
        return psutil.Process(pid)
    return None


def _family(process: psutil.Process) -> list[psutil.Process]:
    try:
        return [process, *process.children(recursive=True)]
    except psutil.NoSuchProcess:
        return [process]


def _still_alive(processes: Collection[psutil.Process], deadline: float) -> list[psutil.Process]:
    end = time.monotonic() + deadline
    while True:
        remaining = [process for process in processes if alive(process)]
        if not remaining or time.monotonic() > end:
            return remaining
        time.sleep(0.02)
