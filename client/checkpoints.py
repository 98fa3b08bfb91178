"""Checkpoints as the API has them; ``client.langgraph`` is what LangGraph uses."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import httpx
import msgspec

from client.call import Call, encode, nothing, reads
from client.flow import Page, Pages
from client.room import Room, S, iteration, operation

_CHECKPOINTS = "/v1/agents/{agent}/threads/{thread}/checkpoints"
_CHECKPOINT = _CHECKPOINTS + "/{checkpoint}"


class CheckpointPart(msgspec.Struct, frozen=True, kw_only=True):
    """Bytes, and how to read them."""

    type: str
    data: bytes


class CheckpointChannel(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """The value of a channel; without ``parts`` it is what the parent has in that version."""

    version: str
    is_list: bool = False
    parts: Sequence[CheckpointPart] | None = None


class PutCheckpoint(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """A checkpoint to put."""

    type: str
    data: bytes
    metadata: Mapping[str, Any]
    namespace: str = ""
    parent: str | None = None
    root: str | None = None
    run: str | None = None
    needs_parent: bool = False
    channels: Mapping[str, CheckpointChannel] = msgspec.field(default_factory=dict)


class NewCheckpointWrite(msgspec.Struct, frozen=True, kw_only=True):
    """Something that a task wrote."""

    index: int
    channel: str
    type: str
    data: bytes


class PutCheckpointWrites(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a task wrote after a checkpoint."""

    task: str
    writes: Sequence[NewCheckpointWrite]
    namespace: str = ""
    path: str = ""
    replace: bool = False


class StoredPart(msgspec.Struct, frozen=True, kw_only=True):
    """A part that checkpoints of this page have in common."""

    no: int
    type: str
    data: bytes


class StoredChannel(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """The value of a channel, as ranges of numbers of parts, both ends included."""

    version: str
    is_list: bool
    parts: list[tuple[int, int]]


class CheckpointWrite(msgspec.Struct, frozen=True, kw_only=True):
    """A pending write."""

    task: str
    index: int
    channel: str
    type: str
    data: bytes


class StoredCheckpoint(msgspec.Struct, frozen=True, kw_only=True):
    """A checkpoint that was put."""

    checkpoint: str
    type: str
    data: bytes
    metadata: dict[str, Any]
    channels: dict[str, StoredChannel]
    writes: list[CheckpointWrite]
    parent: str | None = None


class CheckpointPage(msgspec.Struct, frozen=True, kw_only=True):
    """Checkpoints, the newest first, and each of their parts once."""

    checkpoints: list[StoredCheckpoint]
    parts: list[StoredPart]
    next: str | None = None


class Checkpoints(Room[S]):
    """``/v1/agents/{agent}/threads/{thread}/checkpoints``."""

    @iteration
    def pages(
        self,
        agent: str,
        thread: str,
        *,
        namespace: str = "",
        before: str | None = None,
        metadata: Mapping[str, Any] | None = None,
        page: int = 10,
    ) -> Pages[CheckpointPage]:
        """Page by page, for checkpoints of a page share parts; ``metadata`` asks for those that have all these members."""

        def read(response: httpx.Response) -> Page[CheckpointPage]:
            found = reads(CheckpointPage)(response)
            return Page(items=[found], cursor=found.next)

        return Pages(
            first=Call(
                method="GET",
                route=_CHECKPOINTS,
                names={"agent": agent, "thread": thread},
                query={
                    "namespace": namespace,
                    "before": before,
                    "filter": None if metadata is None else json.dumps(metadata),
                    "limit": page,
                },
                read=read,
            ),
            cursor="before",
        )

    @operation
    def get(self, agent: str, thread: str, checkpoint: str, *, namespace: str = "") -> Call[CheckpointPage]:
        """One, as a page of one."""
        return Call(
            method="GET",
            route=_CHECKPOINT,
            names={"agent": agent, "thread": thread, "checkpoint": checkpoint},
            query={"namespace": namespace},
            read=reads(CheckpointPage),
        )

    @operation
    def put(self, agent: str, thread: str, checkpoint: str, content: PutCheckpoint) -> Call[None]:
        """Put one, or put it again."""
        return Call(
            method="PUT",
            route=_CHECKPOINT,
            names={"agent": agent, "thread": thread, "checkpoint": checkpoint},
            body=encode(content),
            read=nothing,
        )

    @operation
    def put_writes(self, agent: str, thread: str, checkpoint: str, writes: PutCheckpointWrites) -> Call[None]:
        """Put what a task wrote after it; a task and index count once."""
        return Call(
            method="POST",
            route=_CHECKPOINT + "/writes",
            names={"agent": agent, "thread": thread, "checkpoint": checkpoint},
            body=encode(writes),
            read=nothing,
        )
