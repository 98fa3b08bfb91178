"""Lists of documents by prefix: each once, in order, none of another tenant, and no work beyond the page."""

import json
from collections.abc import Callable, Sequence
from typing import Any

import asyncpg
import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.api.problems import TYPE_PREFIX
from app.db import postgres as app_postgres
from app.state.document import Name, Write, digest
from app.state.lists import Lists
from app.state.store import Store

from .conftest import Database, Served, Tenant

STATE = "/v1/state/files"


def put(client: httpx.Client, *keys: str) -> None:
    for key in keys:
        assert client.put(f"{STATE}/{key}", json=key).status_code == 201


def pages(client: httpx.Client, **query: str | int) -> list[dict[str, Any]]:
    found = [client.get(STATE, params=query).raise_for_status().json()]
    while "cursor" in found[-1]:
        found.append(
            client.get(STATE, params={**query, "cursor": found[-1]["cursor"]}).raise_for_status().json()
        )
    return found


def keys(pages: Sequence[dict[str, Any]]) -> list[str]:
    return [document["key"] for page in pages for document in page["documents"]]


def test_a_page_has_keys_values_and_what_a_read_would_say_of_them(client: httpx.Client) -> None:
    body = b'{"n" : 1.10}'
    put(client, "b")
    headers = {"content-type": "application/json", "vanta-ttl": "3600"}
    written = client.put(f"{STATE}/a", content=body, headers=headers)
    answer = client.get(STATE)
    one, other = answer.json()["documents"]
    assert one["key"], other["key"] == ("a", "b")
    assert b'"value":' + body in answer.content
    assert (one["etag"], one["expiresAt"]) == (written.headers["etag"], written.headers["vanta-expires-at"])
    assert "expiresAt" not in other
    assert "cursor" not in answer.json()


def test_keys_only_leaves_the_values_out(client: httpx.Client) -> None:
    put(client, "a")
    (only,) = client.get(STATE, params={"keysOnly": "true"}).json()["documents"]
    assert set(only) == {"key", "revision", "etag"}


def test_a_collection_that_nobody_wrote_to_is_empty(client: httpx.Client) -> None:
    assert client.get(STATE).json() == {"documents": [], "prefixes": []}


def test_a_delimiter_shows_one_level_as_in_a_folder(client: httpx.Client) -> None:
    put(client, "a", "d/1", "d/2", "d/e/1", "d/e/2", "d.x", "z/1")
    (page,) = pages(client, delimiter="/", keysOnly="true")
    assert (keys([page]), page["prefixes"]) == (["a", "d.x"], ["d/", "z/"])
    (page,) = pages(client, delimiter="/", prefix="d/")
    assert (keys([page]), page["prefixes"]) == (["d/1", "d/2"], ["d/e/"])
    assert keys(pages(client, prefix="d/")) == ["d/1", "d/2", "d/e/1", "d/e/2"]


def test_expired_and_deleted_documents_never_appear_nor_do_their_folders(
    client: httpx.Client, database: Database, tenant: Tenant
) -> None:
    put(client, "a", "dead/1", "gone", "z")
    database.query(
        "update vanta.document set expires_at = now() where tenant_id = $1 and key = 'dead/1'", tenant.id
    )
    client.delete(f"{STATE}/gone", headers={"if-match": "*"})
    assert keys(pages(client)) == ["a", "z"]
    (page,) = pages(client, delimiter="/")
    assert page["prefixes"] == []


def test_a_page_of_large_values_ends_before_they_are_too_many(client: httpx.Client) -> None:
    for number in range(6):
        client.put(f"{STATE}/{number}", json="x" * 1_000_000)
    found = pages(client)
    assert [len(page["documents"]) for page in found] == [4, 2]
    assert len(pages(client, keysOnly="true")) == 1


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_through_any_pages_each_key_comes_once_and_in_order(
    api: Served, new_tenant: Callable[[], Tenant], data: st.DataObject
) -> None:
    segment = st.text("aB~!-.", min_size=1, max_size=3).filter(lambda text: text not in {".", ".."})
    wanted = data.draw(st.sets(st.lists(segment, min_size=1, max_size=3).map("/".join), max_size=12))
    prefix = data.draw(st.sampled_from(["", "a", "a/", "~", "B/a"]))
    limit = data.draw(st.integers(1, 5))
    with httpx.Client(base_url=api.url, headers=new_tenant().headers) as client:
        put(client, *wanted)
        below = sorted(key for key in wanted if key.startswith(prefix))
        assert keys(pages(client, prefix=prefix, limit=limit)) == below
        found = pages(client, prefix=prefix, limit=limit, delimiter="/")
        assert all(len(page["documents"]) + len(page["prefixes"]) <= limit for page in found)
        rests = {key: key.removeprefix(prefix) for key in below}
        assert keys(found) == [key for key, rest in rests.items() if "/" not in rest]
        folders = {prefix + rest.split("/")[0] + "/" for rest in rests.values() if "/" in rest}
        assert [folder for page in found for folder in page["prefixes"]] == sorted(folders)


def refused(response: httpx.Response, problem: str) -> bool:
    return (response.status_code, response.json()["type"]) == (400, f"{TYPE_PREFIX}{problem}")


def test_a_cursor_is_refused_by_every_other_listing(
    api: Served, client: httpx.Client, new_tenant: Callable[[], Tenant]
) -> None:
    put(client, "a/1", "a/2")
    cursor = client.get(STATE, params={"limit": 1, "prefix": "a"}).json()["cursor"]
    for query in ({"prefix": "b"}, {}, {"prefix": "a", "delimiter": "/"}):
        assert refused(client.get(STATE, params={**query, "cursor": cursor}), "invalid-cursor")
    same = {"prefix": "a", "cursor": cursor}
    assert refused(client.get("/v1/state/others", params=same), "invalid-cursor")
    assert refused(client.get("/v1/versions/files/a/1", params={"cursor": cursor}), "invalid-cursor")
    with httpx.Client(base_url=api.url, headers=new_tenant().headers) as other:
        put(other, "a/1", "a/2")
        assert refused(other.get(STATE, params=same), "invalid-cursor")
    assert keys([client.get(STATE, params={**same, "keysOnly": "true"}).json()]) == ["a/2"]


@pytest.mark.parametrize(
    "query",
    [
        {"limit": "0"},
        {"limit": "1001"},
        {"limit": "x"},
        {"delimiter": "."},
        {"keysOnly": "maybe"},
        {"prefix": "a\0"},
        {"prefix": "é"},
        {"prefix": "a" * 513},
        {"recursive": "true"},
    ],
)
def test_a_query_that_makes_no_sense_is_refused(client: httpx.Client, query: dict[str, str]) -> None:
    assert refused(client.get(STATE, params=query), "invalid-query")


def test_one_tenant_lists_nothing_of_another(
    api: Served, client: httpx.Client, new_tenant: Callable[[], Tenant]
) -> None:
    put(client, "a/1", "b")
    with httpx.Client(base_url=api.url, headers=new_tenant().headers) as other:
        put(other, "mine")
        for query in ({}, {"prefix": "a/"}, {"delimiter": "/"}):
            found = other.get(STATE, params=query).json()
            assert set(keys([found])) <= {"mine"}
            assert found["prefixes"] == []


async def test_a_page_is_a_range_of_the_primary_key_without_sort_or_scan(
    pool: asyncpg.Pool, database: Database, tenant: Tenant
) -> None:
    epoch = database.query("select epoch from vanta.cache_epoch")[0][0]
    writes = [
        Write(
            name=Name(tenant.id, "files", f"{number // 100:02}/{number % 100:02}"),
            value="1",
            digest=digest(b"1"),
        )
        for number in range(3000)
    ]
    await Store(pool).write(writes, epoch)
    database.query("analyze vanta.document, vanta.document_version")
    plans: list[dict[str, Any]] = []
    connection = await app_postgres.connect(database.settings, "database-master")
    try:
        for statement in (
            "load 'auto_explain'",
            "set auto_explain.log_min_duration = 0",
            "set auto_explain.log_nested_statements = on",
            "set auto_explain.log_analyze = on",
            "set auto_explain.log_format = json",
            "set client_min_messages = log",
            # A superuser is not bound by row-level security, and so plans without it.
            f'set role "{database.settings.secrets.login("database-app").username}"',
        ):
            await connection.execute(statement)
        connection.add_log_listener(
            lambda _, message: plans.append(json.loads(message.message.partition("plan:\n")[2]))
        )
        lists = Lists(connection)  # ty: ignore[invalid-argument-type] - it is asked as a pool would be
        queries: tuple[tuple[str, str, str | None], ...] = (
            ("", "10/50", None),
            ("10/", "10/50", None),
            ("", "", "/"),
        )
        for prefix, after, delimiter in queries:
            page = await lists.documents(
                tenant.id,
                "files",
                prefix=prefix,
                after=after,
                delimiter=delimiter,
                limit=10,
                values=True,
            )
            assert len(page.documents) + len(page.prefixes) == 10
        await lists.versions(Name(tenant.id, "files", "10/50"), before=None, limit=10)
    finally:
        await connection.close()
    nodes = [
        node for plan in plans if "vanta.document" in plan["Query Text"] for node in _nodes(plan["Plan"])
    ]
    scans = [node for node in nodes if "Relation Name" in node]
    assert {node["Relation Name"] for node in scans} >= {"document", "document_version"}
    assert {node["Node Type"] for node in scans} <= {"Index Scan", "Index Only Scan"}
    assert {node["Index Name"] for node in scans} == {"document_pkey", "document_version_pkey"}
    assert not [node for node in nodes if "Sort" in node["Node Type"]]
    # What PL/pgSQL fetches ahead; of 3000 documents.
    assert max(node["Actual Rows"] * node["Actual Loops"] for node in scans) <= 60


def _nodes(plan: dict[str, Any]) -> list[dict[str, Any]]:
    return [plan, *(node for below in plan.get("Plans", []) for node in _nodes(below))]
