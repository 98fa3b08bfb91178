"""No stale read after an acknowledged write: who cannot mark closes the cache, and what was in it is of another epoch."""

import asyncio
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest

from app.db import postgres as app_postgres
from app.db.redis import Redis, RedisLostError
from app.state import epoch as epochs
from app.state.document import Name
from app.state.store import EpochMovedError
from tests.app.real.conftest import Database

from .workers import Worker, cached, open_epoch, put, running, until


@pytest.mark.parametrize("epoch", [None, uuid4()])
async def test_a_write_not_marked_in_the_open_epoch_is_refused(
    one: Worker, name: Name, epoch: UUID | None
) -> None:
    with pytest.raises(EpochMovedError):
        await one.store.write([put(name, "1")], epoch)
    assert await one.read(name) is None


@pytest.mark.parametrize("epoch", [None, uuid4()])
async def test_a_transaction_not_marked_in_the_open_epoch_is_refused(
    one: Worker, name: Name, epoch: UUID | None
) -> None:
    with pytest.raises(EpochMovedError):
        await one.store.transact([put(name, "1")], epoch, None)
    assert await one.read(name) is None


async def test_a_process_that_has_not_seen_the_cache_open_again_does_not_close_it(
    one: Worker, other: Worker, name: Name
) -> None:
    for _ in range(2):
        await other.epoch._move(await other.epoch.look())  # noqa: SLF001 - a step, without its wait
    assert (await one.epoch.look()).state == "closed"
    opened = await open_epoch(other)
    await one.put(name, "1")
    seen = await one.epoch.look()
    assert (seen.epoch, seen.state) == (opened, "open")
    assert await cached(other, name) == 1


async def test_a_writer_that_has_lost_redis_is_never_followed_by_a_stale_read(
    database: Database, one: Worker, name: Name, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(epochs, "TRUST", 0.4)
    monkeypatch.setattr(epochs, "SETTLE", 0.5)
    async with running(database, with_redis=False) as cut_off:
        await one.put(name, "1")
        reads: list[bytes | None] = []
        writing = asyncio.create_task(cut_off.put(name, "2"))
        acknowledged: int | None = None
        # The reader does not look at the epoch again: it only stops trusting what it saw.
        while acknowledged is None or len(reads) < acknowledged + 5:
            if writing.done() and acknowledged is None:
                acknowledged = len(reads)
            reads.append(await one.read(name))
            await asyncio.sleep(0.01)
        assert (await writing).outcome == "replaced"
        assert b"1" in reads[:acknowledged]
        assert set(reads[acknowledged:]) == {b"2"}


async def test_a_lost_release_closes_the_cache_before_the_acknowledgement(
    one: Worker, name: Name, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(epochs, "TRUST", 0.04)
    monkeypatch.setattr(epochs, "SETTLE", 0.05)

    async def lost(*_: object) -> None:
        raise RedisLostError

    monkeypatch.setattr(one.cache, "release", lost)
    await one.put(name, "1")
    assert (await one.epoch.look()).state == "closed"
    assert await one.read(name) == b"1"


async def test_writes_go_on_when_the_epoch_moves_between_mark_and_commit(
    one: Worker, other: Worker, name: Name, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = await open_epoch(one)
    mark = one.cache.mark

    async def mark_then_reopened(*arguments: Any) -> Any:
        marks = await mark(*arguments)
        monkeypatch.setattr(one.cache, "mark", mark)
        for _ in range(3):
            view = await other.epoch.look()
            await other.epoch._move(view, other.redis.server_id or "")  # noqa: SLF001 - a step, without its wait
        return marks

    monkeypatch.setattr(one.cache, "mark", mark_then_reopened)
    await one.put(name, "1")
    assert one.epoch.markable not in {None, before}
    assert await cached(other, name) == 1


async def test_the_epoch_does_not_move_under_a_write_in_flight(database: Database, one: Worker) -> None:
    epoch = await open_epoch(one)
    connection: asyncpg.Connection = await app_postgres.connect(database.settings, "database-app")
    transaction = connection.transaction()
    await transaction.start()
    await connection.execute("select vanta.hold_cache_epoch($1)", epoch)
    closing = asyncio.create_task(one.epoch._move(await one.epoch.look()))  # noqa: SLF001 - a step, without its wait
    await until(
        lambda: connection.fetchval(
            "select exists (select from pg_locks where locktype = 'advisory' and not granted)"
        )
    )
    assert not closing.done()
    assert await connection.fetchval("select state from vanta.cache_epoch") == "open"
    await transaction.commit()
    await closing
    await connection.close()
    assert (await one.epoch.look()).state == "closing"


async def test_nothing_cached_in_an_earlier_epoch_is_read_in_the_next(one: Worker, name: Name) -> None:
    await one.put(name, "1")
    before = await open_epoch(one)
    for _ in range(3):
        await one.epoch._move(await one.epoch.look(), one.redis.server_id or "")  # noqa: SLF001 - a step, without its wait
    assert await open_epoch(one) != before
    assert await cached(one, name) is None


async def test_another_server_under_the_same_address_is_not_trusted_until_the_epoch_is_its_own(
    one: Worker, name: Name, monkeypatch: pytest.MonkeyPatch
) -> None:
    for constant in ("TRUST", "SETTLE", "STAY_CLOSED", "_STRANGER", "LOOK_EVERY"):
        monkeypatch.setattr(epochs, constant, 0.02)
    before = await open_epoch(one)
    await one.put(name, "1")
    monkeypatch.setattr(one.redis, "server_id", "restarted")
    assert one.epoch.trusted is None
    assert one.epoch.markable is None
    helping = asyncio.create_task(one.epoch.run())
    await until(lambda: one.epoch.markable not in {None, before})
    helping.cancel()
    assert (await one.epoch.look()).cache_id == "restarted"
    monkeypatch.undo()
    await open_epoch(one)


async def test_a_read_trusts_the_cache_only_for_a_while(
    one: Worker, name: Name, monkeypatch: pytest.MonkeyPatch
) -> None:
    await one.put(name, "1")
    assert one.epoch.trusted
    monkeypatch.setattr(epochs, "TRUST", 0)
    assert one.epoch.trusted is None
    assert one.epoch.markable


@pytest.mark.parametrize("turns", range(6))
async def test_who_is_told_to_end_while_redis_is_lost_ends(database: Database, turns: int) -> None:
    redis = Redis(database.settings)
    task = asyncio.create_task(redis.run())
    await until(lambda: redis.server_id)
    redis.reconnect()
    for _ in range(turns):
        await asyncio.sleep(0)
    task.cancel()
    await until(task.done)
