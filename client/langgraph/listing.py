"""Walking through checkpoints, newest first."""

import json
from collections.abc import Generator
from typing import Any

import httpx
from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import CheckpointTuple
from langgraph.checkpoint.serde.base import SerializerProtocol

from client.langgraph import operations, wire
from client.langgraph.operations import checkpoint_of, place
from client.langgraph.wire import Operation, Request

_PAGE = 50
_THREAD_MISSING = "urn:vanta:problem:thread-not-found"

#: Yields requests, whose answers it is sent, and between them what it found.
Walk = Generator[Request | CheckpointTuple, httpx.Response, None]


def walk(
    serde: SerializerProtocol,
    config: RunnableConfig | None,
    members: dict[str, Any] | None,
    before: RunnableConfig | None,
    limit: int | None,
) -> Walk:
    """The checkpoints that LangGraph's ``list`` would give for the same arguments."""
    places = yield from _places(config)
    if config and (checkpoint := checkpoint_of(config)):
        for thread, namespace in places:
            found = yield from operations.get(serde, operations.config_of(thread, namespace, checkpoint))
            if found is not None and _fits(found, members, before) and limit != 0:
                yield found
        return
    walks = [_walk_one(serde, thread, namespace, members, before, limit) for thread, namespace in places]
    if len(walks) == 1:
        yield from walks[0]
        return
    # Of several namespaces the newest comes first too, so each has to be known as far as it may be asked for.
    tuples: list[CheckpointTuple] = []
    for one in walks:
        step = next(one, None)
        while step is not None:
            if isinstance(step, Request):
                step = resume(one, (yield step))
            else:
                tuples.append(step)
                step = next(one, None)
    for found in sorted(tuples, key=lambda found: found.checkpoint["id"], reverse=True)[:limit]:
        yield found


def resume(walk: Walk, response: httpx.Response) -> Request | CheckpointTuple | None:
    """What comes after ``response``, None at the end."""
    try:
        return walk.send(response)
    except StopIteration:
        return None


def _places(config: RunnableConfig | None) -> Operation[list[tuple[str, str]]]:
    """The threads and namespaces that ``config`` names; all of the agent without it."""
    if config and config["configurable"].get("checkpoint_ns") is not None:
        return [place(config)]
    threads = [str(config["configurable"]["thread_id"])] if config else []
    query: dict[str, str | int] = {}
    while not config:
        page = wire.checked((yield Request(method="GET", path="/threads", query=query)))
        threads += [wire.unescape(found["thread"]) for found in page["threads"]]
        if "cursor" not in page:
            break
        query = {"cursor": page["cursor"]}
    places: list[tuple[str, str]] = []
    for thread in threads:
        response = yield Request(method="GET", path=f"/threads/{wire.escape(thread)}")
        if wire.refused(response) != _THREAD_MISSING:
            places += [(thread, found["namespace"]) for found in wire.checked(response)["namespaces"]]
    return places


def _walk_one(
    serde: SerializerProtocol,
    thread: str,
    namespace: str,
    members: dict[str, Any] | None,
    before: RunnableConfig | None,
    limit: int | None,
) -> Walk:
    query: dict[str, str | int] = {"namespace": namespace}
    if members:
        query["filter"] = json.dumps(members)
    if before and (checkpoint := checkpoint_of(before)):
        query["before"] = checkpoint
    left = limit
    while left is None or left > 0:
        query["limit"] = _PAGE if left is None else min(left, _PAGE)
        page = wire.checked((yield Request(method="GET", path=wire.checkpoints(thread), query=query)))
        for found in operations.tuples(serde, thread, namespace, page):  # noqa: UP028 - an iterator cannot be sent an answer
            yield found
        if "next" not in page:
            return
        query["before"] = page["next"]
        if left is not None:
            left -= len(page["checkpoints"])


def _fits(found: CheckpointTuple, members: dict[str, Any] | None, before: RunnableConfig | None) -> bool:
    older = checkpoint_of(before) if before else None
    return (older is None or found.checkpoint["id"] < older) and all(
        found.metadata.get(name) == value for name, value in (members or {}).items()
    )
