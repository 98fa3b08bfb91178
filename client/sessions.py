"""Sessions."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec

from client.call import Call, body, nothing, reads
from client.room import Room, S, operation

_CURRENT = "/v1/sessions/current"
_TOKEN = "Vanta-Session"  # noqa: S105 - the name of a header


class SessionState(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A session that lives: until ``expires_at`` if nobody reads it, never longer than ``ends_at``."""

    id: str
    subject: str
    data: Any
    created_at: datetime
    expires_at: datetime
    ends_at: datetime


class BegunSession(SessionState, frozen=True, kw_only=True, rename="camel"):
    """A session with its token, which is shown this once."""

    token: str

    def __repr__(self) -> str:
        return f"BegunSession(id={self.id!r})"


class SessionList(msgspec.Struct, frozen=True, kw_only=True):
    """The live ones."""

    sessions: list[SessionState]


class Revoked(msgspec.Struct, frozen=True, kw_only=True):
    """How many."""

    revoked: int


class Sessions(Room[S]):
    """``/v1/sessions``."""

    @operation
    def begin(
        self, subject: str, *, data: Any = None, ttl: int | None = None, idle_ttl: int | None = None
    ) -> Call[BegunSession]:
        """Begin a session of ``ttl`` seconds (a day), ended by ``idle_ttl`` seconds without a read."""
        return Call(
            method="POST",
            route="/v1/sessions",
            body=body(subject=subject, data=data, ttl=ttl, idleTtl=idle_ttl),
            read=reads(BegunSession),
        )

    @operation
    def read(self, token: str) -> Call[SessionState]:
        """The session of a token; it counts as use."""
        return Call(method="GET", route=_CURRENT, headers={_TOKEN: token}, read=reads(SessionState))

    @operation
    def end(self, token: str) -> Call[None]:
        """End it."""
        return Call(method="DELETE", route=_CURRENT, headers={_TOKEN: token}, read=nothing)

    @operation
    def list(self, subject: str) -> Call[Sequence[SessionState]]:
        """The sessions of a subject, without their tokens."""
        return Call(
            method="GET",
            route="/v1/sessions",
            query={"subject": subject},
            read=lambda response: reads(SessionList)(response).sessions,
        )

    @operation
    def revoke(self, subject: str, *, session: str | None = None) -> Call[int]:
        """End all sessions of a subject, or the one of this id; how many that were."""
        return Call(
            method="DELETE",
            route="/v1/sessions",
            query={"subject": subject, "id": session},
            read=lambda response: reads(Revoked)(response).revoked,
        )
