"""A sealed value opens in its own place only, and a tenant reaches its own secrets only."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import asyncpg
import httpx
import pytest

from tests.app.real.conftest import Database, Served, Tenant, eventually, serving

from .conftest import LAST_WRITE_WINS, PATH, events, put


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
