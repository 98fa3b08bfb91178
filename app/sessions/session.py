"""What a session is."""

from datetime import datetime
from uuid import UUID

import msgspec

from app.state.document import Write

#: Where the cache keeps sessions; no collection of a client can have this name.
COLLECTION = "_sessions"
MAX_DATA_BYTES = 16 * 1024


class Session(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """What is kept of a session; it ends at ``ends_at``, or ``idle_ttl`` seconds after its last use if that is sooner."""

    id: UUID
    subject: str
    data: msgspec.Raw
    created_at: datetime
    ends_at: datetime
    idle_ttl: int | None = None


class LiveSession(msgspec.Struct, frozen=True, kw_only=True):
    """A session, and when it ends unless it is used before."""

    session: Session
    expires_ms: int


class SessionWrite(Write, frozen=True, kw_only=True):
    """A write of a session; ``by`` is the public id of who asks, for the event."""

    by: str | None = None
