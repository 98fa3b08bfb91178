"""A flow without a socket and without a clock: what comes of its steps is given."""

from collections.abc import Iterable
from typing import Any

import httpx

from client import Problem
from client.call import Request, encode
from client.flow import Chunk, Flow, Walk

CUT = httpx.ReadError("cut")
DOWN = httpx.ConnectError("down")


def response(status: int, body: bytes = b"1", **headers: str) -> httpx.Response:
    return httpx.Response(
        status,
        content=body,
        headers={"etag": '"1-a"', **{name.replace("_", "-"): value for name, value in headers.items()}},
        request=httpx.Request("GET", "http://api/"),
    )


def refusal(status: int, name: str = "x", **headers: str) -> httpx.Response:
    body = {
        "type": f"urn:vanta:problem:{name}",
        "title": "T",
        "status": status,
        "detail": "D.",
        "requestId": "r",
    }
    return response(status, encode(body), content_type="application/problem+json", **headers)


def drive(flow: Flow[Any] | Walk[Any], came: Iterable[object]) -> tuple[list[Any], Any]:
    """The steps of ``flow``, each but the waits answered by the next of ``came``; and its result, or what it raised."""
    steps: list[Any] = []
    answers = iter(came)
    try:
        step = next(flow)
        while True:
            steps.append(step)
            step = flow.send(next(answers) if isinstance(step, Request | Chunk) else None)
    except StopIteration as end:
        return steps, end.value
    except (Problem, httpx.TransportError) as error:
        return steps, error
