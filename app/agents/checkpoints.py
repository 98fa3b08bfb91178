"""Checkpoints in PostgreSQL: the functions of checkpoints.sql and agent_reads.sql."""

import asyncpg

from app.agents.checkpoint import Checkpoint, NewCheckpoint, NewWrites, Page, Part, Thread, Write
from app.agents.puts import Puts

#: Bytes of one page of checkpoints, before they are encoded; a page has one checkpoint at least.
PAGE_BYTES = 8 * 1024 * 1024

_READ = "select * from vanta.read_checkpoints($1, $2, $3, $4, $5, $6, $7, $8, $9)"


class Checkpoints:
    """Reads and writes through one pool; raises what asyncpg raises when the database cannot be used.

    A write is durable, its event included, when its call returns.
    """

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool
        self._puts = Puts(pool)

    async def put(self, thread: Thread, new: NewCheckpoint, traceparent: str | None) -> bool:
        """Put ``new``, and prune what its agent does not keep; whether it is new.

        Raises :class:`ChannelMissingError`, :class:`QuotaExceededError` and :class:`UnknownTenantError`.
        """
        return await self._puts.checkpoint(thread, new, traceparent)

    async def put_writes(self, thread: Thread, new: NewWrites, traceparent: str | None) -> None:
        """Put ``new``; raises :class:`QuotaExceededError` and :class:`UnknownTenantError`."""
        await self._puts.writes(thread, new, traceparent)

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
