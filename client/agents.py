"""Agents: their state, their threads, and the checkpoints in these."""

from collections.abc import Sequence
from datetime import date
from typing import Any

import httpx
import msgspec

from client.call import Call, body, encode, nothing, reads
from client.document import Document, Written, document, written
from client.expect import Expected, Held, said
from client.flow import Page, Pages
from client.room import Room, S, iteration, operation

_AGENT = "/v1/agents/{agent}"
_THREAD = _AGENT + "/threads/{thread}"


class ListedAgent(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """An agent that has a state, threads, or both."""

    agent: str
    has_state: bool
    has_threads: bool


class AgentPage(msgspec.Struct, frozen=True, kw_only=True):
    """Agents, by name."""

    agents: list[ListedAgent]
    cursor: str | None = None


class AgentRetention(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """How much is kept: checkpoints of each namespace of a thread, and threads by the days since their last write."""

    keep_checkpoints: int = 100
    keep_days: int | None = None


class ListedThread(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A thread."""

    thread: str
    bytes: int
    written_on: date


class ThreadPage(msgspec.Struct, frozen=True, kw_only=True):
    """Threads, by name."""

    threads: list[ListedThread]
    cursor: str | None = None


class ThreadNamespace(msgspec.Struct, frozen=True, kw_only=True):
    """A namespace of a thread, and its newest checkpoint."""

    namespace: str
    checkpoints: int
    newest: str


class ThreadContents(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What is in a thread."""

    thread: str
    bytes: int
    written_on: date
    namespaces: list[ThreadNamespace]


class Removed(msgspec.Struct, frozen=True, kw_only=True):
    """How many checkpoints."""

    removed: int


class Agents(Room[S]):
    """``/v1/agents`` but for the checkpoints."""

    @iteration
    def list(self, *, page: int = 100) -> Pages[ListedAgent]:
        """Agents, by name."""

        def read(response: httpx.Response) -> Page[ListedAgent]:
            found = reads(AgentPage)(response)
            return Page(items=found.agents, cursor=found.cursor)

        return Pages(first=Call(method="GET", route="/v1/agents", query={"limit": page}, read=read))

    @operation
    def get(self, agent: str) -> Call[Document]:
        """Its state."""
        return Call(method="GET", route=_AGENT, names={"agent": agent}, read=document)

    @operation
    def put(
        self, agent: str, state: Any, *, expect: Expected = None, ttl: int | None = None
    ) -> Call[Written]:
        """Create its state, or replace what is expected to be there."""
        return Call(
            method="PUT",
            route=_AGENT,
            names={"agent": agent},
            headers={**said(expect), "Vanta-TTL": ttl},
            body=encode(state),
            once=True,
            read=written,
        )

    @operation
    def delete(self, agent: str, *, expect: Held = None) -> Call[None]:
        """Delete its state; threads stay."""
        return Call(
            method="DELETE",
            route=_AGENT,
            names={"agent": agent},
            headers=said(expect),
            once=True,
            read=nothing,
        )

    @operation
    def retention(self, agent: str) -> Call[AgentRetention]:
        """How much is kept of its threads."""
        return Call(
            method="GET", route=_AGENT + "/retention", names={"agent": agent}, read=reads(AgentRetention)
        )

    @operation
    def put_retention(self, agent: str, retention: AgentRetention) -> Call[AgentRetention]:
        """Set that."""
        return Call(
            method="PUT",
            route=_AGENT + "/retention",
            names={"agent": agent},
            body=encode(retention),
            read=reads(AgentRetention),
        )

    @iteration
    def threads(self, agent: str, *, page: int = 100) -> Pages[ListedThread]:
        """Its threads, by name."""

        def read(response: httpx.Response) -> Page[ListedThread]:
            found = reads(ThreadPage)(response)
            return Page(items=found.threads, cursor=found.cursor)

        return Pages(
            first=Call(
                method="GET",
                route=_AGENT + "/threads",
                names={"agent": agent},
                query={"limit": page},
                read=read,
            )
        )

    @operation
    def thread(self, agent: str, thread: str) -> Call[ThreadContents]:
        """What is in a thread."""
        return Call(
            method="GET", route=_THREAD, names={"agent": agent, "thread": thread}, read=reads(ThreadContents)
        )

    @operation
    def delete_thread(self, agent: str, thread: str) -> Call[None]:
        """Delete a thread."""
        return Call(method="DELETE", route=_THREAD, names={"agent": agent, "thread": thread}, read=nothing)

    @operation
    def copy_thread(self, agent: str, thread: str, target: str) -> Call[None]:
        """Copy a thread to a name that is free."""
        return Call(
            method="POST",
            route=_THREAD + "/copy",
            names={"agent": agent, "thread": thread},
            body=body(target=target),
            read=nothing,
        )

    @operation
    def prune(self, agent: str, threads: Sequence[str], *, keep: int = 1) -> Call[int]:
        """Keep the newest checkpoints of each namespace; how many were removed. 0 deletes the threads."""
        return Call(
            method="POST",
            route=_AGENT + "/prune",
            names={"agent": agent},
            body=body(threads=threads, keep=keep),
            read=_removed,
        )

    @operation
    def delete_runs(self, agent: str, runs: Sequence[str]) -> Call[int]:
        """Delete the checkpoints of runs in all threads; how many that were."""
        return Call(
            method="POST",
            route=_AGENT + "/delete-runs",
            names={"agent": agent},
            body=body(runs=runs),
            read=_removed,
        )


def _removed(response: httpx.Response) -> int:
    return reads(Removed)(response).removed
