"""When a request is sent again, and when it must not be; what is made of refusals. No socket, no clock."""

import pickle
from typing import Any

import httpx
import pytest

from client import (
    NotFound,
    PreconditionFailed,
    PreconditionRequired,
    Problem,
    RateLimited,
    RevisionGone,
    Unavailable,
)
from client.call import Call, Request
from client.documents import Documents
from client.events import Events
from client.flow import Wait, answer, backoff
from client.keys import Keys
from client.problem import problem
from client.tenants import Tenants
from client.vanta import RETRIES

from .driven import CUT, DOWN, drive, refusal, response

READ: Call[Any] = Documents.get.describe(None, "agents", "k")
WRITE: Call[Any] = Documents.put.describe(None, "agents", "k", 1)
#: A write that cannot be told from its repetition.
ONCE_ONLY: Call[Any] = Keys.revoke.describe(None, "0123456789abcdef")


@pytest.mark.parametrize("call", [READ, WRITE])
@pytest.mark.parametrize("came", [CUT, DOWN, refusal(503), response(502), refusal(429), refusal(408)])
def test_what_does_nothing_twice_is_sent_again_exactly_as_it_was(call: Call[Any], came: object) -> None:
    steps, result = drive(answer(call, 3), [came, came, response(200)])
    first, _, second, _, third = steps
    assert first == second == third
    assert result.etag == '"1-a"'


@pytest.mark.parametrize("came", [CUT, refusal(503), response(502), refusal(408)])
def test_what_may_have_been_done_is_not_sent_again(came: object) -> None:
    steps, error = drive(answer(ONCE_ONLY, 3), [came])
    assert len(steps) == 1
    assert isinstance(error, Problem | httpx.TransportError)


@pytest.mark.parametrize("came", [DOWN, refusal(429)])
def test_what_cannot_have_been_done_is_sent_again(came: object) -> None:
    steps, _ = drive(answer(ONCE_ONLY, 3), [came, response(204)])
    assert [type(step) for step in steps] == [Request, Wait, Request]


@pytest.mark.parametrize("status", [400, 401, 403, 404, 412, 428, 500])
def test_an_answer_that_will_not_change_is_not_asked_for_again(status: int) -> None:
    steps, error = drive(answer(READ, 3), [refusal(status)])
    assert len(steps) == 1
    assert error.status == status


def test_it_gives_up_after_so_many_retries() -> None:
    steps, error = drive(answer(READ, 2), [CUT] * 3)
    assert [type(step) for step in steps] == [Request, Wait, Request, Wait, Request]
    assert error is CUT


def test_it_goes_on_for_longer_than_a_restart_takes() -> None:
    steps, result = drive(answer(READ, RETRIES), [DOWN] * RETRIES + [response(200)])
    assert sum(step.seconds for step in steps if isinstance(step, Wait)) > 5
    assert result.etag == '"1-a"'


def test_it_waits_as_long_as_the_server_asks_but_not_for_ever() -> None:
    (_, wait, _), _ = drive(answer(READ, 3), [refusal(429, retry_after="7"), response(200)])
    assert wait.seconds > 7
    steps, error = drive(answer(READ, 3), [refusal(429, retry_after="3600")])
    assert len(steps) == 1
    assert isinstance(error, RateLimited)


def test_pauses_double_up_to_a_bound() -> None:
    assert [0.05 <= backoff(0) <= 0.1, 0.4 <= backoff(3) <= 0.8, 2.5 <= backoff(50) <= 5] == [True] * 3


def test_two_writes_have_two_idempotency_keys() -> None:
    assert WRITE.request().headers["Idempotency-Key"] != WRITE.request().headers["Idempotency-Key"]


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (404, NotFound),
        (410, RevisionGone),
        (412, PreconditionFailed),
        (428, PreconditionRequired),
        (429, RateLimited),
        (503, Unavailable),
        (403, Problem),
    ],
)
def test_a_refusal_is_an_error_with_what_the_server_said(status: int, kind: type[Problem]) -> None:
    error = problem(refusal(status, "cause"))
    assert type(error) is kind
    assert (error.status, error.type, error.title) == (status, "urn:vanta:problem:cause", "T")
    assert (error.detail, error.request_id, str(error)) == ("D.", "r", "T: D.")
    again = pickle.loads(pickle.dumps(error))  # noqa: S301 - our own
    assert (type(again), vars(again)) == (kind, vars(error))


def test_events_that_are_gone_say_after_which_one_to_go_on() -> None:
    body = b'{"type": "urn:vanta:problem:revision-gone", "after": "20-1763924142123456"}'
    error = problem(response(410, body, content_type="application/problem+json"))
    assert error.after == "20-1763924142123456"
    assert problem(refusal(404)).after is None


def test_a_failed_transaction_says_which_operations_were_refused() -> None:
    body = b'{"type": "t", "operations": [{"index": 1, "type": "urn:vanta:problem:precondition-failed"}]}'
    error = problem(response(412, body, content_type="application/problem+json"))
    assert [(one.index, one.type) for one in error.operations] == [
        (1, "urn:vanta:problem:precondition-failed")
    ]


@pytest.mark.parametrize(
    ("body", "content_type"),
    [(b"<html>", "text/html"), (b"", "application/problem+json"), (b"[1]", "application/problem+json")],
)
def test_a_refusal_by_whatever_is_in_between_is_one_too(body: bytes, content_type: str) -> None:
    error = problem(response(404, body, content_type=content_type, x_request_id="r"))
    assert (type(error), error.type, error.title, error.request_id) == (
        NotFound,
        "about:blank",
        "Not Found",
        "r",
    )


EVENT = (
    b'data: {"specversion":"1.0","id":"%d","source":"s","type":"t","subject":"u",'
    b'"time":"2026-01-31T12:00:00Z","datacontenttype":"application/json","data":{}}\n\n'
)


def event(revision: int) -> bytes:
    return b"id: %d\nevent: t\n" % revision + EVENT % revision


def found(steps: list[Any]) -> list[int]:
    return [step.item.revision for step in steps if hasattr(step, "item")]


def test_a_watch_goes_on_after_the_last_event_whatever_cuts_it() -> None:
    flow = Events.watch.describe(None).walk(3)
    whole = b": watching\nretry: 1000\nid: 41\n\n" + event(42) + event(43)
    steps, error = drive(
        flow,
        # In two pieces, then cut off in the middle of an event, then unreachable, then a bookmark alone, then refused.
        [
            response(200), whole[:150], whole[150:-20], None,
            DOWN, response(200), event(43) + b"id: 50\n\n", None,
            refusal(410),
        ],
    )  # fmt: skip
    requests = [step for step in steps if isinstance(step, Request)]
    assert found(steps) == [42, 43]
    assert [request.headers.get("Last-Event-ID") for request in requests] == [None, "42", "42", "50"]
    assert all(request.stream for request in requests)
    assert isinstance(error, RevisionGone)


def test_a_watch_waits_as_long_as_the_server_says_before_it_comes_again() -> None:
    steps, _ = drive(
        Events.watch.describe(None).walk(0),
        [
            response(200),
            b"retry: 0\nid: 1\n\n",
            None,
            response(200),
            b"retry: 9000\nid: 2\n\n",
            None,
            refusal(410),
        ],
    )
    waits = [step.seconds for step in steps if isinstance(step, Wait)]
    assert waits[0] == 0.0
    assert waits[1] > 9


def test_a_watch_that_nobody_serves_ends() -> None:
    steps, error = drive(Events.watch.describe(None).walk(3), [response(200), None] * 100)
    assert isinstance(error, httpx.RemoteProtocolError)
    assert len(steps) < 100


def test_an_export_is_read_line_by_line_and_must_be_whole() -> None:
    # U+2028 ends a line for Unicode, and none for JSON.
    lines = (
        '{"type":"tenant","data":1}\n{"type":"document","data":"\u2028"}\n{"type":"end","data":2}\n'.encode()
    )
    whole = [response(200), lines[:50], lines[50:], None]
    steps, error = drive(Tenants.export.describe(None, "t").walk(0), whole)
    assert [step.item.data for step in steps if hasattr(step, "item")] == [1, "\u2028"]
    assert error is None
    lost = lines.replace(b'{"type":"tenant","data":1}\n', b"")
    for broken in (lines[:-5], lost, b""):
        steps, error = drive(Tenants.export.describe(None, "t").walk(0), [response(200), broken, None])
        assert isinstance(error, httpx.RemoteProtocolError)
        assert all(step.item.type != "end" for step in steps if hasattr(step, "item"))


def test_the_pages_of_a_list_follow_one_another_with_the_same_query() -> None:
    pages = [
        b'{"documents":[{"key":"a","revision":1,"etag":"x"}],"prefixes":[],"cursor":"c"}',
        b'{"documents":[],"prefixes":[],"cursor":"d"}',
        b'{"documents":[{"key":"b","revision":2,"etag":"y"}],"prefixes":[]}',
    ]
    flow = Documents.list.describe(None, "agents", prefix="p", keys_only=True).walk(0)
    steps, _ = drive(flow, [response(200, page) for page in pages])
    assert [step.item.key for step in steps if hasattr(step, "item")] == ["a", "b"]
    asked = {"prefix": "p", "keysOnly": "true", "limit": "100"}
    assert [step.query for step in steps if isinstance(step, Request)] == [
        asked,
        {**asked, "cursor": "c"},
        {**asked, "cursor": "d"},
    ]
