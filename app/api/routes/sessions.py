"""Sessions: ``/v1/sessions``."""

from app.api import problems
from app.api.routes.always import ALWAYS
from app.api.routes.route import Answer, Header, Route
from app.api.sessions import (
    BegunSession,
    NewSession,
    Revoked,
    RevokeQuery,
    SessionList,
    SessionState,
    SubjectQuery,
)

_TOKEN = Header(
    name="Vanta-Session",
    description="The token of the session.",
    example="vses_Ns3RwWc6Qw3yVJ1hHk0dFqJzqS4mZb8gT2eXoKp7LaU",
)

# What a scope of a key must name.
_SCOPE = "_sessions"

ROUTES = (
    Route(
        method="POST",
        path="/v1/sessions",
        handler="sessions.begin",
        summary="Begin a session",
        description="Answers with its token, of which only a hash is kept.",
        answers={201: Answer(description="It has begun.", body=BegunSession)},
        problems=(
            problems.MALFORMED_JSON,
            problems.BODY_TIMEOUT,
            problems.BODY_TOO_LARGE,
            problems.UNSUPPORTED_MEDIA_TYPE,
            problems.INVALID_DOCUMENT,
            problems.INVALID_BODY,
            *ALWAYS,
        ),
        body=NewSession,
        verb="write",
        scope=_SCOPE,
    ),
    Route(
        method="GET",
        path="/v1/sessions/current",
        handler="sessions.current",
        summary="Read a session",
        description="Counts as use: in the second half of its idle time it is extended, after the answer.",
        answers={200: Answer(description="The session.", body=SessionState)},
        problems=(problems.SESSION_NOT_FOUND, *ALWAYS),
        headers=(_TOKEN,),
        verb="read",
        scope=_SCOPE,
    ),
    Route(
        method="DELETE",
        path="/v1/sessions/current",
        handler="sessions.end",
        summary="End a session",
        description="Once this is answered no process accepts the token any more.",
        answers={204: Answer(description="It has ended.")},
        problems=(problems.SESSION_NOT_FOUND, *ALWAYS),
        headers=(_TOKEN,),
        verb="write",
        scope=_SCOPE,
    ),
    Route(
        method="GET",
        path="/v1/sessions",
        handler="sessions.list",
        summary="List the sessions of a subject",
        description="Without their tokens; it does not count as use.",
        answers={200: Answer(description="The live ones.", body=SessionList)},
        problems=ALWAYS,
        query=SubjectQuery,
        verb="read",
        scope=_SCOPE,
    ),
    Route(
        method="DELETE",
        path="/v1/sessions",
        handler="sessions.revoke",
        summary="End the sessions of a subject",
        description="All that had begun before, or the one with an id; none is accepted once this is answered.",
        answers={200: Answer(description="How many that were.", body=Revoked)},
        problems=ALWAYS,
        query=RevokeQuery,
        verb="write",
        scope=_SCOPE,
    ),
)
