"""After the database went back in time, nothing that the cache kept of the future is believed, and events go on."""

from pathlib import Path

import asyncpg
import httpx
import pytest

from app.db.redis import Redis
from app.events.relay import Relay, stream
from local.home import Home
from tests.conftest import PostgresServer, RedisServer, start_redis

from .conftest import Database, Tenant, command, create_database, eventually, serving
from .past import Past


@pytest.fixture
def own_redis(home: Home) -> RedisServer:
    """A Redis that no other test has streams in."""
    return start_redis(home, "redis")


@pytest.fixture
def database(postgres: PostgresServer, own_redis: RedisServer, tmp_path: Path) -> Database:
    """A database of this test, with that cache."""
    made = create_database(postgres, tmp_path, own_redis)
    assert command(made, "migrate").returncode == 0
    return made


async def relayed(relay: Relay, redis: Redis, database: Database, tenant: Tenant) -> list[bytes]:
    """Emit an event, relay what there is, and return the ids in the stream."""
    database.query("select vanta.emit($1, 't', 's', null, '{}')", tenant.id)
    await relay.relay([tenant.id])
    return [entry[0] for entry in await redis.send("XRANGE", stream(tenant.id), "-", "+")]


def revisions(ids: list[bytes]) -> list[int]:
    return [int(one.partition(b"-")[0]) for one in ids]


async def test_events_go_on_where_the_database_does(
    database: Database, pool: asyncpg.Pool, redis: Redis, tenant: Tenant
) -> None:
    relay = Relay(pool, redis, length=1000)
    for _ in range(2):
        await relayed(relay, redis, database, tenant)
    past = Past(database, tenant)
    before = await relayed(relay, redis, database, tenant)
    past.return_to_it()
    await redis.send("SET", "vanta:of-others", "stays")
    done = command(database, "dr", "new-timeline")
    assert done.returncode == 0, done.stderr
    assert done.stdout == "cached documents are not used any more, 1 streams begin anew\n"
    after = await relayed(relay, redis, database, tenant)
    assert revisions(after) == [3]
    # So a consumer that has the lost one finds that the stream does not begin with what it knows.
    assert revisions(before) == [1, 2, 3]
    assert after[0] != before[-1]
    assert await redis.send("GET", "vanta:of-others") == b"stays"


@pytest.mark.parametrize("lost", [1, 2, 3])
async def test_who_goes_on_with_a_stream_sees_that_its_last_event_was_lost(
    database: Database, pool: asyncpg.Pool, redis: Redis, tenant: Tenant, lost: int
) -> None:
    relay = Relay(pool, redis, length=1000)
    read = await relayed(relay, redis, database, tenant)
    past = Past(database, tenant)
    for _ in range(lost):
        read = await relayed(relay, redis, database, tenant)
    past.return_to_it()
    for _ in range(4):
        now = await relayed(relay, redis, database, tenant)
    for one in read[1:]:
        assert not await goes_on(redis, tenant, one)
    assert await goes_on(redis, tenant, now[-3])


async def goes_on(redis: Redis, tenant: Tenant, last: bytes) -> bool:
    """Whether the stream has all that comes after ``last``, as a consumer finds out: it begins there, and revisions rise by one."""
    found = [entry[0] for entry in await redis.send("XRANGE", stream(tenant.id), last, "+")]
    revisions_ = revisions(found)
    return found[0] == last and revisions_ == list(range(revisions_[0], revisions_[0] + len(found)))


def test_a_document_cached_in_a_past_that_was_given_up_is_not_served_although_its_revision_is_higher(
    database: Database, tenant: Tenant, tmp_path: Path
) -> None:
    path = "/v1/state/agents/a"
    with (
        serving(database, tmp_path) as served,
        httpx.Client(base_url=served.url, headers=tenant.headers) as client,
    ):
        eventually(lambda: epoch(database) == "open")
        first = client.put(path, json="kept").headers["etag"]
        past = Past(database, tenant)
        lost = client.put(path, json="lost", headers={"if-match": first}).headers["etag"]
        assert client.get(path).json() == "lost"
        past.return_to_it()
        assert command(database, "dr", "new-timeline").returncode == 0
        assert client.get(path).json() == "kept"
        # A cache that was never used is not waited for.
        database.query("update vanta.cache_epoch set cache_id = ''")
        eventually(lambda: epoch(database) == "open")
        for _ in range(2):
            assert client.get(path).json() == "kept"
        assert client.put(path, json="blind", headers={"if-match": lost}).status_code == 412


def epoch(database: Database) -> str:
    return database.query("select state from vanta.cache_epoch")[0][0]


def test_nobody_believes_what_is_cached(database: Database) -> None:
    database.query("update vanta.cache_epoch set state = 'open', cache_id = 'the one before'")
    assert command(database, "dr", "new-timeline").returncode == 0
    assert epoch(database) == "closed"


def test_a_cache_that_does_not_answer_has_to_be_emptied(database: Database, own_redis: RedisServer) -> None:
    own_redis.server.stop()
    done = command(database, "dr", "new-timeline")
    assert done.returncode == 3
    assert done.stderr.endswith("the cache does not answer: empty it.\n")
    assert epoch(database) == "closed"
