"""Concurrent batches in PostgreSQL, one step at a time."""

import asyncio
import time
from collections.abc import Callable
from typing import Any

import asyncpg
import pytest

from app.state.document import Name, Write, Written, digest
from app.state.store import EpochMovedError, Store

from .conftest import Database, Tenant


def write(name: Name, value: str, **more: object) -> Write:
    return Write(name=name, value=value, digest=digest(value.encode()), **more)  # ty: ignore[invalid-argument-type] - a test's shorthand


async def waits_for_a_lock(pool: asyncpg.Pool) -> None:
    deadline = time.monotonic() + 20
    while not await pool.fetchval(
        "select exists (select from pg_locks l join pg_stat_activity a using (pid) where not granted and datname = current_database())"
    ):
        assert time.monotonic() < deadline, "nobody waits"
        await asyncio.sleep(0.01)


async def test_a_batch_decides_on_what_the_one_before_it_committed(
    pool: asyncpg.Pool, tenant: Tenant, database: Database
) -> None:
    epoch = database.query("select epoch from vanta.cache_epoch")[0][0]
    name, fresh = Name(tenant.id, "c", "k"), Name(tenant.id, "c", "fresh")
    await Store(pool).write([write(name, "1")], epoch)
    tag = f"1-{digest(b'1')}"
    async with pool.acquire() as connection:
        transaction = connection.transaction()
        await transaction.start()
        (first,) = await Store(connection).write([write(name, "2", condition="match", etags=(tag,))], epoch)
        racing = asyncio.create_task(
            Store(pool).write(
                [write(name, "3", condition="match", etags=(tag,)), write(fresh, "4", condition="absent")],
                epoch,
            )
        )
        await waits_for_a_lock(pool)
        await transaction.commit()
    late, unrelated = await racing
    assert isinstance(first, Written)
    assert isinstance(late, Written)
    assert isinstance(unrelated, Written)
    assert (first.outcome, late.outcome, unrelated.outcome) == ("replaced", "precondition_failed", "created")
    assert (first.revision, late.revision, unrelated.revision) == (2, None, 3)


async def test_a_batch_that_was_rolled_back_leaves_no_gap(
    pool: asyncpg.Pool, tenant: Tenant, database: Database
) -> None:
    epoch = database.query("select epoch from vanta.cache_epoch")[0][0]
    async with pool.acquire() as connection:
        transaction = connection.transaction()
        await transaction.start()
        await Store(connection).write([write(Name(tenant.id, "c", "a"), "1")], epoch)
        await transaction.rollback()
    (written,) = await Store(pool).write([write(Name(tenant.id, "c", "b"), "1")], epoch)
    assert isinstance(written, Written)
    assert written.revision == 1
    assert database.trace(tenant.id) == (1, 1, 1, 1)


async def test_batches_over_the_same_tenants_in_any_order_do_not_deadlock(
    pool: asyncpg.Pool, tenant: Tenant, new_tenant: Callable[[], Tenant], database: Database
) -> None:
    epoch = database.query("select epoch from vanta.cache_epoch")[0][0]
    tenants = [tenant.id, new_tenant().id]
    batches = [
        [write(Name(who, "c", f"{number}"), "1") for who in (tenants if number % 2 else tenants[::-1])]
        for number in range(40)
    ]
    for results in await asyncio.gather(*(Store(pool).write(batch, epoch) for batch in batches)):
        assert [getattr(result, "outcome", result) for result in results] == ["created", "created"]


async def test_rows_written_apart_are_committed_together_so_that_none_is_repeated_when_the_epoch_moves(
    pool: asyncpg.Pool, tenant: Tenant, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    epoch = database.query("select epoch from vanta.cache_epoch")[0][0]
    good, bad, late = (Name(tenant.id, "c", key) for key in ("good", "bad", "late"))
    statement, tries = Store._write, 0  # noqa: SLF001 - between two rows there is no other place to look from

    async def moved_before_the_last(self: Store, *arguments: Any) -> list[Written]:
        nonlocal tries
        tries += 1
        if tries == 4:
            raise EpochMovedError
        return await statement(self, *arguments)

    monkeypatch.setattr(Store, "_write", moved_before_the_last)
    batch = [write(good, "1"), write(bad, "\0"), write(late, "1")]
    with pytest.raises(EpochMovedError):
        await Store(pool).write(batch, epoch)
    assert database.trace(tenant.id) == (0, 0, 0, 0)
    first, second, third = await Store(pool).write(batch, epoch)
    assert isinstance(second, asyncpg.DataError)
    assert [getattr(result, "revision", None) for result in (first, third)] == [1, 2]
    assert database.trace(tenant.id) == (2, 2, 2, 2)
