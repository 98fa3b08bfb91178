"""``/v1/sessions``: sessions over HTTP. Tokens are in a header and in one answer, never in a path, which proxies log."""

from datetime import datetime
from typing import Annotated, cast
from uuid import UUID

import msgspec
from msgspec import UNSET, Meta, Raw, UnsetType

from app.api import body, problems
from app.api.messages import Request, Response, caller_of, header
from app.api.problems import ProblemError
from app.api.times import utc
from app.api.writing import MAX_TTL
from app.sessions.session import MAX_DATA_BYTES, LiveSession
from app.sessions.sessions import Sessions

TOKEN = "vanta-session"  # noqa: S105 - the name of a header
MAX_LISTED = 1000
_PRIVATE = [("content-type", "application/json"), ("cache-control", "no-store")]

_Seconds = Annotated[int, Meta(ge=1, le=MAX_TTL)]
# PostgreSQL keeps no NUL.
_SUBJECT = r"^[^\u0000]+$"
Subject = Annotated[
    str,
    Meta(description="Who is signed in, as you name them.", min_length=1, max_length=256, pattern=_SUBJECT),
]


class NewSession(msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """A session to begin."""

    subject: Subject
    data: Annotated[Raw | UnsetType, Meta(description="Any JSON of up to 16 KiB.")] = UNSET
    ttl: Annotated[int, Meta(description="Seconds after which it ends, used or not.", ge=1, le=MAX_TTL)] = (
        86400
    )
    idle_ttl: Annotated[
        _Seconds | None, Meta(description="Seconds without use after which it ends, if that is sooner.")
    ] = None


class SubjectQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Whose sessions."""

    subject: Subject


class RevokeQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Which sessions of whom."""

    subject: Subject
    id: Annotated[UUID | None, Meta(description="One of them; without it all.")] = None


class SessionState(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A session: it ends at ``expiresAt`` unless it is used before, and at ``endsAt`` in any case."""

    id: UUID
    subject: str
    data: Raw
    created_at: datetime
    expires_at: datetime
    ends_at: datetime


class BegunSession(SessionState, frozen=True, kw_only=True, rename="camel"):
    """A session that has begun; only its hash is kept of ``token``, so this is the one time to keep it."""

    token: str

    def __repr__(self) -> str:
        return "BegunSession()"


class SessionList(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Up to 1000 live sessions of a subject, the newest first."""

    sessions: list[SessionState]


class Revoked(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """How many sessions were ended."""

    revoked: int


class SessionsHandlers:
    """The handlers of the routes of sessions."""

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions

    async def begin(self, request: Request) -> Response:
        """A new session with its token (201)."""
        tenant, by = caller_of(request)
        new = await body.read(request, NewSession)
        data = bytes(new.data) if isinstance(new.data, Raw) else b"{}"
        if len(data) > MAX_DATA_BYTES:
            raise ProblemError(
                problems.BODY_TOO_LARGE, f"The data of a session has at most {MAX_DATA_BYTES} bytes of JSON."
            )
        begun = await self._sessions.begin(
            tenant,
            new.subject,
            data,
            ttl=new.ttl,
            idle_ttl=new.idle_ttl,
            by=by,
            traceparent=request.traceparent,
        )
        if begun is None:
            raise ProblemError(problems.UNAUTHENTICATED, "The tenant of this key is no more.")
        token, live = begun
        return _answer(201, BegunSession(token=token, **msgspec.structs.asdict(_state(live))))

    async def current(self, request: Request) -> Response:
        """The session of the token that is presented."""
        live = await self._sessions.find(caller_of(request)[0], _token(request))
        if live is None:
            raise _not_found()
        return _answer(200, _state(live))

    async def end(self, request: Request) -> Response:
        """End the session of the token that is presented (204)."""
        tenant, by = caller_of(request)
        if not await self._sessions.revoke(tenant, _token(request), by=by, traceparent=request.traceparent):
            raise _not_found()
        return Response(status=204)

    async def list(self, request: Request) -> Response:
        """The live sessions of a subject."""
        asked = cast("SubjectQuery", request.query)
        live = await self._sessions.of_subject(caller_of(request)[0], asked.subject, MAX_LISTED)
        return _answer(200, SessionList(sessions=[_state(session) for session in live]))

    async def revoke(self, request: Request) -> Response:
        """End all sessions of a subject, or one of them."""
        tenant, by = caller_of(request)
        asked = cast("RevokeQuery", request.query)
        revoked = await self._sessions.revoke_subject(
            tenant, asked.subject, asked.id, by=by, traceparent=request.traceparent
        )
        return _answer(200, Revoked(revoked=revoked))


def _token(request: Request) -> str:
    return header(request.headers, TOKEN) or ""


def _state(live: LiveSession) -> SessionState:
    session = live.session
    return SessionState(
        id=session.id,
        subject=session.subject,
        data=session.data,
        created_at=session.created_at,
        expires_at=utc(live.expires_ms),
        ends_at=session.ends_at,
    )


def _answer(status: int, answer: msgspec.Struct) -> Response:
    return Response(status=status, headers=[*_PRIVATE], body=msgspec.json.encode(answer))


def _not_found() -> ProblemError:
    return ProblemError(
        problems.SESSION_NOT_FOUND, "Send the token of a live session of this tenant in Vanta-Session."
    )
