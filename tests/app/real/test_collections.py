"""Settings of collections: who says nothing gets what they say."""

from collections.abc import Callable

import httpx
import pytest

from app.api.problems import TYPE_PREFIX

from .conftest import Database, Served, Tenant

SETTINGS = "/v1/collections/notes"
PATH = "/v1/state/notes/a"
ANY = {"vanta-concurrency": "last-write-wins"}


def test_settings_are_put_read_listed_and_deleted(client: httpx.Client) -> None:
    assert client.get(SETTINGS).json()["type"] == f"{TYPE_PREFIX}collection-not-found"
    wanted = {"concurrency": "last-write-wins", "ttl": 60, "maxVersions": 5, "keepVersionsDays": 0}
    assert client.put(SETTINGS, json=wanted).json() == wanted
    assert client.get(SETTINGS).json() == wanted
    assert [*client.get("/v1/collections").json()["collections"]] == ["notes"]
    defaults = {"concurrency": "precondition", "ttl": None, "maxVersions": None, "keepVersionsDays": None}
    assert client.put(SETTINGS, json={}, headers=ANY).json() == defaults
    assert client.get(SETTINGS).json() == defaults
    assert client.delete(SETTINGS, headers=ANY).status_code == 204
    assert client.delete(SETTINGS).status_code == 404
    assert client.get("/v1/collections").json() == {"collections": {}}


def test_collections_come_in_pages(client: httpx.Client) -> None:
    names = [f"c{number}" for number in range(5)]
    for name in names:
        client.put(f"/v1/collections/{name}", json={})
    found: list[str] = []
    cursor: dict[str, str] = {}
    while True:
        page = client.get("/v1/collections", params={"limit": 2, **cursor}).json()
        found += page["collections"]
        if "cursor" not in page:
            break
        cursor = {"cursor": page["cursor"]}
    assert found == names


@pytest.mark.parametrize(
    "settings",
    [
        {"ttl": 0},
        {"maxVersions": 0},
        {"keepVersionsDays": -1},
        {"concurrency": "none"},
        {"max_versions": 1},
        {"ttl": 1.5},
        {"ttl": 315360001},
        [],
    ],
)
def test_settings_that_make_no_sense_are_refused_and_nothing_is_set(
    client: httpx.Client, settings: object
) -> None:
    refused = client.put(SETTINGS, json=settings)
    assert (refused.status_code, refused.json()["type"]) == (422, f"{TYPE_PREFIX}invalid-body")
    assert client.get(SETTINGS).status_code == 404


def test_a_collection_may_do_without_preconditions(client: httpx.Client) -> None:
    client.put(PATH, json=1)
    assert client.put(PATH, json=2).status_code == 428
    client.put(SETTINGS, json={"concurrency": "last-write-wins"})
    assert client.put(PATH, json=2).status_code == 200
    assert client.put("/v1/state/other/a", json=1).status_code == 201
    assert client.put("/v1/state/other/a", json=2).status_code == 428
    # A precondition that is sent still counts.
    assert client.put(PATH, json=3, headers={"if-none-match": "*"}).status_code == 412
    assert client.delete(PATH).status_code == 204


def test_a_collection_may_give_its_documents_a_time_to_live(client: httpx.Client) -> None:
    client.put(SETTINGS, json={"ttl": 3600, "concurrency": "last-write-wins"})
    default = client.put(PATH, json=1).headers["vanta-expires-at"]
    assert client.put(PATH, json=1, headers={"vanta-ttl": "7200"}).headers["vanta-expires-at"] > default
    client.delete(SETTINGS, headers=ANY)
    stays = client.put(PATH, json=1, headers=ANY)
    assert "vanta-expires-at" not in stays.headers


@pytest.mark.parametrize("kept", [1, 3])
def test_a_write_prunes_the_versions_that_are_too_many(
    client: httpx.Client, database: Database, tenant: Tenant, kept: int
) -> None:
    client.put(SETTINGS, json={"maxVersions": kept, "concurrency": "last-write-wins"})
    for value in range(6):
        assert client.put(PATH, json=value).status_code in {200, 201}
        versions = client.get("/v1/versions/notes/a").json()["versions"]
        assert len(versions) == min(value + 1, kept)
        assert client.get(PATH).json() == value
    client.delete(PATH)
    assert [v["deleted"] for v in client.get("/v1/versions/notes/a").json()["versions"]] == (
        [True] + [False] * (kept - 1)
    )
    client.put(PATH, json="again")
    rows = database.query(
        "select value from vanta.document_version where tenant_id = $1 and collection = 'notes' order by revision",
        tenant.id,
    )
    assert len(rows) == kept
    assert rows[-1]["value"] == '"again"'


def test_fewer_versions_hold_from_the_next_write_on(client: httpx.Client) -> None:
    for value in range(6):
        client.put(PATH, json=value, headers={"vanta-concurrency": "last-write-wins"})
    client.put(SETTINGS, json={"maxVersions": 2})
    client.put(PATH, json="last", headers={"if-match": "*"})
    versions = client.get("/v1/versions/notes/a").json()["versions"]
    assert [client.get(PATH, params={"revision": v["revision"]}).json() for v in versions] == ["last", 5]


def test_without_settings_a_hundred_versions_are_kept(client: httpx.Client) -> None:
    for value in range(102):
        client.put(PATH, json=value, headers={"vanta-concurrency": "last-write-wins"})
    assert len(client.get("/v1/versions/notes/a", params={"limit": 1000}).json()["versions"]) == 100


def test_a_change_of_settings_is_an_event(client: httpx.Client, database: Database, tenant: Tenant) -> None:
    client.put(SETTINGS, json={"ttl": 60})
    client.delete(SETTINGS, headers=ANY)
    events = database.query(
        "select type, subject, data ->> 'ttl' from vanta.outbox where tenant_id = $1 and subject like 'collections/%' "
        "order by revision",
        tenant.id,
    )
    assert [tuple(event) for event in events] == [
        ("vanta.state.collection.configured", "collections/notes", "60"),
        ("vanta.state.collection.reset", "collections/notes", None),
    ]


def test_settings_are_of_one_tenant(
    api: Served, client: httpx.Client, new_tenant: Callable[[], Tenant]
) -> None:
    client.put(SETTINGS, json={"concurrency": "last-write-wins", "ttl": 60})
    with httpx.Client(base_url=api.url, headers=new_tenant().headers) as other:
        assert other.get(SETTINGS).status_code == 404
        assert other.get("/v1/collections").json() == {"collections": {}}
        assert other.delete(SETTINGS).status_code == 404
        assert "vanta-expires-at" not in other.put(PATH, json=1).headers
        assert other.put(PATH, json=2).status_code == 428
    assert client.get(SETTINGS).status_code == 200
