"""What a secret is, and what may be asked to happen to it."""

from typing import Literal
from uuid import UUID

import msgspec

from app.secrets.envelope import Sealed
from app.state.document import Condition

#: What the values are sealed for; another room's do not open here.
ROOM = "secrets"

MAX_VALUE_BYTES = 64 * 1024
MAX_VERSIONS = 100

Change = Literal["deleted", "undeleted", "destroyed"]
Outcome = Literal[
    "created",
    "replaced",
    "deleted",
    "not_found",
    "precondition_failed",
    "precondition_required",
    "moved",
    "unknown_tenant",
]


class Caller(msgspec.Struct, frozen=True, kw_only=True):
    """Who asks; ``by`` is the public id of the credential, for the events."""

    tenant: UUID
    by: str
    traceparent: str | None


class Put(msgspec.Struct, frozen=True, kw_only=True):
    """One new version of ``path``; metadata and max_versions are of the whole secret, and stay as they are where None."""

    caller: Caller
    path: str
    value: bytes
    ttl: int | None
    metadata: str | None
    max_versions: int | None
    condition: Condition
    etags: tuple[str, ...]

    def __repr__(self) -> str:
        return f"Put(path={self.path!r})"


class SealedPut(msgspec.Struct, frozen=True, kw_only=True):
    """A :class:`Put` whose value is sealed for ``version``."""

    put: Put
    version: int
    tag: str
    sealed: Sealed


class Added(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a :class:`Put`; a number and a tag only where a version was added."""

    outcome: Outcome
    version: int
    tag: str
    expires_ms: int | None


class Read(msgspec.Struct, frozen=True, kw_only=True):
    """One read; ``version`` None is the newest."""

    caller: Caller
    path: str
    version: int | None


class Value(msgspec.Struct, frozen=True, kw_only=True):
    """A value in the clear: nothing may keep it but the answer to whoever asked."""

    version: int
    tag: str
    value: bytes
    created_ms: int
    expires_ms: int | None

    def __repr__(self) -> str:
        return f"Value(version={self.version})"


class Version(msgspec.Struct, frozen=True, kw_only=True):
    """All that is known of a version but its value; times in Unix milliseconds."""

    version: int
    created_ms: int
    expires_ms: int | None
    deleted_ms: int | None
    destroyed_ms: int | None


class Description(msgspec.Struct, frozen=True, kw_only=True):
    """All that is known of a secret but its values; the newest version first."""

    max_versions: int
    metadata: bytes | None
    created_ms: int
    versions: list[Version]


def etag(version: int, tag: str) -> str:
    """The entity tag of a version, quoted."""
    return f'"{version}-{tag}"'
