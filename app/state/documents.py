"""The documents of all tenants: PostgreSQL holds them, Redis makes reading them quick, and neither is ever behind."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import Any, TypeVar
from uuid import UUID

import structlog

from app import metrics
from app.state.batch import Batcher
from app.state.cache import LOST, Cache, Leases, Marks
from app.state.document import Document, Name, Once, Transacted, Write, Written
from app.state.epoch import Epoch
from app.state.store import EpochMovedError, KeyReusedError, QuotaExceededError, Store

_LANES = 2
_READS_AT_ONCE = 128
_WRITES_AT_ONCE = 128

#: Seconds a batch of writes may take in all; far less than a mark lives, so that no commit outlives its mark.
WRITE_SECONDS = 8.0

Result = TypeVar("Result")

log = structlog.get_logger()


class Documents:
    """Get, put and delete; raises what the database raises when it cannot be reached. Redis is never an error."""

    def __init__(
        self, store: Store, cache: Cache, epoch: Epoch, *, transactions: Store | None = None
    ) -> None:
        self._store = store
        # Through connections of their own, where there are some: batches are few, transactions as many as are sent.
        self._transactions = transactions or store
        self._cache = cache
        self._epoch = epoch
        self._reads = Batcher[Name, Document | None](
            "read", self._read, identity=lambda name: name, lanes=_LANES, limit=_READS_AT_ONCE
        )
        self._writes = Batcher[Write, Written](
            "write", self._write, identity=lambda write: write.name, lanes=_LANES, limit=_WRITES_AT_ONCE
        )
        self._background: set[asyncio.Task[None]] = set()
        hit, miss, bypass = (metrics.CACHE_READS.labels(result) for result in ("hit", "miss", "bypass"))
        self._hit, self._miss, self._bypass = hit.inc, miss.inc, bypass.inc

    async def get(self, name: Name) -> Document | None:
        """The live document, as of the last write that was acknowledged before this call."""
        epoch = self._epoch.trusted
        if epoch is None:
            self._bypass()
            return await self._reads.submit(name)
        try:
            document = await self._cache.get(epoch, name)
        except LOST:
            self._bypass()
            return await self._reads.submit(name)
        if document is None:
            self._miss()
            return await self._reads.submit(name)
        self._hit()
        expired = document.expires_ms is not None and document.expires_ms <= self._epoch.now_ms()
        return None if expired else document

    async def write(self, write: Write) -> Written:
        """Do ``write``; when this returns it is durable and every later :meth:`get` anywhere sees it."""
        return await self._writes.submit(write)

    async def transact(self, writes: Sequence[Write], once: Once | None = None) -> Transacted:
        """Do ``writes`` of one tenant, no two of one document: all of them, or none if one is refused.

        With ``once`` only the first request with its key does anything. Raises what :meth:`Store.transact` raises, of which only
        a moved epoch is dealt with here.
        """
        return await self._marked(
            writes,
            lambda epoch: self._transactions.transact(writes, epoch, once),
            # What was replayed may have been overwritten since: nothing to put into the cache.
            lambda done: [] if done.replayed else done.written,
        )

    async def answered(self, tenant: UUID, once: Once) -> Transacted | None:
        """What a request with this key was answered before, if it was; raises ``KeyReusedError``."""
        return await self._transactions.answered(tenant, once)

    async def _read(self, names: Sequence[Name]) -> Sequence[Document | None]:
        leases = await self._lease(names)
        documents = await self._store.read(names)
        if leases is not None:
            # Nobody waits for it.
            self._later(self._cache.fill(leases, documents, self._epoch.now_ms()))
        return documents

    async def _lease(self, names: Sequence[Name]) -> Leases | None:
        epoch = self._epoch.trusted
        if epoch is None:
            return None
        try:
            return await self._cache.lease(epoch, names)
        except LOST:
            return None

    async def _write(self, writes: Sequence[Write]) -> Sequence[Written | Exception]:
        return await self._marked(
            writes, lambda epoch: self._store.write(writes, epoch), lambda results: results
        )

    async def _marked(
        self,
        writes: Sequence[Write],
        commit: Callable[[UUID | None], Awaitable[Result]],
        results_of: Callable[[Result], Sequence[Written | Exception]],
    ) -> Result:
        """What ``commit`` returns, given the epoch under which ``writes`` are marked in the cache meanwhile."""
        names = [write.name for write in writes]
        async with asyncio.timeout(WRITE_SECONDS):
            while True:
                tried = self._epoch.markable
                marks = await self._mark(names)
                try:
                    result = await commit(marks.epoch if marks else None)
                except EpochMovedError:
                    await self._epoch.look()
                    # Not by who has only now seen it open again: under load that would close it each time.
                    if marks is None and (tried is not None or self._epoch.markable is None):
                        await self._epoch.close()
                except (QuotaExceededError, KeyReusedError):
                    if marks:
                        await self._release(marks, writes, [])
                    raise
                else:
                    break
        if marks:
            await self._release(marks, writes, results_of(result))
        return result

    async def _mark(self, names: Sequence[Name]) -> Marks | None:
        epoch: UUID | None = self._epoch.markable
        if epoch is None:
            return None
        try:
            return await self._cache.mark(epoch, names)
        except LOST:
            return None

    async def _release(
        self, marks: Marks, writes: Sequence[Write], results: Sequence[Written | Exception]
    ) -> None:
        documents: list[Document | None] = []
        revisions: list[int | None] = []
        for write, result in zip(writes, results or [None] * len(writes), strict=True):
            revision = result.revision if isinstance(result, Written) else None
            revisions.append(revision)
            documents.append(
                Document(
                    revision=revision,
                    digest=write.digest,
                    value=write.value.encode(),
                    expires_ms=result.expires_ms,
                )
                if revision is not None
                and write.value is not None
                and write.digest
                and isinstance(result, Written)
                else None
            )
        try:
            await self._cache.release(marks, documents, revisions, self._epoch.now_ms())
        except LOST:
            # A mark may have been evicted and an old entry put in its place: nobody may trust what is there.
            await self._epoch.close()

    def _later(self, work: Coroutine[Any, Any, None]) -> None:
        async def quietly() -> None:
            try:
                await work
            except LOST:
                log.debug("cache.fill_lost")

        task = asyncio.create_task(quietly())
        self._background.add(task)
        task.add_done_callback(self._background.discard)
