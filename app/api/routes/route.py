"""One entry of the table of routes: what is served, by which handler, and what the reference says of it."""

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

import msgspec

from app.api.messages import Request, Response
from app.api.problems import UNREAD_HEADER, ProblemType
from app.api.writing import ONCE, SAID
from app.tenancy.principal import Verb

Handler = Callable[[Request], Awaitable[Response]]

# A name in braces is a parameter; with a plus (RFC 6570, reserved expansion) it takes the rest of the path, slashes included.
_PARAMETER = re.compile(r"{\+?(\w+)}")


@dataclass(frozen=True, kw_only=True)
class Header:
    """A header of a request or an answer; ``schema`` is the JSON Schema of its value."""

    name: str
    description: str
    example: str
    schema: Mapping[str, Any] = field(default_factory=lambda: {"type": "string"})


@dataclass(frozen=True, kw_only=True)
class Answer:
    """A success: ``body`` is a schema, "document" for any JSON, "text", "events" (server-sent), "events-batch", "lines" (of JSON), or None."""

    description: str
    body: type[msgspec.Struct] | Literal["document", "text", "events", "events-batch", "lines"] | None = None
    headers: tuple[Header, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Route:
    """One method of one path such as ``/v1/state/{collection}/{+key}``.

    ``handler`` is ``<room>.<method>`` of the rooms that the router is given. ``verb`` is what the caller must be allowed to
    do (app/tenancy/principal.py says which role may what), None where nobody is asked who they are. ``scope`` is what the scopes of
    a key are compared with where the path has no ``{collection}``: a collection such as ``_secrets``; "handler" where the
    handler asks, by ``app.api.access.require``; None refuses keys with scopes. ``query`` is the schema of the query
    string, without which there may be none; ``body`` that of the request's body, "document" for any JSON, or "merge-patch" (RFC 7396).
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
    body: type[msgspec.Struct] | Literal["document", "merge-patch"] | None = None
    verb: Verb | None = None
    scope: str | None = None

    @property
    def parameters(self) -> list[str]:
        """The names of the path's parameters, in order."""
        return _PARAMETER.findall(self.path)

    @cached_property
    def collection_at(self) -> int | None:
        """Which of the path's parameters is the collection, if one is."""
        names = self.parameters
        return names.index("collection") if "collection" in names else None

    @cached_property
    def unread(self) -> tuple[str, ...]:
        """Which headers of a write, in lower case, nobody reads here; none for a read, where they change nothing."""
        if self.method in {"GET", "HEAD"}:
            return ()
        read = {header.name.lower() for header in self.headers}
        return tuple(name for name in (*SAID, ONCE) if name not in read)

    @property
    def refusals(self) -> tuple[ProblemType, ...]:
        """``problems``, and what the rest of this entry refuses by itself."""
        return (*self.problems, UNREAD_HEADER) if self.unread else self.problems

    @property
    def plain_path(self) -> str:
        """The path as OpenAPI writes it, which knows one kind of parameter only."""
        return _PARAMETER.sub(r"{\1}", self.path)
