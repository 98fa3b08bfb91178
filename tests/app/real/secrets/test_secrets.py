"""Secrets over HTTP: values, versions, preconditions, metadata, lists."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from tests.app.real.conftest import Database, Served, Tenant

from .conftest import LAST_WRITE_WINS, PATH, events, put


def test_a_secret_is_written_read_and_written_again(client: httpx.Client) -> None:
    created = client.put(
        PATH, content=b'{"value": {"b" : 1.10,  "a":[ ]}}', headers={"content-type": "application/json"}
    )
    assert (created.status_code, created.json(), created.headers["location"]) == (201, {"version": 1}, PATH)
    assert "cache-control" in created.headers
    read = client.get(PATH)
    assert b'"value":{"b" : 1.10,  "a":[ ]}' in read.content
    assert (read.headers["etag"], read.headers["cache-control"]) == (created.headers["etag"], "no-store")
    replaced = client.put(PATH, json={"value": "x"}, headers={"if-match": created.headers["etag"]})
    assert (replaced.status_code, replaced.json()) == (200, {"version": 2})
    assert client.get(PATH).json()["value"] == "x"
    assert client.get(PATH, params={"version": 1}).json()["value"] == {"b": 1.10, "a": []}
    assert client.get(PATH, params={"version": 3}).status_code == 404


@pytest.mark.parametrize("value", [None, "", 0, [], "\u00e9", {"deep": [{"a": None}]}, "x" * (64 * 1024 - 2)])
def test_any_json_of_64_kib_is_a_value(client: httpx.Client, value: object) -> None:
    assert put(client, value).status_code == 201
    assert client.get(PATH).json()["value"] == value


@pytest.mark.parametrize(
    ("body", "status", "kind"),
    [
        ({"value": "x" * (64 * 1024 - 1)}, 413, "body-too-large"),
        ({}, 422, "invalid-body"),
        ({"value": 1, "generate": {}}, 422, "invalid-body"),
        ({"value": 1, "other": 1}, 422, "invalid-body"),
        ({"value": 1, "ttl": 0}, 422, "invalid-body"),
        ({"value": 1, "ttl": -5}, 422, "invalid-body"),
        ({"value": 1, "maxVersions": 0}, 422, "invalid-body"),
        ({"value": 1, "maxVersions": 101}, 422, "invalid-body"),
        ({"value": 1, "metadata": {"a": 1}}, 422, "invalid-body"),
        ({"value": 1, "metadata": {"a": "x" * 513}}, 422, "invalid-body"),
        ({"value": "\0"}, 422, "invalid-document"),
        ({"generate": {"length": 8}}, 422, "invalid-body"),
        ({"generate": {"alphabet": "weak"}}, 422, "invalid-body"),
        ([], 422, "invalid-body"),
    ],
)
def test_bad_input_is_refused_and_nothing_written(
    client: httpx.Client, database: Database, tenant: Tenant, body: object, status: int, kind: str
) -> None:
    refused = client.put(PATH, json=body)
    assert (refused.status_code, refused.json()["type"]) == (status, f"urn:vanta:problem:{kind}")
    assert database.query("select from vanta.secret where tenant_id = $1", tenant.id) == []
    assert events(database, tenant) == []


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/v1/secrets/a/../b%20c", 400),
        ("GET", PATH + "?version=0", 400),
        ("GET", PATH + "?version=99999999999", 400),
        ("GET", PATH + "?other=1", 400),
        ("DELETE", PATH + "?versions=1,x", 400),
        ("DELETE", PATH + "?versions=", 400),
        ("GET", "/v1/secret-metadata?prefix=%00", 400),
        ("GET", "/v1/secret-metadata?limit=0", 400),
        ("GET", "/v1/secret-metadata?cursor=x", 400),
        ("GET", PATH, 404),
        ("DELETE", PATH + "?versions=1", 404),
        ("GET", "/v1/secret-metadata/crm/login", 404),
        ("POST", PATH, 405),
    ],
)
def test_bad_paths_and_queries_are_refused(client: httpx.Client, method: str, path: str, status: int) -> None:
    assert client.request(method, path).status_code == status


def test_a_write_over_a_readable_secret_says_what_it_expects(client: httpx.Client) -> None:
    assert client.put(PATH, json={"value": 1}, headers={"if-match": "*"}).status_code == 412
    etag = client.put(PATH, json={"value": 1}, headers={"if-none-match": "*"}).headers["etag"]
    assert client.put(PATH, json={"value": 2}).status_code == 428
    assert client.put(PATH, json={"value": 2}, headers={"if-none-match": "*"}).status_code == 412
    assert client.put(PATH, json={"value": 2}, headers={"if-match": '"1-0"'}).status_code == 412
    assert client.put(PATH, json={"value": 2}, headers={"if-match": f'"1-0", {etag}'}).status_code == 200
    assert client.put(PATH, json={"value": 3}, headers={"if-match": etag}).status_code == 412
    assert client.delete(PATH).status_code == 428
    assert client.delete(PATH, headers={"if-match": etag}).status_code == 412
    assert client.delete(PATH, headers={"if-match": "*"}).status_code == 204
    assert client.delete(PATH, headers={"if-match": "*"}).status_code == 412
    assert client.delete(PATH, headers=LAST_WRITE_WINS).status_code == 404
    assert client.put(PATH, json={"value": 4}).json()["version"] == 3


def test_of_two_conflicting_writers_one_wins_and_the_other_learns_it(client: httpx.Client) -> None:
    etag = put(client, 0).headers["etag"]

    def write(value: int) -> int:
        return client.put(PATH, json={"value": value}, headers={"if-match": etag}).status_code

    with ThreadPoolExecutor(8) as executor:
        statuses = list(executor.map(write, range(1, 9)))
    assert sorted(statuses) == [200] + [412] * 7
    assert client.get(PATH).json()["value"] == statuses.index(200) + 1


def test_each_of_many_writers_gets_a_version_of_its_own(client: httpx.Client) -> None:
    put(client, 0, maxVersions=100)
    with ThreadPoolExecutor(8) as executor:
        written = list(executor.map(lambda value: put(client, value).json()["version"], range(24)))
    assert sorted(written) == list(range(2, 26))
    for value, version in enumerate(written):
        assert client.get(PATH, params={"version": version}).json()["value"] == value


def test_deleted_versions_come_back_and_destroyed_ones_do_not(client: httpx.Client) -> None:
    for value in ("one", "two", "three"):
        put(client, value)
    assert client.delete(PATH, params={"versions": "1,2"}).status_code == 204
    assert client.delete(PATH, params={"versions": "1,2"}).status_code == 404
    assert client.delete(PATH, params={"versions": "3"}, headers={"if-match": "*"}).status_code == 400
    assert [client.get(PATH, params={"version": v}).status_code for v in (1, 2, 3)] == [404, 404, 200]
    assert client.post("/v1/secret-destroy/crm/login", json={"versions": [1]}).status_code == 204
    assert client.post("/v1/secret-undelete/crm/login", json={"versions": [1, 2, 9]}).status_code == 204
    assert client.post("/v1/secret-undelete/crm/login", json={"versions": [1]}).status_code == 404
    assert [client.get(PATH, params={"version": v}).status_code for v in (1, 2, 3)] == [404, 200, 200]
    described = client.get("/v1/secret-metadata/crm/login").json()
    assert [sorted(version) for version in described["versions"]] == [
        ["createdAt", "version"],
        ["createdAt", "version"],
        ["createdAt", "deletedAt", "destroyedAt", "version"],
    ]


def test_destroying_leaves_nothing_of_the_value(
    client: httpx.Client, database: Database, tenant: Tenant
) -> None:
    put(client, "x")
    client.post("/v1/secret-destroy/crm/login", json={"versions": [1]})
    assert database.query("select sealed from vanta.secret_version where tenant_id = $1", tenant.id) == [
        (None,)
    ]


def test_only_so_many_versions_are_kept(client: httpx.Client) -> None:
    def kept() -> list[int]:
        return [
            version["version"] for version in client.get("/v1/secret-metadata/crm/login").json()["versions"]
        ]

    for value in range(12):
        put(client, value)
    assert kept() == list(range(12, 2, -1))
    put(client, 12, maxVersions=2)
    assert kept() == [13, 12]
    put(client, 13)
    assert kept() == [14, 13]


def test_metadata_is_told_without_the_value_and_stays_until_it_is_replaced(client: httpx.Client) -> None:
    put(client, "hunter2", metadata={"owner": "sales"})
    put(client, "hunter2")
    described = client.get("/v1/secret-metadata/crm/login")
    assert "hunter2" not in described.text
    assert (described.json()["metadata"], described.json()["maxVersions"]) == ({"owner": "sales"}, 10)
    put(client, "hunter2", metadata={})
    assert client.get("/v1/secret-metadata/crm/login").json()["metadata"] == {}


def test_paths_are_listed_page_by_page(
    client: httpx.Client, new_tenant: Callable[[], Tenant], sealed: Served
) -> None:
    paths = sorted(f"a/{name}" for name in ("b", "b/c", "b-d", "x~", "z", "z/1"))
    for path in (*paths, "b", "a"):
        put(client, 1, f"/v1/secrets/{path}")
    found, cursor = [], ""
    while True:
        page = client.get("/v1/secret-metadata", params={"prefix": "a/", "limit": 2, "cursor": cursor}).json()
        found += page["paths"]
        if "next" not in page:
            break
        cursor = page["next"]
    assert found == paths
    assert client.get("/v1/secret-metadata", params={"prefix": "b", "cursor": cursor}).status_code == 400
    stranger = httpx.get(
        f"{sealed.url}/v1/secret-metadata",
        params={"prefix": "a/", "cursor": cursor},
        headers=new_tenant().headers,
    )
    assert (stranger.status_code, stranger.json()["type"]) == (400, "urn:vanta:problem:invalid-cursor")


@pytest.mark.parametrize(
    ("generate", "length", "characters"),
    [({}, 32, str.isalnum), ({"length": 64, "alphabet": "hex"}, 64, lambda text: bool(int(text, 16) + 1))],
)
def test_a_generated_value_is_shown_once_and_kept(
    client: httpx.Client, generate: dict[str, object], length: int, characters: Callable[[str], bool]
) -> None:
    made = client.put(PATH, json={"generate": generate}).json()["value"]
    assert len(made) == length
    assert characters(made)
    assert client.get(PATH).json()["value"] == made
    assert client.put(PATH, json={"generate": generate}, headers=LAST_WRITE_WINS).json()["value"] != made
