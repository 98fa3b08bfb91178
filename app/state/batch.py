"""Micro-batching: whatever waits at one moment goes to the database as one statement."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Hashable, Sequence
from typing import Any, Generic, TypeVar
from weakref import WeakSet

from app import metrics

Item = TypeVar("Item")
Result = TypeVar("Result")

# Those of a kind are one series.
_BATCHERS: dict[str, WeakSet["Batcher[Any, Any]"]] = {}


class Batcher(Generic[Item, Result]):
    """Runs ``run`` over lists of up to ``limit`` items, at most ``lanes`` at a time.

    Nothing waits for a batch to fill: it leaves as soon as a lane is free, so batches grow only with the load. No two
    items with the same ``identity`` are in one batch. ``run`` returns a result, or the exception to raise, per item.
    """

    def __init__(
        self,
        kind: str,
        run: Callable[[Sequence[Item]], Awaitable[Sequence[Result | Exception]]],
        *,
        identity: Callable[[Item], Hashable],
        lanes: int,
        limit: int,
    ) -> None:
        self._run = run
        self._identity = identity
        self._limit = limit
        self._free = lanes
        self._waiting: deque[tuple[Item, asyncio.Future[Result]]] = deque()
        self._tasks: set[asyncio.Task[None]] = set()
        self._size = metrics.BATCH_SIZE.labels(kind)
        # Asked when metrics are, so that no operation pays for it.
        batchers = _BATCHERS.setdefault(kind, WeakSet())
        batchers.add(self)
        metrics.BATCH_WAITING.labels(kind).set_function(
            lambda: sum(len(batcher._waiting) for batcher in batchers)  # noqa: SLF001 - of this class
        )

    def submit(self, item: Item) -> asyncio.Future[Result]:
        """Queue ``item``; the future holds its own result."""
        future = asyncio.get_running_loop().create_future()
        self._waiting.append((item, future))
        if self._free:
            self._free -= 1
            task = asyncio.create_task(self._lane())
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        return future

    async def _lane(self) -> None:
        try:
            while batch := self._take():
                self._size.observe(len(batch))
                results: Sequence[Result | Exception]
                try:
                    results = await self._run([item for item, _ in batch])
                except Exception as error:  # noqa: BLE001 - whatever it is belongs to those who wait
                    results = [error] * len(batch)
                for (_, future), result in zip(batch, results, strict=True):
                    # A caller may have given up meanwhile.
                    if future.done():
                        continue
                    if isinstance(result, Exception):
                        future.set_exception(result)
                    else:
                        future.set_result(result)
        finally:
            self._free += 1

    def _take(self) -> list[tuple[Item, asyncio.Future[Result]]]:
        batch: list[tuple[Item, asyncio.Future[Result]]] = []
        seen: set[Hashable] = set()
        later: list[tuple[Item, asyncio.Future[Result]]] = []
        while self._waiting and len(batch) < self._limit:
            entry = self._waiting.popleft()
            identity = self._identity(entry[0])
            if identity in seen:
                later.append(entry)
            else:
                seen.add(identity)
                batch.append(entry)
        self._waiting.extendleft(reversed(later))
        return batch
