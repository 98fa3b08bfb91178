"""One entry of the table of routes: what is served, by which handler, and what the reference says of it."""

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Literal

import msgspec

from app.api.messages import Request, Response
from app.api.problems import ProblemType

Handler = Callable[[Request], Awaitable[Response]]
#: What a caller must be allowed to do; docs/reference/api.md says which role may what.
Verb = Literal["read", "write", "admin", "audit"]

# A name in braces is a parameter; with a plus (RFC 6570, reserved expansion) it takes the rest of the path, slashes included.
_PARAMETER = re.compile(r"{\+?(\w+)}")


@dataclass(frozen=True, kw_only=True)
class Header:
    """A header of a request or an answer."""

    name: str
    description: str
    example: str


@dataclass(frozen=True, kw_only=True)
class Answer:
    """A success: ``body`` is a schema, "document" for any JSON, "text", "events" (server-sent), or None."""

    description: str
    body: type[msgspec.Struct] | Literal["document", "text", "events"] | None = None
    headers: tuple[Header, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Route:
    """One method of one path such as ``/v1/state/{collection}/{+key}``.

    ``handler`` is ``<room>.<method>`` of the rooms that the router is given. ``verb`` is what the caller must be allowed to
    do, None where nobody is asked who they are. ``query`` is the schema of the query string, without which there may be none;
    ``body`` that of the request's body, or "document" for any JSON.
    """

    method: str
    path: str
    handler: str
    summary: str
    description: str
    answers: dict[int, Answer]
    problems: tuple[ProblemType, ...] = ()
    headers: tuple[Header, ...] = ()
    query: type[msgspec.Struct] | None = None
    body: type[msgspec.Struct] | Literal["document"] | None = None
    verb: Verb | None = None

    @property
    def parameters(self) -> list[str]:
        """The names of the path's parameters, in order."""
        return _PARAMETER.findall(self.path)

    @property
    def plain_path(self) -> str:
        """The path as OpenAPI writes it, which knows one kind of parameter only."""
        return _PARAMETER.sub(r"{\1}", self.path)
