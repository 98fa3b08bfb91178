"""A served state API on real engines, with all its features on, for a benchmark."""

import asyncio
import os
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Generator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.error import URLError

import asyncpg
import msgspec
import psutil

from app.db import migrate, postgres, roles
from app.settings import Settings
from app.tenancy import tenants
from local.home import LOOPBACK, REPOSITORY, Home
from local.ports import Ports
from local.postgres import Postgres
from local.processes import Processes
from local.redis import Redis

DATABASE, MASTER, PASSWORD, TOKEN = "vanta", "vanta", "a-password-of-this-run", "a-token-of-this-run-alone"


@dataclass(frozen=True, kw_only=True)
class Served:
    """The API at ``url`` with the ``key`` of one tenant, and the engines behind it."""

    url: str
    key: str
    tenant: str
    settings: Settings
    environment: Mapping[str, str]
    database: Postgres
    cache: Redis
    processes: Mapping[str, psutil.Process]

    @property
    def read(self) -> Mapping[str, str]:
        """The headers of a read."""
        return {"Authorization": f"Bearer {self.key}"}

    @property
    def send(self) -> Mapping[str, str]:
        """The headers of a request with a body."""
        return {**self.read, "Content-Type": "application/json"}

    @property
    def write(self) -> Mapping[str, str]:
        """The headers of a write that wins over whatever is there."""
        return {**self.send, "Vanta-Concurrency": "last-write-wins"}

    def sql(self, statement: str, *arguments: object) -> list[asyncpg.Record]:
        """Run ``statement`` as the database's master."""

        async def work() -> list[asyncpg.Record]:
            connection = await postgres.connect(self.settings, "database-master")
            try:
                return await connection.fetch(statement, *arguments)
            finally:
                await connection.close()

        return asyncio.run(work())


def cpu_seconds(process: psutil.Process) -> float:
    """The CPU time that ``process`` and all below it have used so far, those that ended included."""
    own = process.cpu_times()
    used = own.user + own.system + own.children_user + own.children_system
    for child in process.children(recursive=True):
        with suppress(psutil.NoSuchProcess):
            times = child.cpu_times()
            used += times.user + times.system + times.children_user + times.children_system
    return used


@contextmanager
def served(**environment: str) -> Generator[Served]:
    """PostgreSQL and Redis over TLS, the database migrated, one process of the API; all gone after the block."""
    with tempfile.TemporaryDirectory(prefix="vanta-bench-") as folder:
        home = Home.at(Path(folder) / ".vanta")
        try:
            yield from _served(home, Path(folder), environment)
        finally:
            Processes(home).stop_all()


def _served(home: Home, folder: Path, extra: Mapping[str, str]) -> Generator[Served]:
    ports = Ports(home)
    database = Postgres(
        home=home,
        folder=home.folder("databases", "bench"),
        name="postgres",
        host="127.0.0.1",
        port=ports.claim("postgres", hosts=LOOPBACK),
    )
    database.initialise(username=MASTER, password=PASSWORD, database=DATABASE)
    database.start()
    cache = Redis(
        home=home,
        folder=home.folder("caches", "bench"),
        name="redis",
        host="127.0.0.1",
        port=ports.claim("redis"),
    )
    cache.configure(tokens=[TOKEN])
    cache.start()
    secrets = folder / "secrets"
    secrets.mkdir()
    for name, content in {
        "database-master": {"username": MASTER, "password": PASSWORD},
        "database-app": {"username": "vanta_app", "password": PASSWORD},
        "cache": {"authToken": TOKEN},
    }.items():
        (secrets / name).write_bytes(msgspec.json.encode(content))
    port = ports.claim("api")
    environment = {
        "VANTA_DATABASE_HOST": database.host,
        "VANTA_DATABASE_PORT": str(database.port),
        "VANTA_DATABASE_NAME": DATABASE,
        "VANTA_DATABASE_CA": str(database.ca),
        "VANTA_CACHE_HOST": cache.host,
        "VANTA_CACHE_PORT": str(cache.port),
        "VANTA_CACHE_CA": str(cache.ca),
        "VANTA_SECRETS_DIR": str(secrets),
        "VANTA_LISTEN_PORT": str(port),
        "VANTA_DRAIN_SECONDS": "0",
        **extra,
    }
    settings = Settings.from_environment(environment)
    tenant = asyncio.run(_prepare(settings))
    with (folder / "api.log").open("wb") as log:
        api = subprocess.Popen(
            [sys.executable, "-m", "app", "serve"],
            cwd=REPOSITORY,
            env={**os.environ, **environment},
            stdout=log,
            stderr=log,
        )
    try:
        url = f"http://127.0.0.1:{port}"
        _wait_ready(url)
        running = {process.command.name: psutil.Process(process.pid) for process in Processes(home).all()}
        yield Served(
            url=url,
            key=tenant.key.text,
            tenant=str(tenant.tenant_id),
            settings=settings,
            environment=environment,
            database=database,
            cache=cache,
            processes={"api": psutil.Process(api.pid), **running},
        )
    finally:
        api.terminate()
        api.wait()


async def _prepare(settings: Settings) -> tenants.NewTenant:
    connection = await postgres.connect(settings, "database-master")
    try:
        async for _ in migrate.apply(connection, migrate.load()):
            pass
        await roles.ensure_login(connection, settings.secrets.login("database-app"))
        return await tenants.create(connection, "bench")
    finally:
        await connection.close()


def _wait_ready(url: str) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        with suppress(URLError, OSError), urllib.request.urlopen(f"{url}/readyz") as answer:  # noqa: S310 - our own URL
            if msgspec.json.decode(answer.read())["status"] == "ready":
                return
        time.sleep(0.05)
    sys.exit("The API did not become ready within a minute.")
