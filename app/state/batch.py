"""Micro-batching: whatever waits at one moment goes to the database as one statement."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Hashable, Sequence
from typing import Any, Generic, TypeVar
from weakref import WeakSet

from app import metrics

#: Seconds after which what comes no longer waits for the batch before it, which may itself wait for a lock.
STUCK_SECONDS = 0.02

Item = TypeVar("Item")
Result = TypeVar("Result")

# Those of a kind are one series.
_BATCHERS: dict[str, WeakSet["Batcher[Any, Any]"]] = {}


class Batcher(Generic[Item, Result]):
    """Runs ``run`` over lists of up to ``limit`` items, at most ``lanes`` at a time.

    Nothing waits for a batch to fill: it leaves as soon as the one before it is done, so batches grow only with the load. One
    leaves beside it only when a quarter of ``limit`` waits, for a batch costs what many items do, or when it is stuck. No two
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
        self._lanes = lanes
        # When each batch that is under way left, by the loop's clock.
        self._under_way: list[float] = []
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
        loop = asyncio.get_running_loop()
        future = loop.create_future()
        self._waiting.append((item, future))
        if len(self._under_way) < self._lanes and self._due(now := loop.time()):
            self._under_way.append(now)
            task = asyncio.create_task(self._lane(now))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        return future

    def _due(self, now: float) -> bool:
        return (
            not self._under_way
            or len(self._waiting) >= self._limit // 4
            or now > min(self._under_way) + STUCK_SECONDS
        )

    async def _lane(self, left: float) -> None:
        while True:
            try:
                await self._leave(self._take())
            finally:
                self._under_way.remove(left)
            left = asyncio.get_running_loop().time()
            if not self._waiting or not self._due(left):
                return
            self._under_way.append(left)

    async def _leave(self, batch: Sequence[tuple[Item, asyncio.Future[Result]]]) -> None:
        if not batch:
            return
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
