"""What goes over the wire: requests, refusals, names and bytes."""

import base64
from collections.abc import Generator, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import quote, unquote

import httpx

from client import call
from client.problem import problem

Result = TypeVar("Result")


@dataclass(frozen=True, kw_only=True)
class Request:
    """One request to an agent's part of the API; ``repeatable`` if sending it again does nothing twice."""

    method: str
    path: str
    query: Mapping[str, str | int] | None = None
    body: Mapping[str, Any] | None = None
    repeatable: bool = True

    def sent(self) -> call.Request:
        """As it is sent."""
        return call.Request(
            method=self.method,
            path=self.path,
            query={name: str(value) for name, value in (self.query or {}).items()},
            headers={} if self.body is None else {"Content-Type": "application/json"},
            body=None if self.body is None else call.encode(self.body),
            repeatable=self.repeatable,
        )


#: Yields requests, is sent their answers, and returns a result: it runs the same whether its driver awaits or not.
Operation = Generator[Request, httpx.Response, Result]


def checkpoints(thread: str) -> str:
    """The path of a thread's checkpoints."""
    return f"/threads/{escape(thread)}/checkpoints"


def checkpoint(thread: str, name: str) -> str:
    """The path of a checkpoint."""
    return f"{checkpoints(thread)}/{quote(name, safe='')}"


def escape(thread: str) -> str:
    """A thread's name as the API takes it: any text, with ``~`` where a URL has ``%``."""
    if thread in {".", ".."}:
        return thread.replace(".", "~2E")
    return quote(thread, safe="!$&'()*+,;=:@").replace("~", "%7E").replace("%", "~")


def unescape(name: str) -> str:
    """The thread that :func:`escape` made a name of."""
    return unquote(name.replace("~", "%"))


def encoded(typed: tuple[str, bytes]) -> dict[str, str]:
    """Bytes and their type, as JSON has them."""
    return {"type": typed[0], "data": base64.b64encode(typed[1]).decode()}


def typed(encoded: Mapping[str, Any]) -> tuple[str, bytes]:
    """The bytes and their type again."""
    return encoded["type"], base64.b64decode(encoded["data"])


def refused(response: httpx.Response) -> str | None:
    """The type of a refusal, None for any other answer."""
    return None if response.is_success else problem(response).type


def check(response: httpx.Response) -> None:
    """Raise the :class:`~client.problem.Problem` that a refusal is."""
    if not response.is_success:
        raise problem(response)


def checked(response: httpx.Response) -> Any:
    """The answer; raises the :class:`~client.problem.Problem` that a refusal is."""
    check(response)
    return response.json()
