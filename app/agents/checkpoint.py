"""What a checkpoint is: opaque bytes, and the values of channels cut into parts that are kept once in a thread."""

import hashlib
from collections.abc import Mapping, Sequence
from uuid import UUID

import msgspec


class Thread(msgspec.Struct, frozen=True, kw_only=True):
    """Which thread of which agent of which tenant."""

    tenant: UUID
    agent: str
    thread: str


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """A value, or one item of a list; ``type`` says to whoever reads it how to decode ``data``."""

    type: str
    data: bytes

    @property
    def digest(self) -> bytes:
        """What this part and no other of the thread has: 16 bytes over type and data."""
        return hashlib.blake2b(self.data, digest_size=16, key=self.type.encode()).digest()


class Channel(msgspec.Struct, frozen=True, kw_only=True):
    """The value of a channel: the items of a list, or one part. ``parts`` None: what the parent has in this version."""

    version: str
    is_list: bool
    parts: Sequence[Part] | None


class NewCheckpoint(msgspec.Struct, frozen=True, kw_only=True):
    """A checkpoint to be put; ``metadata`` is the text of a JSON object.

    ``root`` is the checkpoint of the root namespace that this one goes with, ``needs_parent`` says that it cannot be read
    without its parent.
    """

    namespace: str
    checkpoint: str
    parent: str | None
    root: str | None
    run: str | None
    needs_parent: bool
    type: str
    data: bytes
    metadata: str
    channels: Mapping[str, Channel]


class NewWrite(msgspec.Struct, frozen=True, kw_only=True):
    """What a task wrote to a channel after a checkpoint."""

    index: int
    channel: str
    type: str
    data: bytes


class NewWrites(msgspec.Struct, frozen=True, kw_only=True):
    """What ``task`` wrote after ``checkpoint``, no two of one index; what is there of this task and index stays, unless ``replace``."""

    namespace: str
    checkpoint: str
    task: str
    path: str
    replace: bool
    writes: Sequence[NewWrite]


class Write(msgspec.Struct, frozen=True, kw_only=True):
    """A write that waits at a checkpoint."""

    task: str
    index: int
    channel: str
    type: str
    data: bytes


class Checkpoint(msgspec.Struct, frozen=True, kw_only=True):
    """A checkpoint as stored; ``metadata`` and ``channels`` are JSON, the latter with the numbers of parts."""

    checkpoint: str
    parent: str | None
    type: str
    data: bytes
    metadata: str
    channels: str
    writes: list[Write]


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """Checkpoints, newest first, with all parts that they have, each once and by its number; whether there are older ones."""

    checkpoints: list[Checkpoint]
    parts: dict[int, Part]
    more: bool
