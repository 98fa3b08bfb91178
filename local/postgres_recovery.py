"""Backups of a server, and what a backup and the archive of WAL are made into: the data as they were at some time."""

import shlex
import subprocess
import time
from pathlib import Path

from local.engine_user import give
from local.home import write
from local.postgres import Postgres
from local.postgres_tools import PostgresError, run


def copy(source: Path, target: Path) -> None:
    """Copy a data directory that nothing serves, owner included."""
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    subprocess.run(["cp", "--archive", str(source), str(target)], check=True)


def share(source: Path, target: Path) -> None:
    """A second name for each file of a folder, none of which is ever written: no time and no room is taken."""
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    subprocess.run(["cp", "--archive", "--link", str(source), str(target)], check=True)


def back_up(server: Postgres, target: Path) -> None:
    """Copy what the running ``server`` has now to the data directory ``target``."""
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    give(target.parent)
    run(
        "pg_basebackup", "--pgdata", str(target), "--wal-method=stream", "--checkpoint=fast", f"--dbname={server.conninfo()}",
    )  # fmt: skip


def archive_everything(server: Postgres, *, deadline: float = 60) -> None:
    """Wait until all that the running ``server`` has committed is in its archive.

    Raises :class:`PostgresError` if it is not within ``deadline`` seconds.
    """
    # A commit, so that a recovery to any time before now finds one after it and knows where to stop.
    server.query("SELECT pg_logical_emit_message(true, 'vanta', 'archived')")
    segment = server.query("SELECT pg_walfile_name(pg_switch_wal())")
    end = time.monotonic() + deadline
    while not (server.archive / segment).exists():
        if time.monotonic() > end:
            raise PostgresError(f"{server.name} did not archive {segment} within {deadline:.0f} s.")
        time.sleep(0.05)


def recover(server: Postgres, archive: Path, *, until: str | None, deadline: float = 600) -> None:
    """Play ``archive`` into the data directory of ``server``, up to the time ``until`` or to its end, and stop it again.

    Source: PostgreSQL, "Continuous Archiving and Point-in-Time Recovery".
    """
    command = f"cp {shlex.quote(str(archive))}/%f %p"
    wanted = {
        "restore_command": command,
        "recovery_target_action": "promote",
        **({"recovery_target_time": until} if until else {}),
    }
    own = server.data / "postgresql.auto.conf"
    lines = (f"{name} = '{value.replace(chr(39), chr(39) * 2)}'\n" for name, value in wanted.items())
    _keep(own, "".join(lines))
    _keep(server.data / "recovery.signal", "")
    server.configure({})
    try:
        server.start(deadline=deadline)
        end = time.monotonic() + deadline
        while server.query("SELECT pg_is_in_recovery()") == "t":
            if time.monotonic() > end:
                raise PostgresError(f"{server.name} was not recovered within {deadline:.0f} s.")
            time.sleep(0.05)
    finally:
        server.stop()
    _keep(own, "")


def _keep(path: Path, text: str) -> None:
    write(path, text)
    give(path)
