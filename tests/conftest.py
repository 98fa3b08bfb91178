"""Fixtures for everybody: a home folder, and the real engines behind it."""

from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from local.aws.emulator import Aws
from local.home import LOOPBACK, Home
from local.ports import Ports
from local.postgres import Postgres
from local.processes import Processes
from local.pulumi.engine import build_engine, find_engine
from local.redis import Redis


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark each test that can start a process: whoever edits runs the others, which take seconds (``make test-unit``)."""
    starters = {"home", "session_home", "open_home", "aws"}
    for item in items:
        if isinstance(item, pytest.Function) and starters & {*item.fixturenames}:
            item.add_marker("real")


@dataclass(frozen=True, kw_only=True)
class PostgresServer:
    """A running PostgreSQL writer: TLS (``ca``, verify-full) and SCRAM, ``username`` is a superuser."""

    host: str
    port: int
    ca: Path
    username: str
    password: str
    database: str
    server: Postgres


@dataclass(frozen=True, kw_only=True)
class RedisServer:
    """A running Redis: TLS (``ca``, verify-full) and AUTH with ``token``."""

    host: str
    port: int
    ca: Path
    token: str
    server: Redis


@contextmanager
def temporary_home(folder: Path) -> Generator[Home]:
    """A home that leaves no process behind, whatever the test started from it."""
    home = Home.at(folder / ".vanta")
    try:
        yield home
    finally:
        processes = Processes(home)
        for process in reversed(processes.all()):
            processes.stop(process.command.name)
        orphans = [process.as_dict(["pid", "cmdline"]) for process in processes.orphans()]
        processes.stop_orphans()
    assert not orphans, f"these processes were left behind: {orphans}"


@pytest.fixture(scope="session")
def engine() -> Path:
    """The engine of this machine, built if there is none."""
    return find_engine() or build_engine(lambda *_: None)


@pytest.fixture(scope="session")
def open_home() -> Callable[[Path], AbstractContextManager[Home]]:
    """:func:`temporary_home`, for fixtures of other scopes."""
    return temporary_home


@pytest.fixture
def home(tmp_path: Path) -> Generator[Home]:
    """An empty home; its processes are stopped after the test."""
    with temporary_home(tmp_path) as home:
        yield home


@pytest.fixture(scope="session")
def session_home(tmp_path_factory: pytest.TempPathFactory) -> Generator[Home]:
    """The home of the servers that all tests share."""
    with temporary_home(tmp_path_factory.mktemp("session")) as home:
        yield home


@pytest.fixture(scope="session")
def postgres(session_home: Home) -> PostgresServer:
    """One PostgreSQL writer for all tests: each makes databases and roles of its own."""
    port = Ports(session_home).claim("postgres", hosts=LOOPBACK)
    folder = session_home.folder("databases", "shared")
    server = Postgres(home=session_home, folder=folder, name="postgres", host="127.0.0.1", port=port)
    username, password, database = "vanta", "a 'quoted\" password", "vanta"
    server.initialise(username=username, password=password, database=database)
    server.start()
    return PostgresServer(
        host=server.host,
        port=port,
        ca=server.ca,
        username=username,
        password=password,
        database=database,
        server=server,
    )


@pytest.fixture(scope="session")
def redis_server(session_home: Home) -> RedisServer:
    """One Redis for all tests: each uses keys of its own, and who empties it has another."""
    return start_redis(session_home, "redis")


def start_redis(home: Home, name: str) -> RedisServer:
    """A Redis of ``home``."""
    port, token = Ports(home).claim(name), "a-token-of-at-least-sixteen"
    server = Redis(home=home, folder=home.folder("caches", name), name=name, host="127.0.0.1", port=port)
    server.configure(tokens=[token])
    server.start()
    return RedisServer(host=server.host, port=port, ca=server.ca, token=token, server=server)


@pytest.fixture(scope="session")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Generator[Aws]:
    """One running AWS emulator for all tests: each makes resources of its own names."""
    with temporary_home(tmp_path_factory.mktemp("aws")) as home:
        emulator = Aws(home)
        emulator.start()
        yield emulator
