"""The application on the real engines: a database of its own, a served API, tenants."""

import asyncio
import json
import os
import secrets
import socket
import subprocess
import sys
import time
from collections.abc import AsyncGenerator, Callable, Coroutine, Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar
from uuid import UUID

import asyncpg
import httpx
import pytest

from app.db import postgres as app_postgres
from app.db.redis import Redis
from app.settings import Settings
from app.tenancy import operators, tenants

from .connection import connected

if TYPE_CHECKING:
    from tests.conftest import PostgresServer, RedisServer

T = TypeVar("T")
ROOT = Path(__file__).parents[3]


def run(work: Coroutine[Any, Any, T]) -> T:
    """Wait for ``work`` from code that is not asynchronous, whether a loop runs in this thread or not."""
    with ThreadPoolExecutor(1) as executor:
        return executor.submit(lambda: asyncio.run(work)).result()


def eventually(condition: Callable[[], bool], seconds: float = 20) -> None:
    """Wait until ``condition`` holds; fails after ``seconds``."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)


def free_port() -> int:
    """A port nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def write_secrets(folder: Path, *, master: tuple[str, str], app: tuple[str, str], token: str) -> None:
    """The secret files as they are mounted."""
    folder.mkdir(exist_ok=True)
    for name, (username, password) in (("database-master", master), ("database-app", app)):
        (folder / name).write_text(json.dumps({"username": username, "password": password}))
    (folder / "cache").write_text(json.dumps({"authToken": token}))


@dataclass(frozen=True, kw_only=True)
class Database:
    """The migrated database; :meth:`query` is a superuser's and sees every tenant."""

    environment: dict[str, str]
    settings: Settings

    @asynccontextmanager
    async def master(self) -> AsyncGenerator[asyncpg.Connection]:
        """A connection as the superuser."""
        connection = await app_postgres.connect(self.settings, "database-master")
        try:
            yield connection
        finally:
            await connection.close()

    def query(self, sql: str, *arguments: object) -> list[asyncpg.Record]:
        return run(self._query(sql, arguments))

    async def _query(self, sql: str, arguments: tuple[object, ...]) -> list[asyncpg.Record]:
        async with self.master() as connection:
            return await connection.fetch(sql, *arguments)

    def trace(self, tenant: UUID) -> tuple[int, int, int, int]:
        """All that a write leaves: documents, versions, events, and the tenant's revision."""
        return tuple(
            self.query(
                """
                select (select count(*) from vanta.document where tenant_id = $1),
                       (select count(*) from vanta.document_version where tenant_id = $1),
                       (select count(*) from vanta.outbox where tenant_id = $1),
                       (select revision from vanta.tenant_head where tenant_id = $1)
                """,
                tenant,
            )[0]
        )


@dataclass(frozen=True, kw_only=True)
class Tenant:
    """A tenant with its key."""

    id: UUID
    key: str

    @property
    def headers(self) -> dict[str, str]:
        return {"authorization": f"Bearer {self.key}"}


def make_environment(
    folder: Path, postgres: "PostgresServer", redis_server: "RedisServer", database: str
) -> dict[str, str]:
    """What the stack's outputs would give; the login of the application is the database's own."""
    write_secrets(
        folder / "secrets",
        master=(postgres.username, postgres.password),
        app=(f"{database}_app", "an \"odd' password"),
        token=redis_server.token,
    )
    return {
        "VANTA_DATABASE_HOST": postgres.host,
        "VANTA_DATABASE_PORT": str(postgres.port),
        "VANTA_DATABASE_NAME": database,
        "VANTA_DATABASE_CA": str(postgres.ca),
        "VANTA_CACHE_HOST": redis_server.host,
        "VANTA_CACHE_PORT": str(redis_server.port),
        "VANTA_CACHE_CA": str(redis_server.ca),
        "VANTA_SECRETS_DIR": str(folder / "secrets"),
        "VANTA_DRAIN_SECONDS": "0",
    }


def create_database(postgres: "PostgresServer", folder: Path, redis_server: "RedisServer") -> Database:
    """An empty database."""
    name = f"api_{secrets.token_hex(4)}"
    environment = make_environment(folder, postgres, redis_server, name)
    server = Database(
        environment=environment,
        settings=Settings.from_environment({**environment, "VANTA_DATABASE_NAME": postgres.database}),
    )
    server.query(f"create database {name}")
    return Database(environment=environment, settings=Settings.from_environment(environment))


def command(database: Database, *arguments: str) -> subprocess.CompletedProcess[str]:
    """``python -m app`` with ``arguments`` on ``database``."""
    return subprocess.run(
        [sys.executable, "-m", "app", *arguments],
        cwd=ROOT,
        env={**os.environ, **database.environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@dataclass(frozen=True, kw_only=True)
class Served:
    """A running API process."""

    url: str
    process: subprocess.Popen[bytes]
    log: Path

    def status(self) -> str | None:
        """What /readyz says, None if nobody answers."""
        try:
            return httpx.get(f"{self.url}/readyz").json()["status"]
        except httpx.TransportError:
            return None


@contextmanager
def serving(database: Database, folder: Path, **environment: str) -> Generator[Served]:
    """``python -m app serve`` until the end of the block; it must end well unless the test ended it itself."""
    port = free_port()
    log = folder / f"serve-{port}.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "app", "serve"],
            cwd=ROOT,
            env={**os.environ, **database.environment, "VANTA_LISTEN_PORT": str(port), **environment},
            stdout=output,
            stderr=output,
        )
    served = Served(url=f"http://127.0.0.1:{port}", process=process, log=log)
    try:
        eventually(lambda: served.status() in {"ready", "degraded"})
        yield served
        if process.poll() is None:
            process.terminate()
            assert process.wait(30) == 0, log.read_text()
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()


@pytest.fixture(scope="session")
def database(
    postgres: "PostgresServer", redis_server: "RedisServer", tmp_path_factory: pytest.TempPathFactory
) -> Database:
    """The database that tests share, each with tenants of its own."""
    made = create_database(postgres, tmp_path_factory.mktemp("api"), redis_server)
    migrated = command(made, "migrate")
    assert migrated.returncode == 0, migrated.stderr
    return made


@pytest.fixture(scope="session")
def api(database: Database, tmp_path_factory: pytest.TempPathFactory) -> Generator[Served]:
    """One served API for all tests, its cache open."""
    with serving(database, tmp_path_factory.mktemp("served")) as served:
        eventually(lambda: database.query("select state from vanta.cache_epoch")[0][0] == "open")
        yield served


async def _tenant(connection: asyncpg.Connection, name: str) -> Tenant:
    made = await tenants.create(connection, name)
    return Tenant(id=made.tenant_id, key=made.key.text)


def make_tenant(database: Database, name: str) -> Tenant:
    """A tenant of that name, with the event of its creation."""

    async def create() -> Tenant:
        async with database.master() as connection:
            return await _tenant(connection, name)

    return run(create())


@pytest.fixture
def new_tenant(database: Database) -> Callable[[], Tenant]:
    """Makes tenants."""

    async def create() -> Tenant:
        # In one transaction, so that nobody is told of the event of its creation: tests count from zero.
        async with database.master() as connection, connection.transaction():
            made = await _tenant(connection, f"t-{secrets.token_hex(8)}")
            await connection.execute("delete from vanta.outbox where tenant_id = $1", made.id)
            await connection.execute(
                "update vanta.tenant_head set revision = 0 where tenant_id = $1", made.id
            )
        return made

    return lambda: run(create())


def make_operator_key(database: Database) -> str:
    """An operator's key, as ``python -m app operator-key create`` makes it."""

    async def create() -> str:
        async with database.master() as connection:
            return (await operators.create(connection, "test", None)).text

    return run(create())


@pytest.fixture(scope="session")
def operator_key(database: Database) -> str:
    """The operator's key that tests share."""
    return make_operator_key(database)


@pytest.fixture
def operator(api: Served, operator_key: str) -> Generator[httpx.Client]:
    """Speaks to the API as an operator."""
    headers = {"authorization": f"Bearer {operator_key}"}
    with httpx.Client(base_url=api.url, headers=headers, timeout=60) as client:
        yield client


@pytest.fixture
def tenant(new_tenant: Callable[[], Tenant]) -> Tenant:
    """A tenant of this test alone."""
    return new_tenant()


@pytest.fixture
def client(api: Served, tenant: Tenant) -> Generator[httpx.Client]:
    """Speaks to the API as ``tenant``."""
    with httpx.Client(base_url=api.url, headers=tenant.headers) as client:
        yield client


@pytest.fixture
async def pool(database: Database) -> AsyncGenerator[asyncpg.Pool]:
    """Connections as the application's own role."""
    pool = await app_postgres.pool(database.settings, 8)
    yield pool
    await pool.close()


@pytest.fixture
async def redis(database: Database) -> AsyncGenerator[Redis]:
    """A connection to the cache of ``database``."""
    async with connected(database.settings) as redis:
        yield redis
