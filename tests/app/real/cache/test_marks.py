"""No stale read after an acknowledged write: a document is hidden while it is written, by however many."""

from typing import Any

import hiredis
import pytest

from app.state import cache as caches
from app.state.document import Name

from .workers import Worker, cached, document, hidden, leased, open_epoch, until


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
