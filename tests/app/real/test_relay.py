"""The relay: every event is in the tenant's stream once and in order, whatever is killed or lost in between."""

import asyncio
import signal
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import asyncpg
import hiredis
import httpx
import pytest

from app.db.redis import Redis
from app.events.relay import Relay, stream
from app.settings import Settings
from tests.conftest import PostgresServer, RedisServer

from .conftest import Database, Tenant, command, create_database, eventually, run, serving
from .connection import connected
from .proxy import Proxy


@pytest.fixture(scope="module")
def database(
    postgres: PostgresServer, redis_server: RedisServer, tmp_path_factory: pytest.TempPathFactory
) -> Database:
    """A database of this module: nothing else relays its events."""
    made = create_database(postgres, tmp_path_factory.mktemp("relay"), redis_server)
    assert command(made, "migrate").returncode == 0
    return made


@pytest.fixture
def relay(pool: asyncpg.Pool, redis: Redis) -> Relay:
    return Relay(pool, redis, length=100_000)


def emit(database: Database, tenant: Tenant, count: int) -> None:
    database.query(
        "select vanta.emit($1, 't', 's', null, jsonb_build_object('n', n)) from generate_series(1, $2::int) n",
        tenant.id,
        count,
    )


def head(database: Database, tenant: Tenant) -> int:
    return database.query("select revision from vanta.tenant_head where tenant_id = $1", tenant.id)[0][0]


def relayed(database: Database, tenant: Tenant) -> int:
    rows = database.query("select relayed from vanta.event_cursor where tenant_id = $1", tenant.id)
    return rows[0][0] if rows else 0


async def entries(redis: Redis, tenant: Tenant) -> list[Any]:
    return await redis.send("XRANGE", stream(tenant.id), "-", "+")


async def revisions(redis: Redis, tenant: Tenant) -> list[int]:
    return [int(entry[0].split(b"-")[0]) for entry in await entries(redis, tenant)]


def ids_from_outside(settings: Settings, tenant: Tenant) -> list[int]:
    """The revisions in the stream, asked for by a connection of its own."""

    async def ask() -> list[int]:
        async with connected(settings) as redis:
            return await revisions(redis, tenant)

    return run(ask())


async def test_all_events_get_there_in_order(
    relay: Relay, redis: Redis, database: Database, tenant: Tenant
) -> None:
    emit(database, tenant, 700)
    await relay.relay([tenant.id])
    await relay.relay([tenant.id])
    found = await entries(redis, tenant)
    assert await revisions(redis, tenant) == list(range(1, head(database, tenant) + 1))
    assert found[-1][1][0] == b"event"
    assert b'"data":{"n": 700}' in found[-1][1][1]
    assert relayed(database, tenant) == head(database, tenant)


async def test_what_is_relayed_again_is_there_once(
    relay: Relay, redis: Redis, database: Database, tenant: Tenant
) -> None:
    emit(database, tenant, 10)
    await relay.relay([tenant.id])
    before = await entries(redis, tenant)
    # As after a crash between Redis and PostgreSQL.
    database.query("update vanta.event_cursor set relayed = 3 where tenant_id = $1", tenant.id)
    emit(database, tenant, 1)
    await relay.relay([tenant.id])
    after = await entries(redis, tenant)
    assert after[:-1] == before
    assert await revisions(redis, tenant) == list(range(1, head(database, tenant) + 1))


async def test_two_relays_at_once_do_the_work_of_one(
    pool: asyncpg.Pool, redis: Redis, database: Database, tenant: Tenant
) -> None:
    emit(database, tenant, 3000)
    relays = [Relay(pool, redis, length=100_000) for _ in range(3)]
    while relayed(database, tenant) < head(database, tenant):
        await asyncio.gather(*(relay.relay([tenant.id]) for relay in relays))
    assert await revisions(redis, tenant) == list(range(1, head(database, tenant) + 1))


async def test_a_tenant_that_another_relay_has_is_left_to_it(
    relay: Relay, redis: Redis, pool: asyncpg.Pool, database: Database, tenant: Tenant
) -> None:
    emit(database, tenant, 5)
    async with pool.acquire() as connection, connection.transaction():
        await connection.fetch("select * from vanta.take_events($1, 10)", [tenant.id])
        await relay.relay([tenant.id])
        assert await revisions(redis, tenant) == []
    await relay.relay([tenant.id])
    assert await revisions(redis, tenant) == list(range(1, head(database, tenant) + 1))


async def test_an_emptied_redis_gets_what_follows_without_a_gap(
    relay: Relay, redis: Redis, database: Database, tenant: Tenant
) -> None:
    emit(database, tenant, 5)
    await relay.relay([tenant.id])
    first = head(database, tenant) + 1
    await redis.send("DEL", stream(tenant.id))
    emit(database, tenant, 600)
    await relay.relay([tenant.id])
    await relay.relay([tenant.id])
    assert await revisions(redis, tenant) == list(range(first, first + 600))


async def test_a_stream_is_bounded_and_the_newest_stay(
    pool: asyncpg.Pool, redis: Redis, database: Database, tenant: Tenant
) -> None:
    emit(database, tenant, 2000)
    relay = Relay(pool, redis, length=100)
    for _ in range(4):
        await relay.relay([tenant.id])
    found = await revisions(redis, tenant)
    # Redis removes whole nodes of up to 100 entries.
    assert 100 <= len(found) <= 200
    assert found == list(range(head(database, tenant) - len(found) + 1, head(database, tenant) + 1))


async def test_a_stream_that_cannot_be_written_holds_up_no_other_tenant(
    relay: Relay, redis: Redis, database: Database, tenant: Tenant, new_tenant: Callable[[], Tenant]
) -> None:
    other = new_tenant()
    for who in (tenant, other):
        emit(database, who, 3)
    await redis.send("SET", stream(tenant.id), "not a stream")
    await relay.relay([tenant.id, other.id])
    assert await revisions(redis, other) == list(range(1, head(database, other) + 1))
    assert relayed(database, tenant) == 0
    with pytest.raises(hiredis.ReplyError):
        await entries(redis, tenant)


async def test_the_lag_of_all_tenants_is_known(
    relay: Relay, database: Database, tenant: Tenant, pool: asyncpg.Pool
) -> None:
    emit(database, tenant, 4)
    database.query("update vanta.outbox set time = now() - interval '1 hour' where tenant_id = $1", tenant.id)
    (lag,) = await pool.fetch("select * from vanta.relay_lag($1)", [tenant.id])
    assert lag["events"] == head(database, tenant)
    assert 3600 <= lag["seconds"] < 7200
    await relay.relay([tenant.id])
    assert await pool.fetch("select * from vanta.relay_lag($1)", [tenant.id]) == []


def test_when_the_relaying_process_is_killed_another_goes_on(
    database: Database, tenant: Tenant, tmp_path: Path
) -> None:
    stop = threading.Event()

    def write(url: str, name: str) -> None:
        with httpx.Client(base_url=url, headers=tenant.headers) as client:
            number = 0
            while not stop.is_set():
                try:
                    client.put(f"/v1/state/load/{name}-{number}", json=number)
                except httpx.TransportError:
                    return
                number += 1

    with serving(database, tmp_path) as survivor:
        for victim_number in range(2):
            with serving(database, tmp_path) as victim:
                threads = [
                    threading.Thread(target=write, args=(url, f"{victim_number}-{number}"))
                    for number, url in enumerate([victim.url] * 3 + [survivor.url])
                ]
                for thread in threads:
                    thread.start()
                before = relayed(database, tenant)
                eventually(lambda before=before: relayed(database, tenant) > before + 50)
                victim.process.send_signal(signal.SIGKILL)
                victim.process.wait()
                stop.set()
                for thread in threads:
                    thread.join()
                stop.clear()
        eventually(lambda: relayed(database, tenant) == head(database, tenant), 40)
    assert ids_from_outside(database.settings, tenant) == list(range(1, head(database, tenant) + 1))


def test_while_redis_is_cut_off_nothing_is_lost(
    database: Database, redis_server: RedisServer, tenant: Tenant, tmp_path: Path
) -> None:
    with (
        Proxy(redis_server.port) as proxy,
        serving(database, tmp_path, VANTA_CACHE_PORT=str(proxy.port)) as served,
        httpx.Client(base_url=served.url, headers=tenant.headers, timeout=20) as client,
    ):
        for number in range(60):
            if number == 20:
                proxy.cut()
            if number == 40:
                proxy.restore()
            assert client.put(f"/v1/state/load/{number}", json=number).status_code == 201
        eventually(lambda: relayed(database, tenant) == head(database, tenant))
    assert ids_from_outside(database.settings, tenant) == list(range(1, head(database, tenant) + 1))
