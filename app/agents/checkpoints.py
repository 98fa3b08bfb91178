"""Checkpoints in PostgreSQL: the functions of agents.sql and agent_reads.sql."""

from collections.abc import Sequence

import asyncpg
import msgspec

from app.agents.checkpoint import Checkpoint, NewCheckpoint, NewWrite, Page, Part, Thread, Write

#: Bytes of one page of checkpoints, before they are encoded; a page has one checkpoint at least.
PAGE_BYTES = 8 * 1024 * 1024

_PUT = """select vanta.put_checkpoint(
    $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21)"""
_PUT_WRITES = "select vanta.put_checkpoint_writes($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)"
_READ = "select * from vanta.read_checkpoints($1, $2, $3, $4, $5, $6, $7, $8, $9)"


class QuotaExceededError(Exception):
    """The tenant's limit of bytes would be exceeded; nothing was written."""


class UnknownTenantError(Exception):
    """The tenant has been erased."""


class ChannelMissingError(Exception):
    """The parent does not have ``channels`` in the versions given; nothing was written."""

    def __init__(self, channels: list[str]) -> None:
        super().__init__()
        self.channels = channels


class Checkpoints:
    """Reads and writes through one pool; raises what asyncpg raises when the database cannot be used.

    A write is durable, its event included, when its call returns.
    """

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool

    async def put(self, thread: Thread, new: NewCheckpoint, traceparent: str | None) -> bool:
        """Put ``new``, and prune what its agent does not keep; whether it is new.

        Raises :class:`ChannelMissingError`, :class:`QuotaExceededError` and :class:`UnknownTenantError`.
        """
        parts: dict[bytes, tuple[int, Part]] = {}
        place_channels: list[int] = []
        place_parts: list[int] = []
        for number, channel in enumerate(new.channels.values(), 1):
            for part in channel.parts or ():
                place_channels.append(number)
                place_parts.append(parts.setdefault(part.digest, (len(parts) + 1, part))[0])
        try:
            return await self._pool.fetchval(
                _PUT,
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
        except asyncpg.PostgresError as error:
            raise refusal(error) from None

    async def put_writes(
        self,
        thread: Thread,
        *,
        namespace: str,
        checkpoint: str,
        task: str,
        path: str,
        replace: bool,
        writes: Sequence[NewWrite],
        traceparent: str | None,
    ) -> None:
        """Put ``writes``, no two of one index; those of this task and index that are there stay, unless ``replace``.

        Raises :class:`QuotaExceededError` and :class:`UnknownTenantError`.
        """
        try:
            await self._pool.execute(
                _PUT_WRITES,
                thread.tenant,
                thread.agent,
                thread.thread,
                namespace,
                checkpoint,
                task,
                path,
                replace,
                [write.index for write in writes],
                [write.channel for write in writes],
                [write.type for write in writes],
                [write.data for write in writes],
                traceparent,
            )
        except asyncpg.PostgresError as error:
            raise refusal(error) from None

    async def read(
        self,
        thread: Thread,
        namespace: str,
        *,
        checkpoint: str | None = None,
        before: str | None = None,
        members: str | None = None,
        limit: int = 1,
    ) -> Page:
        """The newest checkpoints of ``namespace``: the one called ``checkpoint``, or those before ``before``, None for all.

        ``members`` is the text of a JSON object: only checkpoints whose metadata has all of its members.
        """
        rows = await self._pool.fetch(
            _READ,
            thread.tenant,
            thread.agent,
            thread.thread,
            namespace,
            checkpoint,
            before,
            members,
            limit,
            PAGE_BYTES,
        )
        checkpoints: dict[str, Checkpoint] = {}
        parts: dict[int, Part] = {}
        more = False
        for row in rows:
            match row["kind"]:
                case "checkpoint":
                    more = row["more"]
                    checkpoints[row["checkpoint"]] = Checkpoint(
                        checkpoint=row["checkpoint"],
                        parent=row["parent"],
                        type=row["type"],
                        data=row["data"],
                        metadata=row["metadata"],
                        channels=row["channels"],
                        writes=[],
                    )
                case "write":
                    checkpoints[row["checkpoint"]].writes.append(
                        Write(
                            task=row["task"],
                            index=row["no"],
                            channel=row["channel"],
                            type=row["type"],
                            data=row["data"],
                        )
                    )
                case _:
                    parts[row["no"]] = Part(type=row["type"], data=row["data"])
        return Page(checkpoints=list(checkpoints.values()), parts=parts, more=more)


def refusal(error: asyncpg.PostgresError) -> Exception:
    """What ``error`` says of the request, or ``error`` itself."""
    if isinstance(error, asyncpg.ForeignKeyViolationError):
        return UnknownTenantError()
    match getattr(error, "sqlstate", None):
        case "VA002":
            return QuotaExceededError()
        case "VA071":
            return ChannelMissingError(msgspec.json.decode(getattr(error, "detail", "[]"), type=list[str]))
        case _:
            return error
