"""``/v1/agents/{agent}/threads``: threads over HTTP, and what deletes many checkpoints at once."""

from datetime import date
from typing import Annotated
from uuid import UUID

import msgspec
from msgspec import Meta

from app.agents import names
from app.agents.checkpoint import Thread
from app.agents.errors import QuotaExceededError
from app.agents.threads import Threads
from app.api import body, problems
from app.api.lists import Cursor, Limit, answer, position
from app.api.messages import Request, Response, callers_tenant
from app.api.problems import ProblemError
from app.state import cursor

_AT_ONCE = 1000

_ThreadName = Annotated[str, Meta(pattern=names.THREAD_PATTERN)]


class ThreadsQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Which page of the threads."""

    limit: Limit = 100
    cursor: Cursor = None


class ListedThread(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A thread; ``bytes`` are those of its data."""

    thread: str
    bytes: int
    written_on: date


class ThreadPage(msgspec.Struct, frozen=True, kw_only=True):
    """Threads by name."""

    threads: list[ListedThread]
    cursor: str | msgspec.UnsetType = msgspec.UNSET


class ThreadNamespace(msgspec.Struct, frozen=True, kw_only=True):
    """A namespace of a thread: how many checkpoints it has, and the newest."""

    namespace: str
    checkpoints: int
    newest: str


class ThreadContents(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What is in a thread."""

    thread: str
    bytes: int
    written_on: date
    namespaces: list[ThreadNamespace]


class CopyThread(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where to."""

    target: Annotated[_ThreadName, Meta(description="The new thread, of the same agent.")]


class PruneThreads(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What to prune."""

    threads: Annotated[list[_ThreadName], Meta(max_length=_AT_ONCE)]
    keep: Annotated[
        int,
        Meta(
            description="How many checkpoints of each namespace stay, the newest; 0 deletes the threads.",
            ge=0,
            le=1_000_000,
        ),
    ] = 1


class DeleteRuns(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which runs."""

    runs: Annotated[list[Annotated[str, Meta(pattern=names.TEXT_PATTERN)]], Meta(max_length=_AT_ONCE)]


class Removed(msgspec.Struct, frozen=True, kw_only=True):
    """How many checkpoints went; of deleted threads, how many threads."""

    removed: int


class ThreadHandlers:
    """The handlers of the routes of threads."""

    def __init__(self, threads: Threads) -> None:
        self._threads = threads

    async def page(self, request: Request) -> Response:
        """A page of the agent's threads."""
        tenant, agent = agent_of(request)
        listing = (tenant.hex, "threads", agent)
        limit = request.query.limit
        found = await self._threads.page(
            tenant, agent, after=position(listing, request.query.cursor) or "", limit=limit + 1
        )
        return answer(
            ThreadPage(
                threads=[
                    ListedThread(thread=one.thread, bytes=one.bytes, written_on=one.written_on)
                    for one in found[:limit]
                ],
                cursor=cursor.encode(listing, found[limit - 1].thread)
                if len(found) > limit
                else msgspec.UNSET,
            )
        )

    async def get(self, request: Request) -> Response:
        """What is in a thread."""
        thread = thread_of(request)
        contents = await self._threads.get(thread)
        if contents is None:
            raise _not_found()
        return answer(
            ThreadContents(
                thread=thread.thread,
                bytes=contents.bytes,
                written_on=contents.written_on,
                namespaces=[
                    ThreadNamespace(namespace=one.namespace, checkpoints=one.checkpoints, newest=one.newest)
                    for one in contents.namespaces
                ],
            )
        )

    async def delete(self, request: Request) -> Response:
        """Delete a thread: 204, or 404 if there is none."""
        thread = thread_of(request)
        if not await self._threads.delete(thread.tenant, thread.agent, [thread.thread], request.traceparent):
            raise _not_found()
        return Response(status=204)

    async def copy(self, request: Request) -> Response:
        """Copy a thread: 201."""
        thread = thread_of(request)
        wanted = await body.read(request, CopyThread)
        if error := names.thread_error(wanted.target):
            raise ProblemError(problems.INVALID_BODY, error)
        try:
            outcome = await self._threads.copy(thread, wanted.target, request.traceparent)
        except QuotaExceededError:
            raise quota_exceeded() from None
        if outcome == "not_found":
            raise _not_found()
        if outcome == "exists":
            raise ProblemError(
                problems.THREAD_EXISTS, "Copy to another name, or delete the thread that has it."
            )
        return Response(status=201)

    async def prune(self, request: Request) -> Response:
        """Prune threads."""
        tenant, agent = agent_of(request)
        wanted = await body.read(request, PruneThreads)
        if wanted.keep:
            removed = await self._threads.prune(
                tenant, agent, wanted.threads, wanted.keep, request.traceparent
            )
        else:
            removed = await self._threads.delete(tenant, agent, wanted.threads, request.traceparent)
        return answer(Removed(removed=removed))

    async def delete_runs(self, request: Request) -> Response:
        """Delete the checkpoints of runs."""
        tenant, agent = agent_of(request)
        wanted = await body.read(request, DeleteRuns)
        return answer(
            Removed(removed=await self._threads.delete_runs(tenant, agent, wanted.runs, request.traceparent))
        )


def agent_of(request: Request) -> tuple[UUID, str]:
    """The tenant and the agent of the path; raises :class:`ProblemError`."""
    agent = request.parameters[0]
    if error := names.agent_error(agent):
        raise ProblemError(problems.INVALID_KEY, error)
    return callers_tenant(request), agent


def thread_of(request: Request) -> Thread:
    """The thread of the path; raises :class:`ProblemError`."""
    tenant, agent = agent_of(request)
    thread = request.parameters[1]
    if error := names.thread_error(thread):
        raise ProblemError(problems.INVALID_KEY, error)
    return Thread(tenant=tenant, agent=agent, thread=thread)


def quota_exceeded() -> ProblemError:
    """The tenant's limit of bytes."""
    return ProblemError(
        problems.QUOTA_EXCEEDED, "Keep fewer checkpoints, delete threads, or ask for a higher limit."
    )


def _not_found() -> ProblemError:
    return ProblemError(problems.THREAD_NOT_FOUND, "The agent has no such thread.")
