"""What is sent, and what is refused before it is."""

import traceback
from dataclasses import dataclass
from typing import Any

import httpx
import msgspec
import pytest

from client import AsyncVanta, ETag, Expect, Vanta
from client.call import encode
from client.documents import Documents
from client.langgraph import VantaSaver
from client.secrets import Secrets
from client.sessions import Sessions


@pytest.mark.parametrize("key", ["..", "../../keys", "a/./b", "a?b#c", "a%2fb", "ü"])
def test_a_name_leads_to_no_other_route(key: str) -> None:
    path = httpx.URL("http://api" + Documents.get.describe(None, "agents", key).request().path)
    assert path.raw_path.startswith(b"/v1/state/agents/")
    assert b"/../" not in path.raw_path
    assert httpx.URL("http://api/").join(str(path)).raw_path == path.raw_path
    assert not path.raw_path.count(b"?")


def test_an_empty_name_is_refused() -> None:
    with pytest.raises(ValueError, match="key is empty"):
        Documents.delete.describe(None, "agents", "").request()


@pytest.mark.parametrize("value", [float("nan"), float("inf"), {"a": [float("-inf")]}, "\ud800"])
def test_what_json_cannot_say_is_refused_before_it_is_sent(value: object) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - the encoder's own words
        Documents.put.describe(None, "agents", "k", value)


def test_expectations_are_the_headers_of_the_api() -> None:
    said = {
        expect: {
            name: value
            for name, value in Secrets.put.describe(None, "p", 1, expect=expect).request().headers.items()
            if name != "Content-Type"
        }
        for expect in (ETag('"1-a"'), *Expect, None)
    }
    assert said == {
        '"1-a"': {"If-Match": '"1-a"'},
        Expect.ABSENT: {"If-None-Match": "*"},
        Expect.PRESENT: {"If-Match": "*"},
        Expect.ANYTHING: {"Vanta-Concurrency": "last-write-wins"},
        None: {},
    }


@pytest.mark.parametrize("value", [{1, 2}, frozenset(), b"x", bytearray(b"x"), memoryview(b"x")])
@pytest.mark.parametrize("around", [lambda v: v, lambda v: {"a": [1, (v,)]}])
def test_what_would_come_back_as_something_else_is_refused(value: object, around: Any) -> None:
    with pytest.raises(TypeError, match="would come back as"):
        Documents.put.describe(None, "agents", "k", around(value))
    with pytest.raises(TypeError, match="would come back as"):
        Secrets.put.describe(None, "p", around(value))


def test_what_is_read_back_as_its_own_type_is_welcome() -> None:
    @dataclass
    class Kept:
        seen: set[int]
        blob: bytes

    kept = Kept({1, 2}, b"x")
    assert msgspec.json.decode(encode(kept), type=Kept) == kept


@pytest.mark.parametrize("key", ["", "vanta_hush\n", "vanta_hush ", "vanta_hush\r\nX: y", "vanta_hush\u2028"])
@pytest.mark.parametrize("client", [Vanta, AsyncVanta, lambda url, key: VantaSaver(url, key, "planner")])
def test_a_key_that_can_be_none_is_refused_and_not_told(client: Any, key: str) -> None:
    with pytest.raises(ValueError, match="The key is empty, or has a line end") as refused:
        client("http://api", key)
    assert "hush" not in "".join(traceback.format_exception(refused.value))


def test_a_token_that_can_be_none_is_not_told() -> None:
    with pytest.raises(ValueError, match="Vanta-Session is empty, or has") as refused:
        Sessions.read.describe(None, "hush\n").request()
    assert "hush" not in "".join(traceback.format_exception(refused.value, limit=-1))


def test_an_agent_has_a_name() -> None:
    with pytest.raises(ValueError, match="agent is empty"):
        VantaSaver("http://api", "key", "")
