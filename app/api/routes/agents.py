"""Agents: ``/v1/agents``."""

from app.api import problems
from app.api.agents import COLLECTION, AgentPage, AgentRetention, AgentsQuery
from app.api.checkpoint_schemas import (
    CheckpointPage,
    CheckpointQuery,
    CheckpointsQuery,
    PutCheckpoint,
    PutCheckpointWrites,
)
from app.api.routes import documents, headers
from app.api.routes.always import ALWAYS
from app.api.routes.route import Answer, Route
from app.api.threads import (
    CopyThread,
    DeleteRuns,
    PruneThreads,
    Removed,
    ThreadContents,
    ThreadPage,
    ThreadsQuery,
)

_AGENT = "/v1/agents/{agent}"
_THREADS = _AGENT + "/threads"
_THREAD = _THREADS + "/{thread}"
_CHECKPOINTS = _THREAD + "/checkpoints"
_CHECKPOINT = _CHECKPOINTS + "/{checkpoint}"

_BODY = (
    problems.INVALID_KEY,
    problems.MALFORMED_JSON,
    problems.BODY_TIMEOUT,
    problems.BODY_TOO_LARGE,
    problems.UNSUPPORTED_MEDIA_TYPE,
    problems.INVALID_DOCUMENT,
    problems.INVALID_BODY,
)

_STATE = (
    Route(
        method="GET",
        path="/v1/agents",
        handler="agents.page",
        summary="List agents",
        description="Those that have a state or a thread, by name.",
        answers={200: Answer(description="A page.", body=AgentPage)},
        problems=(problems.INVALID_CURSOR, *ALWAYS),
        query=AgentsQuery,
        verb="read",
        scope=COLLECTION,
    ),
    Route(
        method="GET",
        path=_AGENT,
        handler="agents.get",
        summary="Read an agent's state",
        description="A document: the exact bytes that were put, as of the last acknowledged write.",
        answers={
            200: Answer(description="The state.", body="document", headers=(headers.ETAG, headers.EXPIRES)),
            304: Answer(description="It is one the caller has.", headers=(headers.ETAG,)),
        },
        problems=(problems.INVALID_KEY, problems.INVALID_PRECONDITION, problems.NOT_FOUND, *ALWAYS),
        headers=(headers.CACHED,),
        verb="read",
        scope=COLLECTION,
    ),
    Route(
        method="PUT",
        path=_AGENT,
        handler="agents.put",
        summary="Create or replace an agent's state",
        description="Like any document; over an existing one it needs a precondition or Vanta-Concurrency.",
        answers={
            200: Answer(description="Replaced.", headers=(headers.ETAG, headers.EXPIRES, headers.REPLAYED)),
            201: Answer(description="Created.", headers=(headers.ETAG, headers.EXPIRES, headers.REPLAYED)),
        },
        problems=tuple(kind for kind in documents.WRITE if kind is not problems.INVALID_COLLECTION),
        headers=documents.SAID,
        body="document",
        verb="write",
        scope=COLLECTION,
    ),
    Route(
        method="DELETE",
        path=_AGENT,
        handler="agents.delete",
        summary="Delete an agent's state",
        description="Its threads stay. Like any write over an existing document it needs a precondition or Vanta-Concurrency.",
        answers={204: Answer(description="Deleted.", headers=(headers.REPLAYED,))},
        problems=(
            problems.INVALID_KEY,
            problems.INVALID_PRECONDITION,
            problems.INVALID_IDEMPOTENCY_KEY,
            problems.NOT_FOUND,
            problems.PRECONDITION_FAILED,
            problems.IDEMPOTENCY_KEY_REUSED,
            problems.PRECONDITION_REQUIRED,
            *ALWAYS,
        ),
        headers=(headers.IF_MATCH, headers.IF_NONE_MATCH, headers.CONCURRENCY, headers.ONCE),
        verb="write",
        scope=COLLECTION,
    ),
    Route(
        method="GET",
        path=_AGENT + "/retention",
        handler="agents.retention",
        summary="How much is kept of an agent's threads",
        description="The defaults where nobody has set anything.",
        answers={200: Answer(description="What holds.", body=AgentRetention)},
        problems=(problems.INVALID_KEY, *ALWAYS),
        verb="read",
        scope=COLLECTION,
    ),
    Route(
        method="PUT",
        path=_AGENT + "/retention",
        handler="agents.put_retention",
        summary="Set how much is kept of an agent's threads",
        description=(
            "All of it at once: what is left out has its default again. "
            "Every write prunes its own thread by it from now on; threads that are due are deleted within minutes."
        ),
        answers={200: Answer(description="What holds now.", body=AgentRetention)},
        problems=(*_BODY, *ALWAYS),
        body=AgentRetention,
        verb="write",
        scope=COLLECTION,
    ),
)

_OF_THREADS = (
    Route(
        method="GET",
        path=_THREADS,
        handler="threads.page",
        summary="List threads",
        description="By name.",
        answers={200: Answer(description="A page.", body=ThreadPage)},
        problems=(problems.INVALID_KEY, problems.INVALID_CURSOR, *ALWAYS),
        query=ThreadsQuery,
        verb="read",
        scope=COLLECTION,
    ),
    Route(
        method="GET",
        path=_THREAD,
        handler="threads.get",
        summary="What is in a thread",
        description="Its bytes, and its namespaces with how many checkpoints each has.",
        answers={200: Answer(description="What there is.", body=ThreadContents)},
        problems=(problems.INVALID_KEY, problems.THREAD_NOT_FOUND, *ALWAYS),
        verb="read",
        scope=COLLECTION,
    ),
    Route(
        method="DELETE",
        path=_THREAD,
        handler="threads.delete",
        summary="Delete a thread",
        description="With all its checkpoints.",
        answers={204: Answer(description="Deleted.")},
        problems=(problems.INVALID_KEY, problems.THREAD_NOT_FOUND, *ALWAYS),
        verb="write",
        scope=COLLECTION,
    ),
    Route(
        method="POST",
        path=_THREAD + "/copy",
        handler="threads.copy",
        summary="Copy a thread",
        description="All its checkpoints and what waits at them, under another name.",
        answers={201: Answer(description="Copied.")},
        problems=(
            *_BODY,
            problems.QUOTA_EXCEEDED,
            problems.THREAD_NOT_FOUND,
            problems.THREAD_EXISTS,
            *ALWAYS,
        ),
        body=CopyThread,
        verb="write",
        scope=COLLECTION,
    ),
    Route(
        method="POST",
        path=_AGENT + "/prune",
        handler="threads.prune",
        summary="Prune threads",
        description="Keeps the newest checkpoints of each namespace, and those they cannot be read without.",
        answers={200: Answer(description="Pruned.", body=Removed)},
        problems=(*_BODY, *ALWAYS),
        body=PruneThreads,
        verb="write",
        scope=COLLECTION,
    ),
    Route(
        method="POST",
        path=_AGENT + "/delete-runs",
        handler="threads.delete_runs",
        summary="Delete the checkpoints of runs",
        description="In all threads of the agent.",
        answers={200: Answer(description="Deleted.", body=Removed)},
        problems=(*_BODY, *ALWAYS),
        body=DeleteRuns,
        verb="write",
        scope=COLLECTION,
    ),
)

_OF_CHECKPOINTS = (
    Route(
        method="GET",
        path=_CHECKPOINTS,
        handler="checkpoints.page",
        summary="List checkpoints",
        description=(
            "Newest first, with their channels and pending writes. Each part is in a page once, however many checkpoints have it; "
            "a page ends before 8 MiB of data, but has one checkpoint at least."
        ),
        answers={
            200: Answer(description="A page; empty for a thread that is not there.", body=CheckpointPage)
        },
        problems=(problems.INVALID_KEY, *ALWAYS),
        query=CheckpointsQuery,
        verb="read",
        scope=COLLECTION,
    ),
    Route(
        method="GET",
        path=_CHECKPOINT,
        handler="checkpoints.get",
        summary="Read a checkpoint",
        description="As a page of one.",
        answers={200: Answer(description="The checkpoint.", body=CheckpointPage)},
        problems=(problems.INVALID_KEY, problems.CHECKPOINT_NOT_FOUND, *ALWAYS),
        query=CheckpointQuery,
        verb="read",
        scope=COLLECTION,
    ),
    Route(
        method="PUT",
        path=_CHECKPOINT,
        handler="checkpoints.put",
        summary="Put a checkpoint",
        description=(
            "Acknowledged once PostgreSQL has it and its event durably; the same write prunes what the agent does not keep. "
            "Putting it again replaces it. The body has at most 8 MiB."
        ),
        answers={201: Answer(description="Put."), 200: Answer(description="Put again.")},
        problems=(*_BODY, problems.QUOTA_EXCEEDED, problems.CHANNEL_MISSING, *ALWAYS),
        body=PutCheckpoint,
        verb="write",
        scope=COLLECTION,
    ),
    Route(
        method="POST",
        path=_CHECKPOINT + "/writes",
        handler="checkpoints.put_writes",
        summary="Put what a task wrote after a checkpoint",
        description="Once per task and index: repeating it changes nothing. The checkpoint may come later.",
        answers={204: Answer(description="Put.")},
        problems=(*_BODY, problems.QUOTA_EXCEEDED, *ALWAYS),
        body=PutCheckpointWrites,
        verb="write",
        scope=COLLECTION,
    ),
)

ROUTES = (*_STATE, *_OF_THREADS, *_OF_CHECKPOINTS)
