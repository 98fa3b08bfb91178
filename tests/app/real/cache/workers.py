"""What one process is made of, step by step, and what is in the cache."""

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager, nullcontext
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from app.db import postgres as app_postgres
from app.db.redis import Redis
from app.state.cache import Cache, Leases
from app.state.document import Document, Name, Write, Written, digest
from app.state.documents import Documents
from app.state.epoch import Epoch
from app.state.store import Store
from tests.app.real.conftest import Database
from tests.app.real.connection import connected


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


def document(revision: int, value: bytes = b"1") -> Document:
    return Document(revision=revision, digest=digest(value), value=value, expires_ms=None)


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
    settings = database.settings
    async with (
        await app_postgres.pool(settings, 4) as pool,
        connected(settings) if with_redis else nullcontext(Redis(settings)) as redis,
    ):
        epoch, cache, store = Epoch(pool, lambda: redis.server_id), Cache(redis), Store(pool)
        yield Worker(
            redis=redis, epoch=epoch, cache=cache, store=store, documents=Documents(store, cache, epoch)
        )


async def open_epoch(worker: Worker) -> UUID:
    """Open the cache for the Redis all workers here share; the tests of this room leave it in any state."""
    view = await worker.epoch.look()
    while view.state != "open" or view.cache_id != worker.redis.server_id:
        await worker.epoch._move(view, worker.redis.server_id or "")  # noqa: SLF001 - a step, without its wait
        view = await worker.epoch.look()
    return view.epoch


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
