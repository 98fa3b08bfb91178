"""After the database went back in time, nothing that the cache kept of the future is believed, and events go on."""

import asyncio
import time
from collections.abc import AsyncGenerator
from pathlib import Path

import asyncpg
import pytest

from app.db.redis import Redis
from app.events.relay import Relay, stream
from local.home import Home
from local.ports import Ports
from local.redis import Redis as Server
from tests.conftest import PostgresServer, RedisServer

from .conftest import Database, Tenant, command, create_database


@pytest.fixture
def own_redis(home: Home) -> RedisServer:
    """A Redis that no other test has streams in."""
    port, token = Ports(home).claim("redis"), "a-token-of-at-least-sixteen"
    server = Server(home=home, folder=home.folder("caches", "own"), name="redis", host="127.0.0.1", port=port)
    server.configure(tokens=[token])
    server.start()
    return RedisServer(host=server.host, port=port, ca=server.ca, token=token, server=server)


@pytest.fixture
def database(postgres: PostgresServer, own_redis: RedisServer, tmp_path: Path) -> Database:
    """A database of this test, with that cache."""
    made = create_database(postgres, tmp_path, own_redis)
    assert command(made, "migrate").returncode == 0
    return made


@pytest.fixture
async def redis(database: Database) -> AsyncGenerator[Redis]:
    """A connection to that cache."""
    connection = Redis(database.settings)
    task = asyncio.create_task(connection.run())
    deadline = time.monotonic() + 20
    while connection.server_id is None:
        assert time.monotonic() < deadline
        await asyncio.sleep(0.01)
    yield connection
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def relayed(relay: Relay, redis: Redis, database: Database, tenant: Tenant) -> list[int]:
    """Emit an event, relay what there is, and return the revisions in the stream."""
    database.query("select vanta.emit($1, 't', 's', null, '{}')", tenant.id)
    await relay.relay([tenant.id])
    entries = await redis.send("XRANGE", stream(tenant.id), "-", "+")
    return [int(entry[0].split(b"-")[0]) for entry in entries]


async def test_events_go_on_where_the_database_does(
    database: Database, pool: asyncpg.Pool, redis: Redis, tenant: Tenant
) -> None:
    relay = Relay(pool, redis, length=1000)
    for _ in range(2):
        await relayed(relay, redis, database, tenant)
    before = await relayed(relay, redis, database, tenant)
    lost = before[-1]
    for sql in (
        "delete from vanta.outbox where tenant_id = $1 and revision >= $2",
        "update vanta.tenant_head set revision = $2 - 1 where tenant_id = $1",
        "update vanta.event_cursor set relayed = $2 - 1 where tenant_id = $1",
    ):
        database.query(sql, tenant.id, lost)
    await redis.send("SET", "vanta:of-others", "stays")
    done = command(database, "dr", "new-timeline")
    assert done.returncode == 0, done.stderr
    assert done.stdout == "cached documents are not used any more, 1 streams begin anew\n"
    assert await relayed(relay, redis, database, tenant) == [lost]
    assert await redis.send("GET", "vanta:of-others") == b"stays"


def test_nobody_believes_what_is_cached(database: Database) -> None:
    database.query("update vanta.cache_epoch set state = 'open', cache_id = 'the one before'")
    assert command(database, "dr", "new-timeline").returncode == 0
    assert database.query("select state from vanta.cache_epoch")[0][0] == "closed"


def test_a_cache_that_does_not_answer_has_to_be_emptied(database: Database, own_redis: RedisServer) -> None:
    own_redis.server.stop()
    done = command(database, "dr", "new-timeline")
    assert done.returncode == 3
    assert done.stderr.endswith("the cache does not answer: empty it.\n")
    assert database.query("select state from vanta.cache_epoch")[0][0] == "closed"
