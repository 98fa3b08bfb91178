"""Settings of collections are not overwritten by who does not know them."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any
from uuid import uuid4

import asyncpg
import httpx
import pytest

from app.api.problems import TYPE_PREFIX
from app.state.collection import Collections, Settings

from .conftest import Database, Served, Tenant

SETTINGS = "/v1/collections/notes"
ANY = {"vanta-concurrency": "last-write-wins"}
STRANGE = '"0000000000000000"'


def put(client: httpx.Client, ttl: int, path: str = SETTINGS, **headers: str) -> httpx.Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return client.put(path, json={"ttl": ttl}, headers=named)


def problem(response: httpx.Response) -> tuple[int, str]:
    return response.status_code, response.json()["type"].removeprefix(TYPE_PREFIX)


@pytest.mark.parametrize("method", ["PUT", "DELETE"])
@pytest.mark.parametrize(
    ("headers", "refusal"),
    [
        ({}, (428, "precondition-required")),
        ({"if-match": STRANGE}, (412, "precondition-failed")),
        ({"if-match": "W/{etag}"}, (412, "precondition-failed")),
        ({"if-none-match": "*"}, (412, "precondition-failed")),
        ({"if-match": "{etag}", "vanta-concurrency": "last-write-wins"}, (400, "invalid-precondition")),
        ({"if-match": "tag"}, (400, "invalid-precondition")),
        ({"if-none-match": "{etag}"}, (400, "invalid-precondition")),
        ({"vanta-concurrency": "yes"}, (400, "invalid-precondition")),
        ({"if-match": "{etag}"}, None),
        ({"if-match": f"{STRANGE}, {{etag}}"}, None),
        ({"if-match": "*"}, None),
        (ANY, None),
    ],
)
def test_settings_that_there_are_change_only_for_who_says_what_they_expect(
    client: httpx.Client,
    database: Database,
    tenant: Tenant,
    method: str,
    headers: dict[str, str],
    refusal: tuple[int, str] | None,
) -> None:
    etag = put(client, 60).headers["etag"]
    before = database.trace(tenant.id)
    said = {name: value.format(etag=etag) for name, value in headers.items()}
    answer = client.request(method, SETTINGS, headers=said, json={"ttl": 61} if method == "PUT" else None)
    now = client.get(SETTINGS)
    if refusal:
        assert problem(answer) == refusal
        assert (now.json()["ttl"], now.headers["etag"]) == (60, etag)
        assert database.trace(tenant.id) == before
    elif method == "PUT":
        assert (answer.status_code, now.json()["ttl"]) == (200, 61)
        assert etag != answer.headers["etag"] == now.headers["etag"]
    else:
        assert (answer.status_code, now.status_code) == (204, 404)


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"if-none-match": "*"}, 200),
        (ANY, 200),
        ({"if-match": STRANGE}, 412),
        ({"if-match": "*"}, 412),
    ],
)
def test_where_there_are_none_only_who_expects_some_is_refused(
    client: httpx.Client, headers: dict[str, str], status: int
) -> None:
    assert client.delete(SETTINGS, headers=headers).status_code == (status if status == 412 else 404)
    assert client.put(SETTINGS, json={}, headers=headers).status_code == status
    assert client.get(SETTINGS).status_code == (404 if status == 412 else 200)


def test_a_tag_is_of_what_is_set_and_of_where(
    api: Served, client: httpx.Client, new_tenant: Callable[[], Tenant]
) -> None:
    etag = put(client, 60).headers["etag"]
    changed = put(client, 61, if_match=etag).headers["etag"]
    assert put(client, 60, if_match=changed).headers["etag"] == etag
    client.delete(SETTINGS, headers={"if-match": etag})
    assert put(client, 60, if_match=etag).status_code == 412
    assert put(client, 60).headers["etag"] == etag
    assert put(client, 60, "/v1/collections/other").headers["etag"] not in {etag, changed}
    with httpx.Client(base_url=api.url, headers=new_tenant().headers) as stranger:
        assert put(stranger, 60).headers["etag"] not in {etag, changed}
        assert put(stranger, 61, if_match=etag).status_code == 412
        assert stranger.get(SETTINGS, headers={"if-none-match": etag}).status_code == 200


def test_who_has_them_is_not_sent_them_again(client: httpx.Client) -> None:
    etag = put(client, 60).headers["etag"]
    same = client.get(SETTINGS, headers={"if-none-match": f"{STRANGE}, {etag}"})
    assert (same.status_code, same.headers["etag"], same.content) == (304, etag, b"")
    put(client, 61, **ANY)
    assert client.get(SETTINGS, headers={"if-none-match": etag}).json()["ttl"] == 61


def test_a_page_has_the_tags(client: httpx.Client) -> None:
    for ttl, name in enumerate("ab", start=1):
        put(client, ttl, f"/v1/collections/{name}")
    listed = client.get("/v1/collections").json()["collections"]
    for name, settings in listed.items():
        read = client.get(f"/v1/collections/{name}")
        assert settings == {**read.json(), "etag": read.headers["etag"]}


@pytest.mark.parametrize(
    ("condition", "refused"),
    [("{etag}", 412), ("*", 412), (None, 428)],
    ids=["one changes what all have read", "one creates", "one creates, unsaid"],
)
def test_of_many_at_once_one_is_done_and_all_others_are_told(
    client: httpx.Client, condition: str | None, refused: int
) -> None:
    headers: dict[str, str] = {}
    if condition == "{etag}":
        headers = {"if_match": put(client, 1).headers["etag"]}
    elif condition:
        headers = {"if_none_match": condition}
    with ThreadPoolExecutor(8) as executor:
        answers = [*executor.map(lambda ttl: put(client, ttl, **headers), range(100, 116))]
    assert sorted(answer.status_code for answer in answers) == [200, *[refused] * 15]
    (done,) = (answer for answer in answers if answer.status_code == 200)
    now = client.get(SETTINGS)
    assert (now.json(), now.headers["etag"]) == (done.json(), done.headers["etag"])


def test_no_change_of_operators_who_read_before_they_write_is_lost(client: httpx.Client) -> None:
    put(client, 1)
    all_have_read = Barrier(6)

    def raise_five_times(_: int) -> int:
        raised = refused = 0
        while raised < 5:
            read = client.get(SETTINGS)
            if raised + refused == 0:
                all_have_read.wait(60)
            answer = put(client, read.json()["ttl"] + 1, if_match=read.headers["etag"])
            if answer.status_code == 200:
                raised += 1
            else:
                assert problem(answer) == (412, "precondition-failed")
                refused += 1
        return refused

    with ThreadPoolExecutor(6) as executor:
        refused = sum(executor.map(raise_five_times, range(6)))
    assert client.get(SETTINGS).json()["ttl"] == 31
    assert refused >= 5


async def test_who_sends_no_condition_is_the_release_before(pool: asyncpg.Pool, tenant: Tenant) -> None:
    async def old(statement: str, *arguments: Any) -> Any:
        return await pool.fetchval(f"select vanta.{statement}", tenant.id, "notes", *arguments)

    for ttl in (60, 61):
        await old("put_collection($1, $2, $3, $4, $5, $6, $7)", "precondition", ttl, None, None, None)
        found = await Collections(pool).get(tenant.id, "notes")
        assert found is not None
        assert found.settings == Settings(ttl=ttl)
    assert [bool(await old("delete_collection($1, $2, $3)", None)) for _ in range(2)] == [True, False]


async def test_a_tenant_that_was_erased_meanwhile_has_none(pool: asyncpg.Pool) -> None:
    collections, nobody = Collections(pool), uuid4()
    assert await collections.put(nobody, "c", Settings(), "none", (), None) == "unknown_tenant"
    assert await collections.delete(nobody, "c", "none", (), None) == "not_found"
