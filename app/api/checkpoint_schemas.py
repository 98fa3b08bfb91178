"""What is said about checkpoints in bodies and query strings."""

from typing import Annotated

import msgspec
from msgspec import Meta, Raw

from app.agents import names

#: Bytes of a body, base64 included: three quarters of it are data.
MAX_BODY = 8 * 1024 * 1024
#: A checkpoint with more is more than its pages should carry.
MAX_CHANNELS = 512
#: About 15 µs each in PostgreSQL, so that the longest takes far less than a statement may.
MAX_PARTS = 50_000
MAX_PAGE = 100
_MAX_INDEX = 2**31 - 1

_Namespace = Annotated[
    str,
    Meta(
        description="The (sub)graph; empty for the root.",
        pattern=names.TEXT_PATTERN,
        max_length=names.MAX_NAMESPACE,
    ),
]
_Name = Annotated[str, Meta(pattern=names.CHECKPOINT_PATTERN)]
_Channel = Annotated[str, Meta(pattern=names.TEXT_PATTERN, min_length=1, max_length=names.MAX_CHANNEL)]
_Type = Annotated[
    str,
    Meta(description="Says to readers how to decode `data`.", pattern=names.TYPE_PATTERN),
]
_Data = Annotated[bytes, Meta(description="Any bytes, in base64.")]
_Version = Annotated[str, Meta(description="Another for another value.", pattern=names.VERSION_PATTERN)]
_Object = Annotated[Raw, Meta(extra_json_schema={"type": "object"})]


class CheckpointPart(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A value, or one item of a list."""

    type: _Type
    data: _Data


class CheckpointChannel(
    msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True
):
    """The value of a channel; without ``parts`` the one that the parent has, in the same version."""

    version: _Version
    is_list: Annotated[
        bool, Meta(description="The value is a list, and each part an item; otherwise there is one part.")
    ] = False
    parts: Annotated[
        list[CheckpointPart] | None,
        Meta(description="A part that its thread has already takes no room again."),
    ] = None


class PutCheckpoint(msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """A checkpoint."""

    namespace: _Namespace = ""
    parent: Annotated[_Name | None, Meta(description="The checkpoint before.")] = None
    root: Annotated[
        _Name | None,
        Meta(
            description="Of a subgraph's run: the checkpoint of the root namespace with which this one is pruned."
        ),
    ] = None
    run: Annotated[
        Annotated[str, Meta(pattern=names.TEXT_PATTERN, max_length=256)] | None,
        Meta(description="The run it belongs to, for deleting by run."),
    ] = None
    needs_parent: Annotated[
        bool, Meta(description="It cannot be read without its parent, which is kept as long as it is.")
    ] = False
    type: _Type
    data: _Data
    metadata: Annotated[_Object, Meta(description="By whose members lists are filtered.")]
    channels: Annotated[dict[_Channel, CheckpointChannel], Meta(max_length=MAX_CHANNELS)] = {}


class NewCheckpointWrite(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a task wrote to a channel."""

    index: Annotated[int, Meta(description="Unique within its task.", ge=-_MAX_INDEX, le=_MAX_INDEX)]
    channel: _Channel
    type: _Type
    data: _Data


class PutCheckpointWrites(
    msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True
):
    """What a task wrote after a checkpoint."""

    namespace: _Namespace = ""
    task: Annotated[str, Meta(description="Which task.", pattern=names.TASK_PATTERN)]
    path: Annotated[
        str,
        Meta(
            description="Where the task stands in its step; writes are read in the order of path, task and index.",
            pattern=names.TEXT_PATTERN,
            max_length=1024,
        ),
    ] = ""
    replace: Annotated[
        bool,
        Meta(description="Replace writes of the same task and index; otherwise those that are there stay."),
    ] = False
    writes: Annotated[list[NewCheckpointWrite], Meta(min_length=1, max_length=10_000)]


class CheckpointQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Of which namespace."""

    namespace: _Namespace = ""


class CheckpointsQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Which checkpoints, newest first."""

    namespace: _Namespace = ""
    before: Annotated[
        _Name | None, Meta(description="Only those named before it; the `next` of the page before.")
    ] = None
    filter: Annotated[
        Annotated[str, Meta(max_length=4096)] | None,
        Meta(
            description="A JSON object: only checkpoints whose metadata has all its members, with equal values."
        ),
    ] = None
    limit: Annotated[int, Meta(description="How many at most.", ge=1, le=MAX_PAGE)] = 20


class CheckpointWrite(msgspec.Struct, frozen=True, kw_only=True):
    """A write that waits at a checkpoint."""

    task: str
    index: int
    channel: str
    type: str
    data: bytes


class StoredChannel(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """The value of a channel: ranges of numbers of parts, first and last, in order."""

    version: str
    is_list: bool
    parts: list[tuple[int, int]]


class StoredCheckpoint(msgspec.Struct, frozen=True, kw_only=True):
    """A checkpoint; ``parent`` is absent where there is none or it is kept no longer."""

    checkpoint: str
    parent: str | msgspec.UnsetType = msgspec.UNSET
    type: str
    data: bytes
    metadata: _Object
    channels: dict[str, StoredChannel]
    writes: list[CheckpointWrite]


class StoredPart(msgspec.Struct, frozen=True, kw_only=True):
    """A part, by the number that checkpoints of its thread know it by."""

    no: int
    type: str
    data: bytes


class CheckpointPage(msgspec.Struct, frozen=True, kw_only=True):
    """Checkpoints, and each part that they have once; the last page has no ``next``."""

    checkpoints: list[StoredCheckpoint]
    parts: list[StoredPart]
    next: str | msgspec.UnsetType = msgspec.UNSET
