"""Secrets over HTTP: what a client may rely on, and what an operator may not."""

import base64
import json
import secrets
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest
import redis

from app.tenancy import keys as api_keys
from local.aws.emulator import Aws
from tests.conftest import RedisServer

from . import keys
from .conftest import Database, Served, Tenant, command, eventually, serving

PATH = "/v1/secrets/crm/login"
LAST_WRITE_WINS = {"vanta-concurrency": "last-write-wins"}


@pytest.fixture(scope="module")
def environment(aws: Aws) -> dict[str, str]:
    """The environment of an API that can seal."""
    return keys.environment(aws.endpoint, keys.make_key(aws))


@pytest.fixture(scope="module")
def sealed(
    database: Database, environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Served]:
    """A served API that can seal, its cache open, its log as talkative as can be."""
    with serving(
        database, tmp_path_factory.mktemp("sealed"), VANTA_LOG_LEVEL="debug", **environment
    ) as served:
        eventually(lambda: database.query("select state from vanta.cache_epoch")[0][0] == "open")
        yield served


@pytest.fixture
def client(sealed: Served, tenant: Tenant) -> Iterator[httpx.Client]:
    """Speaks to that API as ``tenant``."""
    with httpx.Client(base_url=sealed.url, headers=tenant.headers) as client:
        yield client


def put(client: httpx.Client, value: object, path: str = PATH, **more: object) -> httpx.Response:
    """Write ``value`` whatever is there."""
    return client.put(path, json={"value": value, **more}, headers=LAST_WRITE_WINS)


def events(database: Database, tenant: Tenant) -> list[tuple[str, dict[str, Any]]]:
    """Types and data of the tenant's events about secrets, in order."""
    rows = database.query(
        "select type, data from vanta.outbox where tenant_id = $1 and type like 'vanta.secret.%' order by revision",
        tenant.id,
    )
    return [(kind.removeprefix("vanta.secret."), json.loads(data)) for kind, data in rows]


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


def test_an_expired_version_is_gone_at_once_and_destroyed_by_the_sweep(
    client: httpx.Client, database: Database, tenant: Tenant
) -> None:
    written = put(client, "x", ttl=3600).json()
    assert written["expiresAt"] == client.get(PATH).json()["expiresAt"]
    database.query("update vanta.secret_version set expires_at = now() where tenant_id = $1", tenant.id)
    assert client.get(PATH).status_code == 404
    assert client.put(PATH, json={"value": "y"}, headers={"if-none-match": "*"}).status_code == 201
    assert database.query("select vanta.sweep_secrets($1, 10)", tenant.id) == [(1,)]
    assert client.post("/v1/secret-undelete/crm/login", json={"versions": [1]}).status_code == 404
    assert events(database, tenant)[-1] == ("expired", {"path": "crm/login", "version": 1})
    assert client.get(PATH).json()["value"] == "y"


def test_every_read_and_change_is_an_event_with_who_and_what_and_no_value(
    client: httpx.Client, database: Database, tenant: Tenant
) -> None:
    put(client, "hunter2")
    put(client, "hunter2")
    client.get(PATH)
    client.get(PATH, params={"version": 1})
    client.get(PATH, params={"version": 7})
    client.get("/v1/secret-metadata/crm/login")
    client.delete(PATH, headers=LAST_WRITE_WINS)
    client.post("/v1/secret-undelete/crm/login", json={"versions": [2]})
    client.post("/v1/secret-destroy/crm/login", json={"versions": [2, 1]})
    key = api_keys.parse(tenant.key)
    assert key
    told = events(database, tenant)
    assert {(data["by"], data["path"]) for _, data in told} == {(key.id, "crm/login")}
    assert [(kind, data.get("version", data.get("versions"))) for kind, data in told] == [
        ("created", 1),
        ("replaced", 2),
        ("read", 2),
        ("read", 1),
        ("deleted", [2]),
        ("undeleted", [2]),
        ("destroyed", [1, 2]),
    ]
    assert "hunter2" not in json.dumps(told)


def test_a_read_whose_event_cannot_be_written_is_no_read(
    client: httpx.Client, database: Database, tenant: Tenant
) -> None:
    put(client, "hunter2")
    # The next event takes this revision, and cannot.
    database.query(
        "insert into vanta.outbox (tenant_id, revision, type, subject, time, data) "
        "select $1, revision + 1, 't', 's', now(), '{}' from vanta.tenant_head where tenant_id = $1",
        tenant.id,
    )
    refused = client.get(PATH)
    assert refused.status_code == 500
    assert "hunter2" not in refused.text


def test_many_reads_at_once_are_as_many_events(
    client: httpx.Client, database: Database, tenant: Tenant
) -> None:
    put(client, "x")
    with ThreadPoolExecutor(16) as executor:
        assert {r.json()["value"] for r in executor.map(lambda _: client.get(PATH), range(64))} == {"x"}
    assert [kind for kind, _ in events(database, tenant)].count("read") == 64


@pytest.fixture
def two(
    client: httpx.Client, new_tenant: Callable[[], Tenant], sealed: Served, tenant: Tenant
) -> tuple[Tenant, Tenant]:
    """Two tenants with secrets of the same paths, two versions each, and a session of the same subject."""
    other = new_tenant()
    with httpx.Client(base_url=sealed.url, headers=other.headers) as stranger:
        for who, name in ((client, "mine"), (stranger, "theirs")):
            for path in ("/v1/secrets/a", "/v1/secrets/b"):
                for version in (1, 2):
                    put(who, f"{name} {path} {version}", path)
            who.post("/v1/sessions", json={"subject": "ada"})
    return tenant, other


@pytest.mark.parametrize(
    ("target", "source"),
    [
        (("a", 1), ("mine", "a", 2)),
        (("a", 1), ("mine", "b", 1)),
        (("a", 1), ("theirs", "a", 1)),
    ],
)
def test_a_sealed_value_that_was_moved_opens_nowhere(
    client: httpx.Client,
    database: Database,
    two: tuple[Tenant, Tenant],
    sealed: Served,
    target: tuple[str, int],
    source: tuple[str, str, int],
) -> None:
    database.query(
        "update vanta.secret_version v set sealed = s.sealed, generation = s.generation from vanta.secret_version s "
        "where v.tenant_id = $1 and v.path = $2 and v.version = $3 and s.tenant_id = $4 and s.path = $5 and s.version = $6",
        two[0].id,
        *target,
        two[source[0] == "theirs"].id,
        *source[1:],
    )
    refused = client.get(f"/v1/secrets/{target[0]}", params={"version": target[1]})
    assert (refused.status_code, refused.json()["type"]) == (500, "urn:vanta:problem:damaged")
    assert "mine" not in refused.text
    assert "theirs" not in refused.text
    assert client.get("/v1/secrets/b", params={"version": 2}).json()["value"].startswith("mine")
    eventually(lambda: refused.json()["requestId"] in sealed.log.read_text())


def test_a_data_key_that_was_moved_to_another_tenant_opens_nothing(
    client: httpx.Client,
    database: Database,
    two: tuple[Tenant, Tenant],
    tmp_path: Path,
    environment: dict[str, str],
) -> None:
    ((before,),) = database.query("select wrapped from vanta.data_key where tenant_id = $1", two[0].id)
    database.query(
        "update vanta.data_key v set wrapped = s.wrapped from vanta.data_key s where v.tenant_id = $1 and s.tenant_id = $2",
        two[0].id,
        two[1].id,
    )
    assert client.get("/v1/secrets/a").status_code == 200, "this process has the key open"
    with serving(database, tmp_path, **environment) as fresh:
        refused = httpx.get(f"{fresh.url}/v1/secrets/a", headers=two[0].headers)
        assert (refused.status_code, refused.json()["type"]) == (500, "urn:vanta:problem:damaged")
    # Whoever rewraps all tenants after this would find it.
    database.query("update vanta.data_key set wrapped = $2 where tenant_id = $1", two[0].id, before)


def test_tenants_see_nothing_of_one_another(
    client: httpx.Client, database: Database, sealed: Served, new_tenant: Callable[[], Tenant], tenant: Tenant
) -> None:
    etag = put(client, "mine").headers["etag"]
    before = events(database, tenant)
    with httpx.Client(base_url=sealed.url, headers=new_tenant().headers) as stranger:
        for method, path, body in (
            ("GET", PATH, None),
            ("GET", PATH + "?version=1", None),
            ("DELETE", PATH + "?versions=1", None),
            ("GET", "/v1/secret-metadata/crm/login", None),
            ("POST", "/v1/secret-undelete/crm/login", {"versions": [1]}),
            ("POST", "/v1/secret-destroy/crm/login", {"versions": [1]}),
        ):
            refused = stranger.request(method, path, json=body)
            assert (refused.status_code, "mine" in refused.text) == (404, False), (method, path)
        assert stranger.get("/v1/secret-metadata").json() == {"paths": []}
        assert stranger.put(PATH, json={"value": 1}, headers={"if-match": etag}).status_code == 412
        assert stranger.delete(PATH, headers={"if-match": etag}).status_code == 412
        assert stranger.put(PATH, json={"value": "theirs"}).json() == {"version": 1}
    assert client.get(PATH).json()["value"] == "mine"
    assert events(database, tenant)[:-1] == before


@pytest.mark.parametrize("table", ["data_key", "secret", "secret_version", "session"])
async def test_plain_sql_sees_one_tenant_only(
    pool: asyncpg.Pool, two: tuple[Tenant, Tenant], table: str
) -> None:
    async with pool.acquire() as connection:
        assert await connection.fetchval(f"select count(*) from vanta.{table}") == 0  # noqa: S608 - a constant
        async with connection.transaction():
            await connection.execute("select set_config('vanta.tenant', $1, true)", str(two[0].id))
            seen = await connection.fetch(f"select distinct tenant_id from vanta.{table}")  # noqa: S608 - a constant
    assert {row["tenant_id"] for row in seen} == {two[0].id}


@pytest.mark.parametrize(
    "statement",
    [
        "insert into vanta.data_key (tenant_id, generation, kms_key, wrapped) values ($1, 9, '', '')",
        "insert into vanta.secret values ($1, 'new', 1, 1, null, now())",
        "insert into vanta.secret_version (tenant_id, path, version, tag, created_at, destroyed_at) values ($1, 'a', 9, '', now(), now())",
        "insert into vanta.session values ($1, repeat('0', 64), gen_random_uuid(), 's', 1, '', now())",
        "delete from vanta.data_key where tenant_id = $1",
        "delete from vanta.secret where tenant_id = $1",
        "update vanta.session set tenant_id = $1",
    ],
)
async def test_plain_sql_cannot_write_for_another_tenant_nor_drop_a_key(
    pool: asyncpg.Pool, two: tuple[Tenant, Tenant], statement: str
) -> None:
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute("select set_config('vanta.tenant', $1, true)", str(two[0].id))
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute(statement, two[1].id)


def test_an_erased_tenant_harms_nobody_who_reads_at_the_same_time(
    client: httpx.Client, database: Database, two: tuple[Tenant, Tenant], sealed: Served
) -> None:
    with (
        httpx.Client(base_url=sealed.url, headers=two[1].headers) as erased,
        ThreadPoolExecutor(16) as executor,
    ):
        assert erased.get("/v1/secrets/a").status_code == 200, "its key is remembered from here on"
        database.query("delete from vanta.tenant_head where tenant_id = $1", two[1].id)
        reads = [executor.submit(who.get, "/v1/secrets/a") for who in (client, erased) * 30]
        assert [read.result().status_code for read in reads] == [200, 404] * 30
        assert erased.delete("/v1/secrets/a", params={"versions": "1"}).status_code == 404
        assert erased.delete("/v1/secrets/a", headers=LAST_WRITE_WINS).status_code == 404
        assert put(erased, 1, "/v1/secrets/a").status_code == 401
        assert put(erased, 1, "/v1/secrets/new").status_code == 401
        assert erased.post("/v1/sessions", json={"subject": "ada"}).status_code == 401
        assert erased.delete("/v1/sessions", params={"subject": "ada"}).json() == {"revoked": 0}


def test_without_a_kms_key_secrets_are_refused_and_the_rest_works(
    database: Database, tenant: Tenant, tmp_path: Path
) -> None:
    with (
        serving(database, tmp_path) as served,
        httpx.Client(base_url=served.url, headers=tenant.headers) as client,
    ):
        refused = client.put(PATH, json={"value": "x"})
        assert (refused.status_code, refused.json()["type"]) == (
            503,
            "urn:vanta:problem:secrets-not-configured",
        )
        assert "VANTA_KMS_KEY_ARN" in refused.json()["detail"]
        assert client.put("/v1/state/a/b", json=1).status_code == 201
    assert database.query("select from vanta.secret where tenant_id = $1", tenant.id) == []


def test_without_kms_nothing_is_written_and_what_is_open_stays_so(
    client: httpx.Client, database: Database, tenant: Tenant, environment: dict[str, str], tmp_path: Path
) -> None:
    put(client, "hunter2")
    gone = {**environment, "AWS_ENDPOINT_URL": "http://127.0.0.1:1"}
    with (
        serving(database, tmp_path, **gone) as cut,
        httpx.Client(base_url=cut.url, headers=tenant.headers, timeout=30) as away,
    ):
        refused = [put(away, "x"), away.get(PATH)]
    for answer in refused:
        assert (answer.status_code, answer.json()["type"]) == (503, "urn:vanta:problem:kms-unavailable")
        assert answer.headers["retry-after"]
        assert "hunter2" not in answer.text
    assert client.get(PATH).json() == {**client.get(PATH).json(), "value": "hunter2", "version": 1}
    assert [kind for kind, _ in events(database, tenant)].count("replaced") == 0


def scan(database: Database) -> Iterator[str]:
    """Every row of every table, as text; bytes are shown as they are and as base64."""
    for (table,) in database.query(
        "select relname from pg_class where relnamespace = 'vanta'::regnamespace and relkind = 'r'"
    ):
        for row in database.query(f"select * from vanta.{table}"):  # noqa: S608 - the catalog's own
            for value in row:
                yield value.decode("latin-1") if isinstance(value, bytes) else str(value)


def dump(redis_server: RedisServer) -> list[str]:
    """Every key and value of Redis, in its own serialisation."""
    with redis.Redis(
        host=redis_server.host,
        port=redis_server.port,
        password=redis_server.token,
        ssl=True,
        ssl_ca_certs=str(redis_server.ca),
    ) as connection:
        names = list(connection.scan_iter())
        # An entry may end between the two.
        return [f"{name!r} {connection.dump(name)!r}" for name in names]


def test_after_everything_the_value_is_nowhere_in_the_clear(
    client: httpx.Client,
    database: Database,
    redis_server: RedisServer,
    sealed: Served,
    environment: dict[str, str],
) -> None:
    marker = f"hunter2-{secrets.token_hex(8)}"
    made = client.put("/v1/secrets/made", json={"generate": {}}).json()["value"]
    path, trace = "/v1/secrets/marked", {"traceparent": f"00-{'a' * 32}-{'b' * 16}-01"}
    for answer in (
        put(client, marker, path),
        put(client, {"nested": [marker]}, path, ttl=3600, metadata={"a": "b"}),
        client.put(path, json={"value": marker}, headers=trace),
        client.put(path, json={"value": marker}, headers={"if-match": '"x"'}),
        client.put(path, json={"value": marker, "wrong": 1}),
        client.put(path, json={"value": marker, "ttl": marker}),
        client.put(
            path, content=f'{{"value": "{marker}"'.encode(), headers={"content-type": "application/json"}
        ),
        client.put(path, json={"value": marker + "\0"}),
        client.put(path, json={"value": marker * 8000}),
        client.put("/v1/secrets/..", json={"value": marker}),
        client.delete(path, headers=LAST_WRITE_WINS),
        client.post("/v1/secret-undelete/marked", json={"versions": [2]}),
        client.get("/v1/secret-metadata/marked"),
        client.get("/v1/secret-metadata"),
        client.get("/metrics"),
    ):
        assert marker not in answer.text
        assert marker not in str(answer.headers)
    assert marker in client.get(path, headers=trace).text
    rewrapped = command(
        Database(environment={**database.environment, **environment}, settings=database.settings), "rewrap"
    )
    assert rewrapped.returncode == 0, rewrapped.stderr
    for needle in (marker, made, "Plaintext"):
        forms = {needle, base64.b64encode(needle.encode()).decode().rstrip("="), needle.encode().hex()}
        assert not any(form in text for text in scan(database) for form in forms)
        assert not any(form in sealed.log.read_text() + rewrapped.stdout + rewrapped.stderr for form in forms)
        assert not any(form in client.get("/metrics").text for form in forms)
        assert not any(form in text for text in dump(redis_server) for form in forms)
    assert any("secrets/marked" in text for text in scan(database)), "the scan sees what is there"
    assert sealed.log.read_text(), "and the log has something"
