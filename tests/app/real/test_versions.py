"""Versions: listed, read, restored, and in the end pruned."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from app.api.problems import TYPE_PREFIX
from app.db import postgres as app_postgres
from app.state.sweeper import Sweeper

from .conftest import Database, Served, Tenant, run

PATH = "/v1/state/notes/a/b"
VERSIONS = "/v1/versions/notes/a/b"
ANY = {"vanta-concurrency": "last-write-wins"}


def versions(client: httpx.Client, **query: str | int) -> list[dict[str, Any]]:
    return client.get(VERSIONS, params=query).raise_for_status().json()["versions"]


def test_versions_are_listed_the_newest_first_with_deletions(client: httpx.Client) -> None:
    first = client.put(PATH, json="one").headers["etag"]
    client.delete(PATH, headers=ANY)
    second = client.put(PATH, json="é").headers["etag"]
    listed = versions(client)
    assert [version.get("etag") for version in listed] == [second, None, first]
    assert [(version["bytes"], version["deleted"]) for version in listed] == [
        (4, False),
        (0, True),
        (5, False),
    ]
    assert sorted(version["revision"] for version in listed)[::-1] == [v["revision"] for v in listed]
    assert all(version["writtenAt"].endswith("Z") for version in listed)


def test_versions_come_in_pages(client: httpx.Client) -> None:
    for value in range(5):
        client.put(PATH, json=value, headers=ANY)
    found, query = [], {"limit": 2}
    while True:
        page = client.get(VERSIONS, params=query).json()
        found += [version["revision"] for version in page["versions"]]
        if "cursor" not in page:
            break
        query["cursor"] = page["cursor"]
    assert found == [version["revision"] for version in versions(client)]
    assert len(found) == 5


def test_one_version_is_read_as_it_was_put(client: httpx.Client) -> None:
    body = b'{"n" : 1.10}'
    etag = client.put(PATH, content=body, headers={"content-type": "application/json"}).headers["etag"]
    client.put(PATH, json=2, headers=ANY)
    revision = versions(client)[-1]["revision"]
    read = client.get(PATH, params={"revision": revision})
    assert (read.content, read.headers["etag"]) == (body, etag)
    fresh = client.get(PATH, params={"revision": revision}, headers={"if-none-match": etag})
    assert fresh.status_code == 304
    assert client.head(PATH, params={"revision": revision}).headers["etag"] == etag
    assert client.get(PATH, params={"revision": revision + 100}).status_code == 404
    assert client.get(PATH, params={"revision": 2**63 - 1}).status_code == 404


@pytest.mark.parametrize("revision", ["0", "-1", "x", "", "1.5", str(2**63)])
def test_what_is_no_revision_is_refused(client: httpx.Client, revision: str) -> None:
    refused = client.get(PATH, params={"revision": revision})
    assert (refused.status_code, refused.json()["type"]) == (400, f"{TYPE_PREFIX}invalid-query")


def test_a_restore_writes_an_earlier_version_again_under_the_usual_preconditions(
    client: httpx.Client,
) -> None:
    client.put(PATH, json="one")
    etag = client.put(PATH, json="two", headers=ANY).headers["etag"]
    body = {"restore": versions(client)[-1]["revision"]}
    assert client.post(VERSIONS, json=body).status_code == 428
    assert client.post(VERSIONS, json=body, headers={"if-match": '"0-0"'}).status_code == 412
    restored = client.post(VERSIONS, json=body, headers={"if-match": etag})
    assert restored.status_code == 200
    read = client.get(PATH)
    assert (read.json(), read.headers["etag"]) == ("one", restored.headers["etag"])
    assert len(versions(client)) == 3


def test_a_deleted_document_can_be_restored(client: httpx.Client) -> None:
    client.put(PATH, json="one")
    client.delete(PATH, headers=ANY)
    deletion, first = (version["revision"] for version in versions(client))
    assert client.post(VERSIONS, json={"restore": deletion}).status_code == 404
    restored = client.post(VERSIONS, json={"restore": first}, headers={"vanta-ttl": "3600"})
    assert (restored.status_code, restored.headers["location"]) == (201, PATH)
    assert "vanta-expires-at" in restored.headers
    assert client.get(PATH).json() == "one"


def test_a_version_whose_own_time_has_passed_is_neither_listed_nor_read_nor_restored(
    client: httpx.Client, database: Database, tenant: Tenant
) -> None:
    client.put(PATH, json="secret", headers={"vanta-ttl": "3600"})
    revision = versions(client)[0]["revision"]
    client.put(PATH, json="public", headers=ANY)
    database.query(
        "update vanta.document_version set expires_at = now() where tenant_id = $1 and revision = $2",
        tenant.id,
        revision,
    )
    assert [version["revision"] for version in versions(client)] != [revision]
    assert len(versions(client)) == 1
    assert client.get(PATH, params={"revision": revision}).status_code == 404
    assert client.post(VERSIONS, json={"restore": revision}, headers=ANY).status_code == 404


@pytest.mark.parametrize("body", [{}, {"restore": 0}, {"restore": "1"}, {"restore": 1, "x": 1}, [1]])
def test_a_restore_of_nothing_is_refused(client: httpx.Client, body: object) -> None:
    refused = client.post(VERSIONS, json=body)
    assert (refused.status_code, refused.json()["type"]) == (422, f"{TYPE_PREFIX}invalid-body")


def test_versions_are_of_one_tenant(
    api: Served, client: httpx.Client, new_tenant: Callable[[], Tenant]
) -> None:
    client.put(PATH, json="mine")
    revision = versions(client)[0]["revision"]
    with httpx.Client(base_url=api.url, headers=new_tenant().headers) as other:
        assert other.get(VERSIONS).status_code == 404
        for number in range(1, revision + 1):
            assert other.get(PATH, params={"revision": number}).status_code == 404
            assert other.post(VERSIONS, json={"restore": number}).status_code == 404


def sweep(database: Database, times: int = 1) -> None:
    async def work() -> None:
        pool = await app_postgres.pool(database.settings, 1)
        sweeper = Sweeper(pool)
        for _ in range(times):
            await sweeper.sweep()
        await pool.close()

    run(work())


def age(database: Database, tenant: Tenant, days: int) -> None:
    database.query(
        "update vanta.document_version set written_at = written_at - make_interval(days => $2) where tenant_id = $1",
        tenant.id,
        days,
    )


def test_a_version_is_kept_for_days_after_it_was_replaced_and_the_current_one_for_ever(
    client: httpx.Client, database: Database, tenant: Tenant
) -> None:
    client.put(PATH, json="old")
    age(database, tenant, 400)
    sweep(database)
    assert len(versions(client)) == 1
    client.put(PATH, json="new", headers=ANY)
    sweep(database)
    # Written long ago, but replaced just now.
    assert len(versions(client)) == 2
    age(database, tenant, 29)
    sweep(database)
    assert len(versions(client)) == 2
    age(database, tenant, 2)
    sweep(database)
    assert len(versions(client)) == 1
    assert client.get(PATH).json() == "new"


def test_of_a_deleted_document_nothing_is_left_in_the_end(
    client: httpx.Client, database: Database, tenant: Tenant
) -> None:
    client.put(PATH, json="old")
    client.delete(PATH, headers=ANY)
    age(database, tenant, 31)
    sweep(database)
    assert client.get(VERSIONS).status_code == 404


def test_a_collection_says_how_long_its_versions_are_kept(
    client: httpx.Client, database: Database, tenant: Tenant
) -> None:
    client.put("/v1/collections/notes", json={"keepVersionsDays": 0})
    for value in range(3):
        client.put(PATH, json=value, headers=ANY)
    sweep(database)
    assert len(versions(client)) == 1
    client.put("/v1/collections/notes", json={"keepVersionsDays": 90}, headers=ANY)
    client.put(PATH, json="last", headers=ANY)
    age(database, tenant, 60)
    sweep(database)
    assert len(versions(client)) == 2


def test_a_collection_may_keep_no_value_that_is_not_current(
    client: httpx.Client, database: Database, tenant: Tenant
) -> None:
    """Docs/adr/0017: a write removes what it replaces, and the sweeper what was deleted."""
    client.put("/v1/collections/notes", json={"maxVersions": 1, "keepVersionsDays": 0})

    def stored() -> set[str]:
        kept = "select value from vanta.document_version where tenant_id = $1 and value is not null"
        return {row["value"] for row in database.query(kept, tenant.id)}

    client.put(PATH, json="first")
    client.put(PATH, json="second", headers=ANY)
    assert stored() == {'"second"'}
    client.delete(PATH, headers=ANY)
    sweep(database)
    assert stored() == set()


def test_the_walk_goes_through_all_versions_page_by_page(
    client: httpx.Client,
    database: Database,
    tenant: Tenant,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("app.state.sweeper._PAGE", 2)
    for key in ("1", "2", "3"):
        for value in range(3):
            client.put(f"/v1/state/notes/{key}", json=value, headers=ANY)
    age(database, tenant, 31)
    # A page that has nothing to prune ends a round, so it takes some.
    sweep(database, times=8)
    left = database.query(
        "select key, value from vanta.document_version where tenant_id = $1 and collection = 'notes' order by key",
        tenant.id,
    )
    assert [tuple(row) for row in left] == [("1", "2"), ("2", "2"), ("3", "2")]
