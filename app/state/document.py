"""What a document is, and what may be asked to happen to it.

These are msgspec structs and not dataclasses because several are made per request, at a fifth of the cost.
"""

import hashlib
from typing import Literal
from uuid import UUID

import msgspec

Condition = Literal["none", "absent", "exists", "match", "unconditional", "merge"]
Outcome = Literal[
    "created",
    "replaced",
    "deleted",
    "checked",
    "not_found",
    "precondition_failed",
    "precondition_required",
    "quota_exceeded",
    "unknown_tenant",
]
WRITTEN = frozenset({"created", "replaced", "deleted"})
#: The last that PostgreSQL can count.
MAX_REVISION = 2**63 - 1
#: A time to live that leaves the document's expiry as it is.
KEEP_TTL = -1


class Name(msgspec.Struct, frozen=True):
    """Which document: tenants never share one."""

    tenant: UUID
    collection: str
    key: str


class Document(msgspec.Struct, frozen=True, kw_only=True):
    """A document as stored; ``value`` is the exact bytes that were put, ``expires_ms`` Unix milliseconds."""

    revision: int
    digest: str
    value: bytes
    expires_ms: int | None

    @property
    def etag(self) -> str:
        """The strong validator, quoted; opaque to clients."""
        return etag(self.revision, self.digest)


class Write(msgspec.Struct, frozen=True, kw_only=True):
    """One write: ``value`` None deletes, or with a ``digest`` of None only checks the condition.

    ``etags`` are unquoted and used when ``condition`` is "match" or "merge"; ``ttl`` is in seconds, None for what the
    collection says, or :data:`KEEP_TTL`. "merge" is "match" by who will repeat a change rather than lose one, where the
    collection does without preconditions.
    """

    name: Name
    value: str | None = None
    digest: str | None = ""
    ttl: int | None = None
    condition: Condition = "none"
    etags: tuple[str, ...] = ()
    traceparent: str | None = None


class Written(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a :class:`Write`; ``revision`` and ``expires_ms`` are None where nothing was written."""

    outcome: Outcome
    revision: int | None
    expires_ms: int | None


class Once(msgspec.Struct, frozen=True, kw_only=True):
    """An Idempotency-Key, and a digest of the request that it is sent with.

    ``open`` is an outcome after which the caller goes on, and which is no answer to remember.
    """

    key: str
    fingerprint: str
    open: Outcome | None = None


class Transacted(msgspec.Struct, frozen=True, kw_only=True):
    """What became of writes that stand or fall together, in their order; ``digests`` are of what is there now.

    ``replayed``: nothing happened now, this is what was answered before.
    """

    written: list[Written]
    digests: list[str | None]
    replayed: bool = False


def etag(revision: int, digest: str) -> str:
    """The entity tag of one version.

    The digest beside the revision keeps a tag from an abandoned timeline (a restore, a failover with loss) from matching
    the version that got the same revision afterwards.
    """
    return f'"{revision:x}-{digest}"'


def digest(value: bytes) -> str:
    """64 bits over the exact bytes, as 16 hex digits."""
    return hashlib.blake2b(value, digest_size=8).hexdigest()
