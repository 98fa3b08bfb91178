"""Micro-batching."""

import asyncio
from collections.abc import Sequence

import pytest

from app.state.batch import STUCK_SECONDS, Batcher


class Database:
    """Records its batches; each waits until let go."""

    def __init__(self) -> None:
        self.batches: list[list[str]] = []
        self.gate = asyncio.Event()

    async def run(self, items: Sequence[str]) -> list[str | Exception]:
        self.batches.append(list(items))
        await self.gate.wait()
        return [ValueError(item) if item == "bad" else item.upper() for item in items]

    def batcher(self, lanes: int = 1, limit: int = 100) -> Batcher[str, str]:
        return Batcher("test", self.run, identity=lambda item: item, lanes=lanes, limit=limit)


async def _turn() -> None:
    for _ in range(3):
        await asyncio.sleep(0)


async def test_what_waits_while_a_batch_is_under_way_leaves_as_one() -> None:
    database = Database()
    batcher = database.batcher()
    first = batcher.submit("a")
    await _turn()
    rest = [batcher.submit(item) for item in "bcd"]
    await _turn()
    assert database.batches == [["a"]]
    database.gate.set()
    assert await asyncio.gather(first, *rest) == ["A", "B", "C", "D"]
    assert database.batches == [["a"], ["b", "c", "d"]]


async def test_one_bad_item_fails_alone() -> None:
    database = Database()
    database.gate.set()
    batcher = database.batcher()
    good, bad, other = (batcher.submit(item) for item in ("a", "bad", "c"))
    with pytest.raises(ValueError, match="bad"):
        await bad
    assert (await good, await other) == ("A", "C")
    assert len(database.batches) == 1


async def test_two_operations_on_one_identity_never_share_a_batch_and_keep_their_order() -> None:
    database = Database()
    database.gate.set()
    batcher = database.batcher()
    await asyncio.gather(*(batcher.submit(item) for item in ("x", "x", "y", "x")))
    assert database.batches == [["x", "y"], ["x"], ["x"]]


async def test_a_batch_has_a_limit_and_lanes_run_side_by_side() -> None:
    database = Database()
    batcher = database.batcher(lanes=2, limit=2)
    futures = [batcher.submit(item) for item in "abcdef"]
    await _turn()
    assert database.batches == [["a", "b"], ["c", "d"]]
    database.gate.set()
    await asyncio.gather(*futures)
    assert [item for batch in database.batches for item in batch] == list("abcdef")


async def test_a_batch_leaves_beside_another_only_when_it_is_worth_one() -> None:
    database = Database()
    batcher = database.batcher(lanes=2, limit=12)
    futures = [batcher.submit("a")]
    await _turn()
    futures += [batcher.submit(item) for item in "bc"]
    await _turn()
    assert database.batches == [["a"]]
    futures += [batcher.submit(item) for item in "de"]
    await _turn()
    assert database.batches == [["a"], ["b", "c", "d", "e"]]
    database.gate.set()
    await asyncio.gather(*futures)


async def test_nothing_waits_for_a_batch_that_is_stuck() -> None:
    database = Database()
    batcher = database.batcher(lanes=2)
    stuck = batcher.submit("a")
    await _turn()
    loop = asyncio.get_running_loop()
    left = loop.time()
    while loop.time() <= left + STUCK_SECONDS:  # noqa: ASYNC110 - the clock sets no event
        await asyncio.sleep(STUCK_SECONDS / 10)
    late = batcher.submit("b")
    await _turn()
    assert database.batches == [["a"], ["b"]]
    database.gate.set()
    assert await asyncio.gather(stuck, late) == ["A", "B"]


async def test_a_failed_batch_fails_all_its_items_and_the_next_one_works() -> None:
    calls = 0

    async def run(items: Sequence[str]) -> Sequence[str]:
        nonlocal calls
        calls += 1
        if calls == 1:
            raise ConnectionError
        return items

    batcher = Batcher[str, str]("test", run, identity=lambda item: item, lanes=1, limit=10)
    results = await asyncio.gather(batcher.submit("a"), batcher.submit("b"), return_exceptions=True)
    assert [type(result) for result in results] == [ConnectionError, ConnectionError]
    assert await batcher.submit("c") == "c"


async def test_a_caller_that_gave_up_harms_nobody() -> None:
    database = Database()
    batcher = database.batcher()
    gone, stayed = batcher.submit("a"), batcher.submit("b")
    await _turn()
    gone.cancel()
    database.gate.set()
    assert await stayed == "B"
