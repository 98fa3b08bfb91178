"""What is put of checkpoints, many requests in one transaction: whoever changes a thread holds its tenant until the commit, so one
commit each would be as many as the disk does in a row.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeVar

import asyncpg
import msgspec

from app.agents.checkpoint import NewCheckpoint, NewWrites, Part, Thread
from app.agents.errors import ChannelMissingError, QuotaExceededError, UnknownTenantError, refusal
from app.state.batch import Batcher

_LANES, _AT_ONCE = 2, 32
#: What is larger goes alone, or others would wait for it: a part takes up to 15 microseconds.
_MANY_PARTS, _MANY_BYTES = 256, 256 * 1024

_PUT = "select ord, created, refusal, channels from vanta.put_checkpoints($1::vanta.new_checkpoint[])"
_PUT_WRITES = "select ord, refusal from vanta.put_checkpoint_writes($1::vanta.new_checkpoint_writes[])"
#: What is wrong with one of a batch, and not with the database.
_OF_ONE = (asyncpg.DataError, asyncpg.IntegrityConstraintViolationError)

Result = TypeVar("Result")


class _Put(msgspec.Struct, frozen=True, eq=False):
    """The row of one request."""

    thread: Thread
    row: tuple[Any, ...]

    @property
    def place(self) -> tuple[Any, ...]:
        """Where it stands in a batch: two batches that share threads or tenants lock them in the same order."""
        return self.thread.tenant, self.thread.agent, self.thread.thread


class Puts:
    """Puts through ``pool``."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool
        self._checkpoints = Batcher[_Put, bool](
            "checkpoint", self._put_checkpoints, identity=id, lanes=_LANES, limit=_AT_ONCE
        )
        self._writes = Batcher[_Put, None](
            "checkpoint-writes", self._put_writes, identity=id, lanes=_LANES, limit=_AT_ONCE
        )

    async def checkpoint(self, thread: Thread, new: NewCheckpoint, traceparent: str | None) -> bool:
        """Whether ``new`` was not there; raises what refuses it."""
        put = _Put(thread, _checkpoint_row(thread, new, traceparent))
        parts = [part.data for channel in new.channels.values() for part in channel.parts or ()]
        return await _alone_or_together(put, [new.data, *parts], self._put_checkpoints, self._checkpoints)

    async def writes(self, thread: Thread, new: NewWrites, traceparent: str | None) -> None:
        """Raises what refuses ``new``."""
        put = _Put(thread, _writes_row(thread, new, traceparent))
        await _alone_or_together(put, [write.data for write in new.writes], self._put_writes, self._writes)

    async def _put_checkpoints(self, puts: Sequence[_Put]) -> list[bool | Exception]:
        return await self._put(_PUT, puts, lambda row: row["created"])

    async def _put_writes(self, puts: Sequence[_Put]) -> list[Exception | None]:
        return await self._put(_PUT_WRITES, puts, lambda _: None)

    async def _put(
        self, statement: str, puts: Sequence[_Put], done: Callable[[asyncpg.Record], Result]
    ) -> list[Result | Exception]:
        order = sorted(range(len(puts)), key=lambda index: puts[index].place)
        try:
            rows = await self._pool.fetch(statement, [puts[index].row for index in order])
        except asyncpg.PostgresError as error:
            if len(puts) == 1:
                return [refusal(error)]
            if refusal(error) is error and not isinstance(error, _OF_ONE):
                raise
            # Nothing was put, and each alone is told whether it is the one.
            return [result for put in puts for result in await self._put(statement, [put], done)]
        found = {order[row["ord"] - 1]: _refused(row) or done(row) for row in rows}
        return [found[index] for index in range(len(puts))]


async def _alone_or_together(
    put: _Put,
    pieces: Sequence[bytes],
    alone: Callable[[Sequence[_Put]], Awaitable[list[Result | Exception]]],
    together: Batcher[_Put, Result],
) -> Result:
    if len(pieces) <= _MANY_PARTS and sum(map(len, pieces)) <= _MANY_BYTES:
        return await together.submit(put)
    (result,) = await alone([put])
    if isinstance(result, Exception):
        raise result
    return result


def _refused(row: asyncpg.Record) -> Exception | None:
    match row["refusal"]:
        case "channel_missing":
            return ChannelMissingError(msgspec.json.decode(row["channels"], type=list[str]))
        case "quota_exceeded":
            return QuotaExceededError()
        case "unknown_tenant":
            return UnknownTenantError()
        case _:
            return None


def _checkpoint_row(thread: Thread, new: NewCheckpoint, traceparent: str | None) -> tuple[Any, ...]:
    """The columns of ``vanta.new_checkpoint``."""
    parts: dict[bytes, tuple[int, Part]] = {}
    place_channels: list[int] = []
    place_parts: list[int] = []
    for number, channel in enumerate(new.channels.values(), 1):
        for part in channel.parts or ():
            place_channels.append(number)
            place_parts.append(parts.setdefault(part.digest, (len(parts) + 1, part))[0])
    return (
        thread.tenant,
        thread.agent,
        thread.thread,
        new.namespace,
        new.checkpoint,
        new.parent,
        new.root,
        new.run,
        new.needs_parent,
        new.type,
        new.data,
        new.metadata,
        list(new.channels),
        [channel.version for channel in new.channels.values()],
        [None if channel.parts is None else channel.is_list for channel in new.channels.values()],
        place_channels,
        place_parts,
        list(parts),
        [part.type for _, part in parts.values()],
        [part.data for _, part in parts.values()],
        traceparent,
    )


def _writes_row(thread: Thread, new: NewWrites, traceparent: str | None) -> tuple[Any, ...]:
    """The columns of ``vanta.new_checkpoint_writes``."""
    return (
        thread.tenant,
        thread.agent,
        thread.thread,
        new.namespace,
        new.checkpoint,
        new.task,
        new.path,
        new.replace,
        [write.index for write in new.writes],
        [write.channel for write in new.writes],
        [write.type for write in new.writes],
        [write.data for write in new.writes],
        traceparent,
    )
