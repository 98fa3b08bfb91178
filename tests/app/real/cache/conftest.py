"""Two processes on a database and a cache of this room."""

from collections.abc import AsyncGenerator
from uuid import uuid4

import pytest

from app.state.document import Name
from local.home import Home
from tests.app.real.conftest import Database, command, create_database
from tests.conftest import PostgresServer, RedisServer, start_redis

from .workers import Worker, open_epoch, running


@pytest.fixture(scope="session")
def redis_server(session_home: Home) -> RedisServer:
    """A Redis of this room: its tests empty it, and an API that others are served by would give its epoch up."""
    return start_redis(session_home, "redis-of-the-cache")


@pytest.fixture(scope="session")
def database(
    postgres: PostgresServer, redis_server: RedisServer, tmp_path_factory: pytest.TempPathFactory
) -> Database:
    """A database of this room: its tests open and close the epoch."""
    made = create_database(postgres, tmp_path_factory.mktemp("cache"), redis_server)
    assert command(made, "migrate").returncode == 0
    return made


@pytest.fixture
async def one(database: Database) -> AsyncGenerator[Worker]:
    async with running(database) as worker:
        await open_epoch(worker)
        yield worker


@pytest.fixture
async def other(database: Database, one: Worker) -> AsyncGenerator[Worker]:
    assert one
    async with running(database) as worker:
        await worker.epoch.look()
        yield worker


@pytest.fixture
async def name(database: Database) -> Name:
    tenant = uuid4()
    async with database.master() as connection:
        await connection.execute(
            "insert into vanta.tenant (tenant_id, name) values ($1, $2)", tenant, f"t-{tenant.hex}"
        )
        await connection.execute("insert into vanta.tenant_head (tenant_id) values ($1)", tenant)
    return Name(tenant, "agents", "planner/7")
