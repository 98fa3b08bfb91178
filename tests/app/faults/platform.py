"""A platform to break: PostgreSQL, Redis, and API processes that reach them through networks of their own."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Generator, Iterable
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import httpx
import psutil

from app.db.redis import LIFE_KEY
from local.home import LOOPBACK, Home
from local.ports import Ports
from local.postgres import Postgres
from local.processes import Processes
from local.redis import Redis
from tests.app.real.conftest import (
    ROOT,
    Database,
    Tenant,
    command,
    create_database,
    eventually,
    free_port,
    make_tenant,
)
from tests.app.real.proxy import Proxy
from tests.conftest import PostgresServer, RedisServer

#: Seconds within which everything must work again once the last fault is over.
RECOVERY_SECONDS = 60.0


class Api:
    """One API process (its parent and its worker), always at the same port, and its networks to the engines."""

    def __init__(self, database: Database, folder: Path, to_postgres: Proxy, to_redis: Proxy) -> None:
        self.port = free_port()
        self.log = folder / f"api-{self.port}.log"
        self.networks = {"postgres": to_postgres, "redis": to_redis}
        self._environment = {
            **os.environ,
            **database.environment,
            "VANTA_LISTEN_PORT": str(self.port),
            "VANTA_DATABASE_PORT": str(to_postgres.port),
            "VANTA_CACHE_PORT": str(to_redis.port),
        }
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it; it is there when :attr:`status` says so."""
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "app", "serve"],
                cwd=ROOT,
                env=self._environment,
                stdout=log,
                stderr=log,
            )

    @property
    def running(self) -> bool:
        """Whether its parent process lives."""
        return self._process is not None and self._process.poll() is None

    @property
    def status(self) -> str | None:
        """What /readyz says, None if nobody answers."""
        try:
            return httpx.get(f"http://127.0.0.1:{self.port}/readyz", timeout=2).json()["status"]
        except httpx.TransportError:
            return None

    def family(self) -> list[psutil.Process]:
        """The parent, and the worker that serves."""
        assert self._process is not None
        return family(self._process.pid)

    def kill(self, members: Iterable[psutil.Process]) -> None:
        """kill -9 some of the :meth:`family`; the others must end by themselves."""
        everybody = self.family()
        send(members, signal.SIGKILL)
        assert self._process is not None
        self._process.wait(RECOVERY_SECONDS)
        _, alive = psutil.wait_procs(everybody, RECOVERY_SECONDS)
        assert not alive, f"these outlived the API they belonged to: {alive}"

    def end(self) -> None:
        """Leave nothing behind."""
        if self.running:
            self.kill(self.family())


@dataclass(frozen=True, kw_only=True)
class Platform:
    """Everything that can be broken."""

    postgres: Postgres
    redis: Redis
    database: Database
    apis: list[Api]

    def new_tenant(self) -> Tenant:
        """A tenant whose whole history a test knows."""
        return make_tenant(self.database, f"t-{time.monotonic_ns()}")

    @property
    def postgres_family(self) -> list[psutil.Process]:
        """The server and its backends."""
        server = Processes(self.postgres.home).running(self.postgres.name)
        return family(server.pid) if server else []

    @property
    def redis_family(self) -> list[psutil.Process]:
        """The server without its TLS front."""
        server = Processes(self.redis.home).running(self.redis.name)
        return family(server.pid) if server else []

    def heal(self) -> None:
        """Everything works again, within :data:`RECOVERY_SECONDS`."""
        for api in self.apis:
            for network in api.networks.values():
                network.restore()
        self.postgres.start()
        self.redis.start()
        for api in self.apis:
            if not api.running:
                api.start()
        for api in self.apis:
            eventually(lambda api=api: api.status == "ready", RECOVERY_SECONDS)

    def open_cache(self) -> None:
        """Help the epoch on to open without the pause that it would make, so that short runs use the cache too."""

        def opened() -> bool:
            life = self.redis.query("GET", LIFE_KEY)
            identity = f"{self.redis.query('INFO', 'server').split('run_id:')[1].split()[0]}.{life}"
            ((epoch, state, cache_id),) = self.database.query(
                "select epoch, state, cache_id from vanta.cache_epoch"
            )
            if state == "closed" and life:
                self.database.query("select vanta.move_cache_epoch($1, 'closed', $2)", epoch, identity)
            return state == "open" and cache_id == identity

        eventually(opened, RECOVERY_SECONDS)


@contextmanager
def platform(folder: Path, home: Home, *, apis: int = 2) -> Generator[Platform]:
    """A platform in ``folder``, its engines in ``home``, with everything up."""
    postgres, redis = _engines(home)
    database = create_database(postgres, folder, redis)
    migrated = command(database, "migrate")
    assert migrated.returncode == 0, migrated.stderr
    with ExitStack() as stack:
        served: list[Api] = []
        for _ in range(apis):
            networks = [stack.enter_context(Proxy(port)) for port in (postgres.port, redis.port)]
            served.append(Api(database, folder, *networks))
            stack.callback(served[-1].end)
        made = Platform(
            postgres=postgres.server,
            redis=redis.server,
            database=database,
            apis=served,
        )
        made.heal()
        made.open_cache()
        yield made


def _engines(home: Home) -> tuple[PostgresServer, RedisServer]:
    ports = Ports(home)
    postgres = Postgres(
        home=home,
        folder=home.folder("databases", "broken"),
        name="postgres",
        host="127.0.0.1",
        port=ports.claim("postgres", hosts=LOOPBACK),
    )
    postgres.initialise(username="vanta", password="guards nothing", database="vanta")
    postgres.start()
    redis = Redis(
        home=home,
        folder=home.folder("caches", "broken"),
        name="redis",
        host="127.0.0.1",
        port=ports.claim("redis"),
    )
    redis.configure(tokens=["a-token-of-at-least-sixteen"], parameters={"maxmemory-policy": "volatile-lfu"})
    redis.start()
    return (
        PostgresServer(
            host=postgres.host,
            port=postgres.port,
            ca=postgres.ca,
            username="vanta",
            password="guards nothing",
            database="vanta",
            server=postgres,
        ),
        RedisServer(
            host=redis.host, port=redis.port, ca=redis.ca, token="a-token-of-at-least-sixteen", server=redis
        ),
    )


def family(pid: int) -> list[psutil.Process]:
    """A process and all that descend from it."""
    with suppress(psutil.NoSuchProcess):
        parent = psutil.Process(pid)
        return [parent, *parent.children(recursive=True)]
    return []


def send(processes: Iterable[psutil.Process], what: signal.Signals) -> None:
    """Signal each that still is there."""
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            process.send_signal(what)
