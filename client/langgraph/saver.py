"""The checkpointer: LangGraph's methods, plain and ``async``.

Source: LangGraph, "Persistence"; ``BaseCheckpointSaver`` of langgraph-checkpoint 4.
"""

from collections.abc import AsyncIterator, Iterator, Sequence
from typing import Any

import httpx
from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import (
    BaseCheckpointSaver,
    ChannelVersions,
    Checkpoint,
    CheckpointMetadata,
    CheckpointTuple,
)
from langgraph.checkpoint.serde.base import SerializerProtocol

from client.flow import answered
from client.langgraph import listing, operations
from client.langgraph.connections import Connections
from client.langgraph.wire import Operation, Request, Result


class VantaSaver(BaseCheckpointSaver[int]):
    """Checkpoints of ``agent`` through the API at ``url``, with an API key that may read and write there.

    How many checkpoints are kept is the agent's to say (``PUT /v1/agents/{agent}/retention``), 100 of each namespace otherwise.
    Use it as a context manager, plain or ``async``, or :meth:`close` it. It may be used by several threads, and by several loops,
    at once or one after the other; a loop closes its connections when it ends.
    """

    def __init__(self, url: str, key: str, agent: str, *, serde: SerializerProtocol | None = None) -> None:
        super().__init__(serde=serde)
        self._connections = Connections(url, key, agent)

    def __enter__(self) -> "VantaSaver":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    async def __aenter__(self) -> "VantaSaver":
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    def close(self) -> None:
        """Close the connections of the plain methods."""
        self._connections.close()

    async def aclose(self) -> None:
        """Close these, and those of the running loop."""
        await self._connections.aclose()

    # LangGraph's names and arguments from here on; what each promises is said there.

    def get_tuple(self, config: RunnableConfig) -> CheckpointTuple | None:
        """The checkpoint that ``config`` names, or its thread's newest."""
        return self._run(operations.get(self.serde, config))

    async def aget_tuple(self, config: RunnableConfig) -> CheckpointTuple | None:
        """As :meth:`get_tuple`."""
        return await self._arun(operations.get(self.serde, config))

    def list(
        self,
        config: RunnableConfig | None,
        *,
        filter: dict[str, Any] | None = None,  # noqa: A002 - LangGraph's name
        before: RunnableConfig | None = None,
        limit: int | None = None,
    ) -> Iterator[CheckpointTuple]:
        """Checkpoints, newest first, fetched page by page."""
        walk = listing.walk(self.serde, config, filter, before, limit)
        step = next(walk, None)
        while step is not None:
            if isinstance(step, Request):
                step = listing.resume(walk, self._send(step))
            else:
                yield step
                step = next(walk, None)

    async def alist(
        self,
        config: RunnableConfig | None,
        *,
        filter: dict[str, Any] | None = None,  # noqa: A002 - LangGraph's name
        before: RunnableConfig | None = None,
        limit: int | None = None,
    ) -> AsyncIterator[CheckpointTuple]:
        """As :meth:`list`."""
        walk = listing.walk(self.serde, config, filter, before, limit)
        step = next(walk, None)
        while step is not None:
            if isinstance(step, Request):
                step = listing.resume(walk, await self._asend(step))
            else:
                yield step
                step = next(walk, None)

    def put(
        self,
        config: RunnableConfig,
        checkpoint: Checkpoint,
        metadata: CheckpointMetadata,
        new_versions: ChannelVersions,
    ) -> RunnableConfig:
        """Store a checkpoint; of its channels only what is new since its parent is sent."""
        return self._run(operations.put(self.serde, config, checkpoint, metadata, new_versions))

    async def aput(
        self,
        config: RunnableConfig,
        checkpoint: Checkpoint,
        metadata: CheckpointMetadata,
        new_versions: ChannelVersions,
    ) -> RunnableConfig:
        """As :meth:`put`."""
        return await self._arun(operations.put(self.serde, config, checkpoint, metadata, new_versions))

    def put_writes(
        self,
        config: RunnableConfig,
        writes: Sequence[tuple[str, Any]],
        task_id: str,
        task_path: str = "",
    ) -> None:
        """Store what a task wrote, once however often it is repeated."""
        self._run(operations.put_writes(self.serde, config, writes, task_id, task_path))

    async def aput_writes(
        self,
        config: RunnableConfig,
        writes: Sequence[tuple[str, Any]],
        task_id: str,
        task_path: str = "",
    ) -> None:
        """As :meth:`put_writes`."""
        await self._arun(operations.put_writes(self.serde, config, writes, task_id, task_path))

    def delete_thread(self, thread_id: str) -> None:
        """Delete a thread, if it is there."""
        self._run(operations.prune([thread_id], "delete"))

    async def adelete_thread(self, thread_id: str) -> None:
        """As :meth:`delete_thread`."""
        await self._arun(operations.prune([thread_id], "delete"))

    def delete_for_runs(self, run_ids: Sequence[str]) -> None:
        """Delete the checkpoints of runs, in all threads of the agent."""
        self._run(operations.delete_runs(run_ids))

    async def adelete_for_runs(self, run_ids: Sequence[str]) -> None:
        """As :meth:`delete_for_runs`."""
        await self._arun(operations.delete_runs(run_ids))

    def copy_thread(self, source_thread_id: str, target_thread_id: str) -> None:
        """Copy a thread to a name that is free."""
        self._run(operations.copy(source_thread_id, target_thread_id))

    async def acopy_thread(self, source_thread_id: str, target_thread_id: str) -> None:
        """As :meth:`copy_thread`."""
        await self._arun(operations.copy(source_thread_id, target_thread_id))

    def prune(self, thread_ids: Sequence[str], *, strategy: str = "keep_latest") -> None:
        """Keep the newest checkpoint of each namespace, and those it cannot be read without; or nothing."""
        self._run(operations.prune(thread_ids, strategy))

    async def aprune(self, thread_ids: Sequence[str], *, strategy: str = "keep_latest") -> None:
        """As :meth:`prune`."""
        await self._arun(operations.prune(thread_ids, strategy))

    def _run(self, operation: Operation[Result]) -> Result:
        try:
            request = next(operation)
            while True:
                request = operation.send(self._send(request))
        except StopIteration as end:
            return end.value

    async def _arun(self, operation: Operation[Result]) -> Result:
        try:
            request = next(operation)
            while True:
                request = operation.send(await self._asend(request))
        except StopIteration as end:
            return end.value

    def _send(self, request: Request) -> httpx.Response:
        sender = self._connections.sender
        return sender.finish(answered(request.sent(), sender.retries))

    async def _asend(self, request: Request) -> httpx.Response:
        sender = await self._connections.async_sender()
        return await sender.finish(answered(request.sent(), sender.retries))
