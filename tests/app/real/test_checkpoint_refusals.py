"""What is no checkpoint is refused with a reason, and nothing is written."""

from typing import Any

import httpx
import pytest

from .checkpoints import THREAD, channels, encoded, page, put, put_write, stored, writes
from .conftest import Database, Tenant

GOOD: dict[str, Any] = {**encoded("x"), "metadata": {}, "channels": channels({"a": "x"}, "1")}


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({}, 422),
        ({**GOOD, "more": 1}, 422),
        ({**GOOD, "metadata": []}, 422),
        ({**GOOD, "metadata": {"a": "\0"}}, 422),
        ({**GOOD, "data": "no base64"}, 422),
        ({**GOOD, "type": ""}, 422),
        ({**GOOD, "namespace": "x" * 385}, 422),
        ({**GOOD, "namespace": "a\nb"}, 422),
        ({**GOOD, "parent": "a/b"}, 422),
        ({**GOOD, "channels": {"": GOOD["channels"]["a"]}}, 422),
        ({**GOOD, "channels": {"a": {"version": "1", "parts": []}}}, 422),
        ({**GOOD, "channels": {"a": {"version": "1", "parts": [encoded("x"), encoded("y")]}}}, 422),
        ({**GOOD, "channels": {f"{n}": {"version": "1"} for n in range(513)}}, 422),
        ({**GOOD, "channels": channels({"a": [""] * 30_000, "b": [""] * 20_001}, "1")}, 422),
        ([], 422),
    ],
)
def test_a_body_that_is_no_checkpoint_is_refused(
    client: httpx.Client, database: Database, tenant: Tenant, body: Any, status: int
) -> None:
    answer = client.put(f"{THREAD}/checkpoints/1", json=body)
    assert answer.status_code == status, answer.text
    assert set(stored(database, tenant).values()) == {0}


@pytest.mark.parametrize(
    "path",
    [
        "/v1/agents/-/threads/t/checkpoints/1",
        "/v1/agents/planner/threads/%20/checkpoints/1",
        "/v1/agents/planner/threads/%C3%A9/checkpoints/1",
        f"/v1/agents/planner/threads/{'t' * 513}/checkpoints/1",
        "/v1/agents/planner/threads/t/checkpoints/%7E",
        f"/v1/agents/planner/threads/t/checkpoints/{'1' * 129}",
    ],
)
def test_a_name_that_is_not_allowed_is_refused(client: httpx.Client, path: str) -> None:
    answer = client.put(path, json=GOOD)
    assert (answer.status_code, answer.json()["type"]) == (400, "urn:vanta:problem:invalid-key")


@pytest.mark.parametrize(
    "query",
    [
        "limit=0",
        "limit=101",
        "before=%00",
        "namespace=%00",
        "filter=x",
        "filter=[]",
        "filter=%7B%22a%22:1,%22a%22:2%7D",
        "filter=%22%5Cu0000%22",
        "more=1",
    ],
)
def test_a_query_that_cannot_be_meant_is_refused(client: httpx.Client, query: str) -> None:
    answer = client.get(f"{THREAD}/checkpoints?{query}")
    assert (answer.status_code, answer.json()["type"]) == (400, "urn:vanta:problem:invalid-query")


def test_the_longest_names_can_be_stored(client: httpx.Client) -> None:
    thread = f"/v1/agents/{'a' * 128}/threads/{'t' * 512}"
    # As hard to compress as it gets, for an index compresses too.
    wide = "".join(chr(0x4E00 + number * 37 % 20_000) for number in range(384))
    name = "".join(chr(97 + number * 7 % 26) for number in range(128))
    answer = put(client, name, {wide[:192]: "x"}, thread=thread, namespace=wide, version="v" * 128)
    assert answer.status_code == 201, answer.text
    assert put_write(client, name, name, {0: "w"}, thread=thread, namespace=wide).status_code == 204
    assert writes(page(client, thread=thread, namespace=wide)) == [(name, 0, "w")]


def test_a_body_over_the_limit_is_refused(client: httpx.Client) -> None:
    answer = put(client, "1", data="x" * 6_500_000)
    assert (answer.status_code, answer.json()["type"]) == (413, "urn:vanta:problem:body-too-large")


def test_a_tenant_that_was_erased_just_now_is_refused(
    client: httpx.Client, database: Database, tenant: Tenant
) -> None:
    put(client, "1")
    database.query("delete from vanta.tenant where tenant_id = $1", tenant.id)
    answers = [
        put(client, "2"),
        put_write(client, "1", "t", {0: "w"}),
        client.put("/v1/agents/a/retention", json={}),
    ]
    assert [answer.status_code for answer in answers] == [401] * 3
    assert set(stored(database, tenant).values()) <= {0, None}
