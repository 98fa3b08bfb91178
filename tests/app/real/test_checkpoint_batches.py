"""Checkpoints that many put at once: one transaction, in which each is judged for itself."""

import asyncio
from collections.abc import Callable
from uuid import uuid4

import asyncpg
import pytest

from app.agents.checkpoint import Channel, NewCheckpoint, NewWrite, NewWrites, Part, Thread
from app.agents.checkpoints import Checkpoints
from app.agents.errors import ChannelMissingError, QuotaExceededError, UnknownTenantError

from .checkpoints import stored
from .conftest import Database, Tenant

_DATA = b"d" * 100


def thread(tenant: Tenant, name: str) -> Thread:
    return Thread(tenant=tenant.id, agent="planner", thread=name)


def new(name: str = "1", *parts: str, parent: str | None = None) -> NewCheckpoint:
    """One whose list is ``parts``, or without any what its parent has."""
    items = [Part(type="text", data=part.encode()) for part in parts] or None
    return NewCheckpoint(
        namespace="",
        checkpoint=name,
        parent=parent,
        root=None,
        run=None,
        needs_parent=False,
        type="text",
        data=_DATA,
        metadata="{}",
        channels={"m": Channel(version="1", is_list=items is not None, parts=items)},
    )


def writes(name: str, data: bytes = b"w") -> NewWrites:
    written = [NewWrite(index=0, channel="m", type="text", data=data)]
    return NewWrites(namespace="", checkpoint=name, task="t", path="", replace=False, writes=written)


def transactions(database: Database, tenant: Tenant) -> int:
    """How many transactions the tenant's events are of."""
    return database.query(
        "select count(distinct xmin::text) from vanta.outbox where tenant_id = $1", tenant.id
    )[0][0]


def revisions(database: Database, tenant: Tenant) -> list[int]:
    return [
        row[0]
        for row in database.query(
            "select revision from vanta.outbox where tenant_id = $1 order by revision", tenant.id
        )
    ]


async def test_what_waits_together_is_one_transaction(
    pool: asyncpg.Pool, database: Database, tenant: Tenant
) -> None:
    checkpoints = Checkpoints(pool)
    places = [thread(tenant, f"t{number}") for number in range(20)]
    assert all(await asyncio.gather(*(checkpoints.put(place, new("1", "a"), None) for place in places)))
    assert await asyncio.to_thread(transactions, database, tenant) == 1
    await asyncio.gather(*(checkpoints.put_writes(place, writes("1"), None) for place in places))
    assert await asyncio.to_thread(transactions, database, tenant) == 2
    assert await asyncio.to_thread(revisions, database, tenant) == [*range(1, 41)]


@pytest.mark.parametrize("large", [[str(number) for number in range(300)], ["x" * 300_000]])
async def test_a_large_one_goes_alone(
    pool: asyncpg.Pool, database: Database, tenant: Tenant, large: list[str]
) -> None:
    checkpoints = Checkpoints(pool)
    small = (checkpoints.put(thread(tenant, f"t{number}"), new("1", "a"), None) for number in range(5))
    await asyncio.gather(checkpoints.put(thread(tenant, "large"), new("1", *large), None), *small)
    assert await asyncio.to_thread(transactions, database, tenant) == 2


async def test_one_that_is_refused_leaves_the_others_alone_and_nothing_behind(
    pool: asyncpg.Pool, database: Database, tenant: Tenant, new_tenant: Callable[[], Tenant]
) -> None:
    full = await asyncio.to_thread(new_tenant)
    limit = "update vanta.tenant_head set max_bytes = 50 where tenant_id = $1"
    await asyncio.to_thread(database.query, limit, full.id)
    gone = Tenant(id=uuid4(), key="")
    checkpoints = Checkpoints(pool)
    done = await asyncio.gather(
        checkpoints.put(thread(tenant, "b"), new("1", "a", "b"), None),
        checkpoints.put(thread(tenant, "nothing"), new("1", parent="0"), None),
        checkpoints.put(thread(full, "t"), new("1", "a"), None),
        checkpoints.put(thread(gone, "t"), new("1", "a"), None),
        checkpoints.put(thread(tenant, "a"), new("1", "a"), None),
        checkpoints.put(thread(tenant, "b"), new("2", parent="1"), None),
        return_exceptions=True,
    )
    kinds = [type(result) for result in done]
    assert kinds == [bool, ChannelMissingError, QuotaExceededError, UnknownTenantError, bool, bool]
    missing = done[1]
    assert isinstance(missing, ChannelMissingError)
    assert missing.channels == ["m"]
    written = await asyncio.gather(
        checkpoints.put_writes(thread(gone, "t"), writes("1"), None),
        checkpoints.put_writes(thread(full, "t"), writes("1", b"w" * 51), None),
        checkpoints.put_writes(thread(tenant, "a"), writes("1"), None),
        return_exceptions=True,
    )
    assert [type(result) for result in written] == [UnknownTenantError, QuotaExceededError, type(None)]
    assert await asyncio.to_thread(transactions, database, tenant) == 2
    assert await asyncio.to_thread(revisions, database, tenant) == [1, 2, 3, 4]
    for one, count in ((tenant, 3), (full, 0)):
        left = await asyncio.to_thread(stored, database, one)
        assert left["checkpoints"] == count
        assert left["bytes"] == left["counted"] == left["counted_for_tenant"]
    threads = "select thread from vanta.agent_thread where tenant_id = any ($1) order by thread"
    found = await asyncio.to_thread(database.query, threads, [tenant.id, full.id, gone.id])
    assert [row[0] for row in found] == ["a", "b"]


async def test_of_those_that_exceed_the_limit_together_as_many_are_put_as_fit(
    pool: asyncpg.Pool, database: Database, tenant: Tenant, new_tenant: Callable[[], Tenant]
) -> None:
    limit = "update vanta.tenant_head set max_bytes = 250 where tenant_id = $1"
    await asyncio.to_thread(database.query, limit, tenant.id)
    other = await asyncio.to_thread(new_tenant)
    checkpoints = Checkpoints(pool)
    done = await asyncio.gather(
        *(checkpoints.put(thread(tenant, f"t{number}"), new("1", "a"), None) for number in range(4)),
        checkpoints.put(thread(other, "t"), new("1", "a"), None),
        return_exceptions=True,
    )
    assert done[4] is True
    assert sorted(type(result).__name__ for result in done[:4]) == ["QuotaExceededError"] * 2 + ["bool"] * 2
    left = await asyncio.to_thread(stored, database, tenant)
    assert left["checkpoints"] == 2
    assert left["bytes"] == left["counted"] == left["counted_for_tenant"] <= 250


async def test_one_that_cannot_be_stored_fails_alone(
    pool: asyncpg.Pool, database: Database, tenant: Tenant
) -> None:
    checkpoints = Checkpoints(pool)
    done = await asyncio.gather(
        checkpoints.put(thread(tenant, "a"), new("1", "a"), None),
        checkpoints.put(thread(tenant, "b"), new("no\0name", "a"), None),
        return_exceptions=True,
    )
    assert done[0] is True
    assert isinstance(done[1], asyncpg.PostgresError)
    assert (await asyncio.to_thread(stored, database, tenant))["checkpoints"] == 1


async def test_the_release_before_puts_as_it_did(
    pool: asyncpg.Pool, database: Database, tenant: Tenant
) -> None:
    put = "select vanta.put_checkpoint($1, 'a', 't', '', $2, null, null, null, false, 'x', $3, '{}', $4, $5, $6, $7, $8, $9, $10, $11, null)"
    rows = (["m"], ["1"], [True], [1], [1], [b"d" * 16], ["text"], [b"part"])
    assert await pool.fetchval(put, tenant.id, "1", _DATA, *rows) is True
    assert await pool.fetchval(put, tenant.id, "1", _DATA, *rows) is False
    writes = (
        "select vanta.put_checkpoint_writes($1, 'a', 't', '', '1', 'task', '', false, $2, $3, $4, $5, null)"
    )
    await pool.execute(writes, tenant.id, [0], ["m"], ["text"], [b"w"])
    left = await asyncio.to_thread(stored, database, tenant)
    assert (left["checkpoints"], left["parts"], left["writes"]) == (1, 1, 1)
    assert left["bytes"] == left["counted"] == left["counted_for_tenant"]
    assert await asyncio.to_thread(revisions, database, tenant) == [1, 2, 3]


async def test_a_thread_is_found_by_its_name_even_where_postgresql_has_not_counted_yet(
    database: Database,
) -> None:
    query = "explain (generic_plan) select parts from vanta.agent_thread where tenant_id = $1 and agent = $2 and thread = $3"
    async with database.master() as connection:
        await connection.execute("set enable_seqscan = off")
        plan = "".join(row[0] for row in await connection.fetch(query, uuid4(), "a", "t"))
    assert "agent_thread_name" in plan
