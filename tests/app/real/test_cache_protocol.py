"""No stale read after an acknowledged write: the races of ADR 0007, each step by step on real engines."""

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import hiredis
import pytest

from app.db import postgres as app_postgres
from app.db.redis import Redis, RedisLostError
from app.state import cache as caches
from app.state import epoch as epochs
from app.state.cache import Cache, Leases
from app.state.document import Document, Name, Once, Write, Written, digest
from app.state.documents import Documents
from app.state.epoch import Epoch
from app.state.store import EpochMovedError, Store
from tests.conftest import PostgresServer, RedisServer

from .conftest import Database, command, create_database


@pytest.fixture(scope="module")
def database(
    postgres: PostgresServer, redis_server: RedisServer, tmp_path_factory: pytest.TempPathFactory
) -> Database:
    """A database of this module: its tests open and close the epoch."""
    made = create_database(postgres, tmp_path_factory.mktemp("protocol"), redis_server)
    assert command(made, "migrate").returncode == 0
    return made


@dataclass(kw_only=True)
class Worker:
    """What one process is made of, without its background loops: tests make each step themselves."""

    redis: Redis
    epoch: Epoch
    cache: Cache
    store: Store
    documents: Documents

    async def read(self, name: Name) -> bytes | None:
        document = await self.documents.get(name)
        return None if document is None else document.value

    async def put(self, name: Name, value: str) -> Written:
        return await self.documents.write(put(name, value))


def put(name: Name, value: str) -> Write:
    return Write(name=name, value=value, digest=digest(value.encode()), condition="unconditional")


async def until(condition: Callable[[], Awaitable[Any] | Any]) -> None:
    deadline = time.monotonic() + 20
    while True:
        result = condition()
        if result if not isinstance(result, Awaitable) else await result:
            return
        assert time.monotonic() < deadline, "it did not happen in time"
        await asyncio.sleep(0.01)


@asynccontextmanager
async def running(database: Database, *, with_redis: bool = True) -> AsyncGenerator[Worker]:
    pool = await app_postgres.pool(database.settings, 4)
    redis = Redis(database.settings)
    task = asyncio.create_task(redis.run()) if with_redis else None
    try:
        if with_redis:
            await until(lambda: redis.server_id)
        epoch, cache, store = Epoch(pool, lambda: redis.server_id), Cache(redis), Store(pool)
        yield Worker(
            redis=redis, epoch=epoch, cache=cache, store=store, documents=Documents(store, cache, epoch)
        )
    finally:
        if task:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        await pool.close()


async def open_epoch(worker: Worker) -> UUID:
    """Open the cache for the Redis all workers here share; the tests of this module leave it in any state."""
    view = await worker.epoch.look()
    while view.state != "open" or view.cache_id != worker.redis.server_id:
        await worker.epoch._move(view, worker.redis.server_id or "")  # noqa: SLF001 - a step, without its wait
        view = await worker.epoch.look()
    return view.epoch


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
    connection = await app_postgres.connect(database.settings, "database-master")
    await connection.execute(
        "insert into vanta.tenant (tenant_id, name) values ($1, $2)", tenant, f"t-{tenant.hex}"
    )
    await connection.execute("insert into vanta.tenant_head (tenant_id) values ($1)", tenant)
    await connection.close()
    return Name(tenant, "agents", "planner/7")


def document(revision: int, value: bytes = b"1") -> Document:
    return Document(revision=revision, digest=digest(value), value=value, expires_ms=None)


async def cached(worker: Worker, name: Name) -> int | None:
    """The revision in the cache."""
    epoch = worker.epoch.markable
    assert epoch
    found = await worker.cache.get(epoch, name)
    return found.revision if found else None


async def leased(worker: Worker, epoch: UUID, name: Name) -> tuple[Leases, str]:
    """A lease on a document that is not in the cache, with the key of its entry."""
    leases = await worker.cache.lease(epoch, [name])
    (key,) = leases.keys
    assert key
    return leases, key


async def hidden(worker: Worker, epoch: UUID, name: Name) -> bool:
    """Whether a reader gets neither the document nor a lease on it."""
    leases = await worker.cache.lease(epoch, [name])
    return await worker.cache.get(epoch, name) is None and leases.keys == [None]


async def test_a_write_is_read_from_the_cache_by_all(one: Worker, other: Worker, name: Name) -> None:
    await one.put(name, "1")
    assert await cached(other, name) == 1
    assert await other.read(name) == b"1"


async def test_a_reader_that_fetched_before_a_write_cannot_fill_the_cache_after_it(
    one: Worker, other: Worker, name: Name
) -> None:
    await one.store.write([put(name, "1")], one.epoch.markable)
    leases, _ = await leased(one, await open_epoch(one), name)
    old = await one.store.read([name])
    assert old[0]
    await other.put(name, "2")
    await one.cache.fill(leases, old, one.epoch.now_ms())
    assert await cached(one, name) == 2


async def test_nor_after_a_transaction_that_changed_the_document_among_others(
    one: Worker, other: Worker, name: Name
) -> None:
    names = [name, Name(name.tenant, "agents", "planner/8")]
    await one.store.write([put(each, "1") for each in names], one.epoch.markable)
    epoch = await open_epoch(one)
    leases = await one.cache.lease(epoch, names)
    assert None not in leases.keys
    before = await one.store.read(names)
    assert None not in before
    await other.documents.transact([put(each, "2") for each in names])
    await one.cache.fill(leases, before, one.epoch.now_ms())
    for each in names:
        (now,) = await one.store.read([each])
        assert now
        assert await cached(one, each) == now.revision
        assert await one.read(each) == b"2"


async def test_an_answer_given_again_puts_nothing_old_into_the_cache(
    one: Worker, other: Worker, name: Name
) -> None:
    once = Once(key="k", fingerprint="f")
    await one.documents.transact([put(name, "1")], once)
    await other.put(name, "2")
    assert (await one.documents.transact([put(name, "1")], once)).replayed
    assert await one.read(name) == b"2"
    assert await other.read(name) == b"2"


async def test_a_transaction_whose_answer_was_lost_is_answered_when_it_is_sent_again(
    one: Worker, name: Name, monkeypatch: pytest.MonkeyPatch
) -> None:
    once = Once(key="k", fingerprint="f")
    commit = one.store.transact

    async def committed_but_cut_off(*arguments: Any) -> Any:
        await commit(*arguments)
        raise ConnectionResetError

    with monkeypatch.context() as patched:
        patched.setattr(one.store, "transact", committed_but_cut_off)
        with pytest.raises(ConnectionResetError):
            await one.documents.transact([put(name, "1")], once)
    assert await one.read(name) == b"1"
    again = await one.documents.transact([put(name, "1")], once)
    assert (again.replayed, again.written[0].outcome) == (True, "created")
    assert await one.read(name) == b"1"


@pytest.mark.parametrize("epoch", [None, uuid4()])
async def test_a_transaction_not_marked_in_the_open_epoch_is_refused(
    one: Worker, name: Name, epoch: UUID | None
) -> None:
    with pytest.raises(EpochMovedError):
        await one.store.transact([put(name, "1")], epoch, None)
    assert await one.read(name) is None


async def test_nor_while_the_write_is_under_way(one: Worker, other: Worker, name: Name) -> None:
    epoch = await open_epoch(one)
    leases, _ = await leased(one, epoch, name)
    await other.cache.mark(epoch, [name])
    await one.cache.fill(leases, [document(1)], 0)
    assert await hidden(one, epoch, name)


async def test_of_documents_read_together_only_those_that_a_write_has_crossed_are_left_out(
    one: Worker, other: Worker, name: Name
) -> None:
    names = [Name(name.tenant, "agents", f"planner/{number}") for number in range(4)]
    await one.store.write([put(each, "1") for each in names[:3]], one.epoch.markable)
    epoch = await open_epoch(one)
    await other.cache.mark(epoch, [names[0]])
    leases = await one.cache.lease(epoch, names)
    assert [key is not None for key in leases.keys] == [False, True, True, True]
    before = await one.store.read(names)
    await other.cache.mark(epoch, [names[1]])
    await one.cache.fill(leases, before, one.epoch.now_ms())
    assert before[2]
    assert [await cached(one, each) for each in names] == [None, None, before[2].revision, None]


async def test_documents_read_together_are_in_the_cache_afterwards(
    one: Worker, other: Worker, name: Name
) -> None:
    names = [Name(name.tenant, "agents", f"planner/{number}") for number in range(8)]
    await one.store.write([put(each, "1") for each in names], one.epoch.markable)
    await open_epoch(one)
    assert await asyncio.gather(*(one.read(each) for each in names)) == [b"1"] * 8
    for each in names:
        await until(lambda each=each: cached(other, each))


async def test_nor_when_what_the_write_left_in_the_cache_was_evicted(
    one: Worker, other: Worker, name: Name
) -> None:
    epoch = await open_epoch(one)
    leases, key = await leased(one, epoch, name)
    await other.put(name, "2")
    await one.redis.send("DEL", key)
    await one.cache.fill(leases, [document(1)], 0)
    assert await cached(one, name) is None


async def test_a_write_under_way_hides_what_was_cached_and_nobody_fills(
    one: Worker, other: Worker, name: Name
) -> None:
    await one.put(name, "1")
    await one.cache.mark(await open_epoch(one), [name])
    for worker in (one, other):
        assert await hidden(worker, await open_epoch(worker), name)
        assert await worker.read(name) == b"1"


@pytest.mark.parametrize("order", ["as committed", "the other way round"])
async def test_two_writes_at_once_never_leave_the_older_one(
    one: Worker, other: Worker, name: Name, order: str
) -> None:
    epoch = await open_epoch(one)
    older, newer = await one.cache.mark(epoch, [name]), await other.cache.mark(epoch, [name])
    releases = [(one, older, 5), (other, newer, 6)]
    for worker, marks, revision in releases if order == "as committed" else reversed(releases):
        assert await hidden(worker, epoch, name)
        await worker.cache.release(marks, [document(revision)], [revision], 0)
    assert await cached(one, name) == (6 if order == "as committed" else None)


async def test_a_deletion_that_finishes_first_is_not_undone_by_an_older_put(
    one: Worker, other: Worker, name: Name
) -> None:
    epoch = await open_epoch(one)
    older, deletion = await one.cache.mark(epoch, [name]), await other.cache.mark(epoch, [name])
    await other.cache.release(deletion, [None], [6], 0)
    await one.cache.release(older, [document(5)], [5], 0)
    assert await cached(one, name) is None


async def test_a_write_whose_mark_was_deleted_removes_what_came_in_its_place(
    one: Worker, other: Worker, name: Name
) -> None:
    epoch = await open_epoch(one)
    _, key = await leased(other, epoch, name)
    marks = await one.cache.mark(epoch, [name])
    await one.redis.send("DEL", key)
    leases, _ = await leased(other, epoch, name)
    await other.cache.fill(leases, [document(1)], 0)
    assert await cached(one, name) == 1
    await one.cache.release(marks, [document(2)], [2], 0)
    assert await cached(one, name) is None


async def test_a_read_that_crosses_a_write_whose_mark_went_with_everything_else_cannot_fill(
    one: Worker, other: Worker, name: Name
) -> None:
    await one.put(name, "1")
    epoch = await open_epoch(one)
    await one.cache.mark(epoch, [name])
    await one.redis.send("FLUSHALL")
    leases, _ = await leased(other, epoch, name)
    old = await other.store.read([name])
    assert old[0]
    await one.store.write([put(name, "2")], epoch)
    assert await other.read(name) == b"2"
    with pytest.raises(hiredis.ReplyError):
        await other.cache.fill(leases, old, 0)
    assert await other.read(name) == b"2"


async def test_nothing_is_marked_in_a_redis_that_was_emptied_until_it_is_known_as_another(
    one: Worker, name: Name
) -> None:
    epoch, before = await open_epoch(one), one.redis.server_id
    await one.redis.send("FLUSHALL")
    with pytest.raises(hiredis.ReplyError):
        await one.cache.mark(epoch, [name])
    await until(lambda: one.redis.server_id not in {None, before})
    assert one.epoch.markable is None


async def test_no_policy_evicts_a_mark_because_it_has_no_expiry(one: Worker, name: Name) -> None:
    epoch = await open_epoch(one)
    _, key = await leased(one, epoch, name)
    assert 0 < await one.redis.send("PTTL", key) <= 5_000
    marks = await one.cache.mark(epoch, [name])
    later = await one.cache.mark(epoch, [name])
    assert await one.redis.send("PTTL", key) == -1
    await one.cache.release(marks, [None], [None], 0)
    assert await one.redis.send("PTTL", key) == -1
    await one.cache.release(later, [None], [None], 0)
    assert not await one.redis.send("EXISTS", key)
    assert not await one.redis.send("ZCARD", "vanta:writes")


async def test_the_marks_of_a_dead_writer_are_removed_by_the_next_and_those_of_others_stay(
    one: Worker, name: Name, monkeypatch: pytest.MonkeyPatch
) -> None:
    epoch = await open_epoch(one)
    shared, alone = Name(name.tenant, "agents", "shared"), Name(name.tenant, "agents", "alone")
    _, key = await leased(one, epoch, alone)
    with monkeypatch.context() as patch:
        patch.setattr(caches, "MARK_MILLISECONDS", 0)
        await one.cache.mark(epoch, [shared, alone])
    living = await one.cache.mark(epoch, [shared])
    assert not await one.redis.send("EXISTS", key)
    assert await hidden(one, epoch, shared)
    await one.cache.release(living, [document(5)], [5], 0)
    assert await cached(one, shared) == 5


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


async def test_a_cached_document_ends_with_its_time_to_live(one: Worker, name: Name) -> None:
    epoch = await open_epoch(one)
    write = Write(name=name, value="1", digest="0" * 16, ttl=30, condition="none")
    await one.documents.write(write)
    found = await one.cache.get(epoch, name)
    assert found
    assert found.expires_ms
    key = (await one.redis.send("KEYS", f"*{name.tenant.hex}*"))[0]
    assert 0 < await one.redis.send("PTTL", key) <= 30_000


@pytest.mark.parametrize("epoch", [None, uuid4()])
async def test_a_write_not_marked_in_the_open_epoch_is_refused(
    one: Worker, name: Name, epoch: UUID | None
) -> None:
    with pytest.raises(EpochMovedError):
        await one.store.write([put(name, "1")], epoch)
    assert await one.read(name) is None


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


async def test_a_write_whose_outcome_is_unknown_leaves_its_mark(
    one: Worker, other: Worker, name: Name, monkeypatch: pytest.MonkeyPatch
) -> None:
    await one.put(name, "1")
    commit = one.store.write

    async def committed_but_cut_off(*arguments: Any) -> Any:
        await commit(*arguments)
        raise ConnectionResetError

    monkeypatch.setattr(one.store, "write", committed_but_cut_off)
    with pytest.raises(ConnectionResetError):
        await one.put(name, "2")
    assert await hidden(other, await open_epoch(other), name)
    assert await other.read(name) == b"2"


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
