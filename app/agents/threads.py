"""Threads of an agent: which there are, copying and deleting them, and how much of them is kept."""

from collections.abc import Sequence
from datetime import date
from typing import Literal
from uuid import UUID

import asyncpg
import msgspec

from app.agents.checkpoint import Thread
from app.agents.errors import refusal


class Listed(msgspec.Struct, frozen=True, kw_only=True):
    """A thread; ``bytes`` are those of all its checkpoints, parts and writes."""

    thread: str
    bytes: int
    written_on: date


class Namespace(msgspec.Struct, frozen=True, kw_only=True):
    """A namespace of a thread."""

    namespace: str
    checkpoints: int
    newest: str


class Contents(msgspec.Struct, frozen=True, kw_only=True):
    """What a thread has."""

    bytes: int
    written_on: date
    namespaces: list[Namespace]


class Retention(msgspec.Struct, frozen=True, kw_only=True):
    """How much is kept: the newest checkpoints of each namespace of a thread; threads for so many days after the last write."""

    keep_checkpoints: int
    keep_days: int | None


class Agent(msgspec.Struct, frozen=True, kw_only=True):
    """An agent that has a state, or threads."""

    agent: str
    has_state: bool
    has_threads: bool


class Threads:
    """Reads and writes through one pool; raises what asyncpg raises when the database cannot be used."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool

    async def agents(self, tenant: UUID, *, after: str, limit: int) -> list[Agent]:
        """The agents of ``tenant`` named after ``after``, in order."""
        rows = await self._pool.fetch("select * from vanta.list_agents($1, $2, $3)", tenant, after, limit)
        return [Agent(agent=agent, has_state=state, has_threads=threads) for agent, state, threads in rows]

    async def page(self, tenant: UUID, agent: str, *, after: str, limit: int) -> list[Listed]:
        """The threads of ``agent`` named after ``after``, in order."""
        rows = await self._pool.fetch(
            "select * from vanta.list_threads($1, $2, $3, $4)", tenant, agent, after, limit
        )
        return [Listed(thread=thread, bytes=size, written_on=day) for thread, size, day in rows]

    async def get(self, thread: Thread) -> Contents | None:
        """What is in ``thread``, None if it is not there."""
        rows = await self._pool.fetch(
            "select * from vanta.read_thread($1, $2, $3)", thread.tenant, thread.agent, thread.thread
        )
        if not rows:
            return None
        return Contents(
            bytes=rows[0]["bytes"],
            written_on=rows[0]["written_on"],
            namespaces=[
                Namespace(namespace=row["namespace"], checkpoints=row["checkpoints"], newest=row["newest"])
                for row in rows
                if row["namespace"] is not None
            ],
        )

    async def copy(
        self, thread: Thread, target: str, traceparent: str | None
    ) -> Literal["copied", "not_found", "exists"]:
        """Copy everything of ``thread`` to ``target`` of the same agent; raises ``QuotaExceededError``."""
        try:
            return await self._pool.fetchval(
                "select vanta.copy_thread($1, $2, $3, $4, $5)",
                thread.tenant,
                thread.agent,
                thread.thread,
                target,
                traceparent,
            )
        except asyncpg.PostgresError as error:
            raise refusal(error) from None

    async def delete(self, tenant: UUID, agent: str, threads: Sequence[str], traceparent: str | None) -> int:
        """Delete everything of ``threads``; how many of them there were."""
        return await self._pool.fetchval(
            "select vanta.delete_threads($1, $2, $3, null, $4)", tenant, agent, threads, traceparent
        )

    async def prune(
        self, tenant: UUID, agent: str, threads: Sequence[str], keep: int, traceparent: str | None
    ) -> int:
        """Keep the newest ``keep`` checkpoints of each namespace of ``threads``; how many checkpoints went."""
        return await self._pool.fetchval(
            "select vanta.prune_threads($1, $2, $3, $4, $5)", tenant, agent, threads, keep, traceparent
        )

    async def delete_runs(
        self, tenant: UUID, agent: str, runs: Sequence[str], traceparent: str | None
    ) -> int:
        """Delete the checkpoints of ``runs`` in all threads of ``agent``; how many went."""
        return await self._pool.fetchval(
            "select vanta.delete_runs($1, $2, $3, $4)", tenant, agent, runs, traceparent
        )

    async def retention(self, tenant: UUID, agent: str) -> Retention:
        """How much is kept of the threads of ``agent``."""
        row = await self._pool.fetchrow("select * from vanta.read_agent_retention($1, $2)", tenant, agent)
        return Retention(keep_checkpoints=row["keep_checkpoints"], keep_days=row["keep_days"])

    async def put_retention(
        self, tenant: UUID, agent: str, retention: Retention, traceparent: str | None
    ) -> None:
        """Set how much is kept, for every write from now on and for the next sweep; raises ``UnknownTenantError``."""
        try:
            await self._pool.execute(
                "select vanta.put_agent_retention($1, $2, $3, $4, $5)",
                tenant,
                agent,
                retention.keep_checkpoints,
                retention.keep_days,
                traceparent,
            )
        except asyncpg.PostgresError as error:
            raise refusal(error) from None
