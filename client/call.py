"""What is asked of the API, described once: neither how it is sent nor whether somebody awaits it is said here."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from string import Formatter
from typing import Any, Generic, TypeVar
from urllib.parse import quote
from uuid import uuid4

import httpx
import msgspec

T = TypeVar("T")
Struct = TypeVar("Struct", bound=msgspec.Struct)

#: What is left out (None), a flag, or something to show as text.
Said = str | int | bool | None

# Parameters of a path that take slashes: the rest of it.
_REST = frozenset({"key", "path"})


@dataclass(frozen=True, kw_only=True)
class Request:
    """One HTTP request; ``repeatable`` if sending it again does nothing twice."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes | None
    repeatable: bool
    stream: bool = False


@dataclass(frozen=True, kw_only=True)
class Call(Generic[T]):
    """A route with what fills it in, and how its answer is read; ``once``: the route takes an Idempotency-Key."""

    method: str
    route: str
    read: Callable[[httpx.Response], T]
    names: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, Said] = field(default_factory=dict)
    headers: Mapping[str, Said] = field(default_factory=dict)
    body: bytes | None = None
    media_type: str = "application/json"
    once: bool = False

    def request(self) -> Request:
        """The request; with ``once`` each has a key of its own, so send it again instead of making another."""
        headers = {
            name: header(name, str(value)) for name, value in self.headers.items() if value is not None
        }
        if self.body is not None:
            headers["Content-Type"] = self.media_type
        if self.once:
            headers["Idempotency-Key"] = str(uuid4())
        return Request(
            method=self.method,
            path=_path(self.route, self.names),
            query={name: _text(value) for name, value in self.query.items() if value is not None},
            headers=headers,
            body=self.body,
            repeatable=self.once or self.method in {"GET", "HEAD"},
        )

    def also(self, **query: Said) -> "Call[T]":
        """The same with more in its query string."""
        return replace(self, query={**self.query, **query})


def body(**members: Any) -> bytes:
    """A JSON object of the members that are not None."""
    return encode(present(**members))


def present(**members: Any) -> dict[str, Any]:
    """The members that are not None."""
    return {name: value for name, value in members.items() if value is not None}


def header(name: str, value: str) -> str:
    """``value``, if it can stand in a header; httpx would quote it in its refusal, and a key or token would end in a log."""
    if value.isascii() and value.isprintable() and value == value.strip() != "":
        return value
    raise ValueError(
        f"{name} is empty, or has a line end, a space at its edge or a sign that is not ASCII: strip what it was read from."
    )


def encode(value: Any) -> bytes:
    """``value`` as JSON; what msgspec knows is welcome, but neither NaN (:class:`ValueError`) nor what would come back as something else (:class:`TypeError`)."""
    plain = msgspec.to_builtins(value, str_keys=True)
    # What JSON has is the same again; comparing takes a thirtieth of looking at each member here.
    if plain != value:
        _check(value)
    return json.dumps(plain, allow_nan=False, ensure_ascii=False, separators=(",", ":")).encode()


def _check(value: Any) -> None:
    # Not what is in a Struct or dataclass: read as that type it comes back as it was.
    if isinstance(value, dict):
        for member in value.values():
            _check(member)
    elif isinstance(value, list | tuple):
        for item in value:
            _check(item)
    elif isinstance(value, set | frozenset):
        raise TypeError("A set would come back as a list, in any order: put sorted(...) of it.")
    elif isinstance(value, bytes | bytearray | memoryview):
        raise TypeError("Bytes would come back as text: put the text that stands for them, as base64 does.")


def reads(schema: type[Struct]) -> Callable[[httpx.Response], Struct]:
    """Reads an answer whose body is a ``schema``."""
    return lambda response: msgspec.json.decode(response.content, type=schema)


def nothing(response: httpx.Response) -> None:
    """Reads an answer that says no more than that it is done."""


def _path(route: str, names: Mapping[str, str]) -> str:
    path = ""
    for literal, name, _, _ in Formatter().parse(route):
        path += literal
        if name is not None:
            path += quoted(name, names[name])
    return path


def quoted(name: str, value: str) -> str:
    """``value`` as the part of a path that is its ``name``."""
    if not value:
        raise ValueError(f"The {name} is empty: it would name something else.")
    segments = quote(value, safe="/" if name in _REST else "").split("/")
    # A URL's "." and ".." go away on the way, and would leave the name of something else.
    return "/".join(s.replace(".", "%2E") if s in {".", ".."} else s for s in segments)


def _text(value: Said) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
