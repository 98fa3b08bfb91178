"""No stale read after an acknowledged write: who read before a write puts nothing old into the cache after it."""

import asyncio
from typing import Any

import hiredis
import pytest

from app.state.document import Name, Once, Write

from .workers import Worker, cached, document, hidden, leased, open_epoch, put, until


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


async def test_nor_while_the_write_is_under_way(one: Worker, other: Worker, name: Name) -> None:
    epoch = await open_epoch(one)
    leases, _ = await leased(one, epoch, name)
    await other.cache.mark(epoch, [name])
    await one.cache.fill(leases, [document(1)], 0)
    assert await hidden(one, epoch, name)


async def test_nor_when_what_the_write_left_in_the_cache_was_evicted(
    one: Worker, other: Worker, name: Name
) -> None:
    epoch = await open_epoch(one)
    leases, key = await leased(one, epoch, name)
    await other.put(name, "2")
    await one.redis.send("DEL", key)
    await one.cache.fill(leases, [document(1)], 0)
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


async def test_a_cached_document_ends_with_its_time_to_live(one: Worker, name: Name) -> None:
    epoch = await open_epoch(one)
    write = Write(name=name, value="1", digest="0" * 16, ttl=30, condition="none")
    await one.documents.write(write)
    found = await one.cache.get(epoch, name)
    assert found
    assert found.expires_ms
    key = (await one.redis.send("KEYS", f"*{name.tenant.hex}*"))[0]
    assert 0 < await one.redis.send("PTTL", key) <= 30_000
