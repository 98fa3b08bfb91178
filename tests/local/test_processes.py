"""Processes are started once, found again by anybody, and leave nothing behind."""

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from local.home import Home
from local.processes import MARKER, Command, ProcessError, Processes

from .waiting import until

LAST_PID = Path("/proc/sys/kernel/ns_last_pid")


def sleeper(home: Home, name: str = "sleeper") -> Command:
    return Command(name=name, argv=["sleep", "1000"], cwd=home.root)


def test_a_process_is_found_by_another_instance(home: Home) -> None:
    started = Processes(home).start(sleeper(home))
    assert Processes(home).running("sleeper") == started
    assert Processes(home).all() == [started]


def test_a_name_runs_once_only(home: Home) -> None:
    processes = Processes(home)
    processes.start(sleeper(home))
    with pytest.raises(ProcessError, match="already running"):
        processes.start(sleeper(home))


def test_a_killed_process_is_started_again_from_its_record(home: Home) -> None:
    processes = Processes(home)
    first = processes.start(sleeper(home))
    os.kill(first.pid, signal.SIGKILL)
    until(lambda: processes.running("sleeper") is None)
    second = processes.ensure("sleeper")
    assert second.command == first.command
    assert processes.running("sleeper") == second
    assert processes.ensure("sleeper") == second


def test_what_was_never_started_cannot_be_ensured(home: Home) -> None:
    with pytest.raises(ProcessError, match="no process ghost"):
        Processes(home).ensure("ghost")


def test_a_reused_pid_is_not_mistaken_for_the_process(home: Home) -> None:
    processes = Processes(home)
    processes.start(sleeper(home))
    record = home.processes / "sleeper.json"
    mine = psutil.Process()
    text = record.read_text()
    pid = processes.all()[0].pid
    record.write_text(text.replace(f'"pid":{pid}', f'"pid":{mine.pid}'))
    assert processes.running("sleeper") is None
    processes.stop("sleeper")
    assert mine.is_running()
    record.write_text(text)


def test_a_process_that_ignores_its_signal_is_killed_with_its_children(home: Home) -> None:
    processes = Processes(home)
    script = "trap '' TERM; sleep 1000 & echo ready; wait; wait"
    process = processes.start(Command(name="deaf", argv=["sh", "-c", script], cwd=home.root))
    until(lambda: "ready" in process.log.read_text())
    (child,) = psutil.Process(process.pid).children()
    processes.stop("deaf", deadline=0.2)
    assert processes.all() == []
    until(lambda: not child.is_running() or child.status() == psutil.STATUS_ZOMBIE)


def test_a_stop_signal_of_its_own_is_used(home: Home) -> None:
    processes = Processes(home)
    script = "import signal, sys\nsignal.signal(2, lambda *_: sys.exit(print('interrupted', flush=True)))\nprint('ready', flush=True)\nsignal.pause()"
    command = Command(name="polite", argv=[sys.executable, "-c", script], cwd=home.root, stop_signal="SIGINT")
    process = processes.start(command)
    until(lambda: "ready" in process.log.read_text())
    processes.stop("polite")
    assert "interrupted" in process.tail()


def test_processes_are_found_after_the_home_was_deleted(home: Home) -> None:
    processes = Processes(home)
    process = processes.start(sleeper(home))
    assert processes.orphans() == []
    shutil.rmtree(home.root)
    assert [orphan.pid for orphan in processes.orphans()] == [process.pid]
    assert processes.stop_orphans() == 1
    assert processes.orphans() == []


@pytest.mark.skipif(not os.access(LAST_PID, os.W_OK), reason="only root says which number a process gets")
def test_a_process_with_the_number_of_an_earlier_one_is_stopped(home: Home) -> None:
    earlier = subprocess.Popen(["sleep", "1000"])
    assert earlier.pid in {process.pid for process in psutil.process_iter()}
    earlier.kill()
    earlier.wait()
    later = numbered(earlier.pid, {**os.environ, MARKER: str(home.root)})
    assert Processes(home).stop_orphans() == 1
    assert later.wait(timeout=10) == -signal.SIGTERM


def numbered(pid: int, environment: dict[str, str]) -> subprocess.Popen[bytes]:
    """A process with the number ``pid``, which others may take meanwhile."""
    for _ in range(100):
        LAST_PID.write_text(str(pid - 1))
        process = subprocess.Popen(["sleep", "1000"], env=environment)
        if process.pid == pid:
            return process
        process.kill()
        process.wait()
    pytest.fail(f"no process got the number {pid}")


def test_descendants_of_a_recorded_process_are_no_orphans(home: Home) -> None:
    processes = Processes(home)
    process = processes.start(Command(name="parent", argv=["sh", "-c", "sleep 1000 & wait"], cwd=home.root))
    until(lambda: bool(psutil.Process(process.pid).children()))
    assert processes.orphans() == []


def test_a_program_that_does_not_exist_is_not_running_and_its_log_says_why(home: Home) -> None:
    processes = Processes(home)
    process = processes.start(Command(name="ghost", argv=["no-such-program"], cwd=home.root))
    until(lambda: processes.running("ghost") is None)
    assert "no-such-program" in process.tail()


def test_the_record_and_the_log_are_readable_by_their_owner_alone(home: Home) -> None:
    process = Processes(home).start(sleeper(home))
    for path in (home.root, home.processes / "sleeper.json", process.log):
        assert path.stat().st_mode & 0o077 == 0
