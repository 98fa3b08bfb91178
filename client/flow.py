"""From a description to an answer, step by step: what to send, how long to wait, when to give up.

A flow yields steps and is sent what came of each, so that one flow serves those who await and those who do not.
"""

import random
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any, Generic, TypeVar

import httpx

from client.call import Call, Request
from client.problem import problem

T = TypeVar("T")

_FIRST_SECONDS = 0.1
_LONGEST_SECONDS = 5.0
# A server that asks for more is not waited for: whoever called decides.
_PATIENCE_SECONDS = 30.0

_NEVER_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)
# Refused before anything was done.
_NOT_DONE = frozenset({429})
_PASSING = frozenset({408, 429, 502, 503, 504})


@dataclass(frozen=True)
class Wait:
    """Come back after so many seconds."""

    seconds: float


@dataclass(frozen=True)
class Chunk:
    """The next bytes of the streamed answer; comes back with None at its end, whole or cut off."""


@dataclass(frozen=True)
class Found(Generic[T]):
    """Something for whoever iterates."""

    item: T


Step = Request | Wait | Chunk
#: Ends with a result.
Flow = Generator[Step, Any, T]
#: Finds things on its way.
Walk = Generator[Step | Found[T], Any, None]


def answer(call: Call[T], retries: int) -> Flow[T]:
    """What the API answers; raises :class:`~client.problem.Problem`, and ``httpx.TransportError`` where it does not answer."""
    return call.read((yield from accepted(call.request(), retries)))


def accepted(request: Request, retries: int) -> Flow[httpx.Response]:
    """The answer to ``request``; raises the :class:`~client.problem.Problem` that a refusal is."""
    came = yield from answered(request, retries)
    if came.is_success or came.status_code == httpx.codes.NOT_MODIFIED:
        return came
    raise problem(came)


def answered(request: Request, retries: int) -> Flow[httpx.Response]:
    """The answer to ``request``, be it a refusal; sent again, up to ``retries`` times, only where that does nothing twice."""
    for attempt in count():
        came = yield request
        seconds = pause(request, came, attempt) if attempt < retries else None
        if seconds is not None:
            yield Wait(seconds)
        elif isinstance(came, httpx.TransportError):
            raise came
        else:
            return came
    raise AssertionError  # pragma: no cover - counting does not end


def pause(request: Request, came: httpx.Response | httpx.TransportError, attempt: int) -> float | None:
    """Seconds to wait before ``request`` is sent again, None if it must not or need not be."""
    if isinstance(came, httpx.TransportError):
        again, asked = request.repeatable or isinstance(came, _NEVER_SENT), 0.0
    else:
        again = came.status_code in (_PASSING if request.repeatable else _NOT_DONE)
        after = came.headers.get("retry-after", "")
        asked = float(after) if after.isascii() and after.isdigit() else 0.0
    if not again or asked > _PATIENCE_SECONDS:
        return None
    return asked + backoff(attempt)


def backoff(attempt: int) -> float:
    """Seconds that double with each attempt; half of them is chance, so that many clients do not come back at one moment."""
    longest = min(_FIRST_SECONDS * 2**attempt, _LONGEST_SECONDS)
    return longest * random.uniform(0.5, 1.0)  # noqa: S311 - nothing is kept secret by it


@dataclass(frozen=True, kw_only=True)
class Page(Generic[T]):
    """Items, and the cursor of the page after them; None on the last one."""

    items: Sequence[T]
    cursor: str | None


@dataclass(frozen=True, kw_only=True)
class Pages(Generic[T]):
    """A first page, and under which name its cursor asks for the next."""

    first: Call[Page[T]]
    cursor: str = "cursor"

    def walk(self, retries: int) -> Walk[T]:
        """The items of all pages, each page asked for once it is needed."""
        call = self.first
        while True:
            page = yield from answer(call, retries)
            for item in page.items:
                yield Found(item)
            if page.cursor is None:
                return
            call = call.also(**{self.cursor: page.cursor})
