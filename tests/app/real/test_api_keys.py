"""API keys over HTTP: what each may, and when it ends."""

import secrets
from collections.abc import Callable, Generator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest

from app.tenancy.authenticator import Authenticator

from .conftest import Database, Served, Tenant, eventually, serving

DOCUMENT = "/v1/state/agents/planner"


def made(client: httpx.Client, **new: Any) -> dict[str, str]:
    answer = client.post("/v1/keys", json={"name": "test", "role": "admin", **new})
    assert answer.status_code == 201, answer.text
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["location"] == f"/v1/keys/{answer.json()['id']}"
    return answer.json()


def rotated(client: httpx.Client, key: dict[str, str], overlap: int) -> dict[str, str]:
    answer = client.post(f"/v1/keys/{key['id']}/rotate", json={"overlapSeconds": overlap})
    assert answer.status_code == 200, answer.text
    return answer.json()


def bearer(key: dict[str, str]) -> dict[str, str]:
    return {"authorization": f"Bearer {key['key']}"}


def problem(answer: httpx.Response) -> str:
    return answer.json()["type"].removeprefix("urn:vanta:problem:")


def events(database: Database, tenant: Tenant) -> list[tuple[str, str]]:
    rows = database.query(
        "select type, subject from vanta.outbox where tenant_id = $1 order by revision", tenant.id
    )
    return [(row[0].removeprefix("vanta.tenancy."), row[1]) for row in rows]


@pytest.fixture
def other_process(database: Database, tmp_path: Path) -> Generator[Served]:
    """A second process on the same database and Redis."""
    with serving(database, tmp_path) as served:
        yield served


@pytest.mark.parametrize(
    ("role", "allowed"),
    [
        ("reader", {"GET"}),
        ("writer", {"GET", "PUT", "DELETE"}),
        ("admin", {"GET", "PUT", "DELETE", "KEYS", "AUDIT"}),
        ("auditor", {"AUDIT"}),
    ],
)
def test_each_role_may_this_and_no_more(client: httpx.Client, role: str, allowed: set[str]) -> None:
    headers = bearer(made(client, role=role))
    client.put(DOCUMENT, json=1)
    statuses = {
        "GET": client.get(DOCUMENT, headers=headers),
        "PUT": client.put("/v1/state/agents/new", json=1, headers=headers),
        "DELETE": client.delete(DOCUMENT, headers={**headers, "if-match": "*"}),
        "KEYS": client.post("/v1/keys", json={"name": "x", "role": "reader"}, headers=headers),
        "AUDIT": client.get("/v1/keys", headers=headers),
    }
    assert {what for what, answer in statuses.items() if answer.is_success} == allowed
    assert {problem(answer) for answer in statuses.values() if not answer.is_success} <= {"forbidden"}


def test_a_scope_opens_its_collections_and_no_others(client: httpx.Client) -> None:
    for collection in ("agents", "agents.a", "other"):
        client.put(f"/v1/state/{collection}/k", json=1)
    scopes = [{"collection": "agents*", "verbs": ["read"]}, {"collection": "other", "verbs": ["write"]}]
    headers = bearer(made(client, scopes=scopes))
    assert client.get("/v1/state/agents/k", headers=headers).status_code == 200
    assert client.get("/v1/state/agents.a/k", headers=headers).status_code == 200
    assert problem(client.put("/v1/state/agents/new", json=1, headers=headers)) == "forbidden"
    assert problem(client.get("/v1/state/other/k", headers=headers)) == "forbidden"
    assert client.put("/v1/state/other/new", json=1, headers=headers).status_code == 201
    for path in ("/v1/keys", "/v1/tenants/current", "/v1/tenants"):
        assert problem(client.get(path, headers=headers)) == "forbidden"
    assert (
        problem(client.post("/v1/keys", json={"name": "x", "role": "reader"}, headers=headers)) == "forbidden"
    )


def test_a_key_is_listed_without_its_secret_and_with_an_event(
    client: httpx.Client, database: Database, tenant: Tenant
) -> None:
    scopes = [{"collection": "agents", "verbs": ["read"]}]
    key = made(client, name="the planner", role="reader", scopes=scopes)
    listed = client.get("/v1/keys")
    (item,) = [item for item in listed.json()["keys"] if item["id"] == key["id"]]
    assert (item["name"], item["role"], item["scopes"]) == ("the planner", "reader", scopes)
    secret = key["key"].rsplit(key["id"] + "_", 1)[1]
    assert secret not in listed.text
    assert events(database, tenant) == [("key.created", f"keys/{key['id']}")]
    rows = database.query("select * from vanta.api_key k, vanta.outbox o where k.tenant_id = $1", tenant.id)
    assert secret not in str(rows)
    assert "planner" not in str(
        database.query("select data from vanta.outbox where tenant_id = $1", tenant.id)
    )


def test_a_revoked_key_ends_here_at_once_and_elsewhere_soon(
    client: httpx.Client, other_process: Served, database: Database, tenant: Tenant
) -> None:
    key = made(client)
    headers = bearer(key)
    elsewhere = f"{other_process.url}/v1/keys"
    assert client.get("/v1/keys", headers=headers).status_code == 200
    assert httpx.get(elsewhere, headers=headers).status_code == 200
    assert client.delete(f"/v1/keys/{key['id']}").status_code == 204
    assert client.get("/v1/keys", headers=headers).status_code == 401
    eventually(lambda: httpx.get(elsewhere, headers=headers).status_code == 401, seconds=10)
    assert problem(client.delete(f"/v1/keys/{key['id']}")) == "api-key-not-found"
    assert [kind for kind, _ in events(database, tenant)] == ["key.created", "key.revoked"]


def test_a_rotated_key_has_two_secrets_for_as_long_as_it_was_told(
    client: httpx.Client, database: Database, tenant: Tenant
) -> None:
    old = made(client)
    new = rotated(client, old, 600)
    assert new["id"] == old["id"]
    assert new["key"] != old["key"]
    for key in (old, new):
        assert client.get("/v1/keys", headers=bearer(key)).status_code == 200
    newest = rotated(client, old, 0)
    for key in (old, new):
        assert client.get("/v1/keys", headers=bearer(key)).status_code == 401
    assert client.get("/v1/keys", headers=bearer(newest)).status_code == 200
    assert [kind for kind, _ in events(database, tenant)] == ["key.created", "key.rotated", "key.rotated"]


async def test_the_overlap_ends_to_the_moment(
    pool: asyncpg.Pool, client: httpx.Client, database: Database
) -> None:
    old = made(client)
    new = rotated(client, old, 600)
    known = Authenticator(pool)
    assert await known.principal(bearer(old)["authorization"])
    database.query(
        "update vanta.api_key set previous_until = clock_timestamp() - interval '1 ms' where key_id = $1",
        old["id"],
    )
    known.forget_key(old["id"])
    assert await known.principal(bearer(old)["authorization"]) is None
    assert await known.principal(bearer(new)["authorization"])


async def test_a_key_ends_when_it_expires_however_well_it_is_remembered(
    pool: asyncpg.Pool, client: httpx.Client, database: Database
) -> None:
    key = made(client, expiresAt="2999-01-01T00:00:00Z")
    known = Authenticator(pool)
    database.query(
        "update vanta.api_key set expires_at = clock_timestamp() + interval '0.3 s' where key_id = $1",
        key["id"],
    )
    assert await known.principal(bearer(key)["authorization"])

    async def ended() -> bool:
        return await known.principal(bearer(key)["authorization"]) is None

    # Long before it would be asked for again.
    deadline = datetime.now(UTC) + timedelta(seconds=3)
    while not await ended():
        assert datetime.now(UTC) < deadline


async def test_a_look_up_that_crosses_a_revocation_is_not_remembered(
    pool: asyncpg.Pool, client: httpx.Client, database: Database
) -> None:
    key = made(client)

    class Slow:
        """Revokes the key after it has been read and before the reader has it."""

        async def fetchrow(self, *arguments: object) -> asyncpg.Record | None:
            row = await pool.fetchrow(*arguments)
            if row is not None:
                database.query("delete from vanta.api_key where key_id = $1", key["id"])
                known.forget_key(key["id"])
            return row

    known = Authenticator(Slow())  # ty: ignore[invalid-argument-type] - what is used of a pool
    await known.principal(bearer(key)["authorization"])
    assert await known.principal(bearer(key)["authorization"]) is None


def test_no_key_gives_a_life_longer_than_its_own(client: httpx.Client) -> None:
    eternal = made(client)
    soon = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    mortal = made(client, expiresAt=soon)
    headers = bearer(mortal)
    for expires_at in (None, "2999-01-01T00:00:00Z"):
        new = {"name": "x", "role": "reader", "expiresAt": expires_at}
        assert problem(client.post("/v1/keys", json=new, headers=headers)) == "forbidden"
    rotation = {"overlapSeconds": 0}
    assert (
        problem(client.post(f"/v1/keys/{eternal['id']}/rotate", json=rotation, headers=headers))
        == "forbidden"
    )
    assert client.get("/v1/keys", headers=bearer(eternal)).status_code == 200
    new = {"name": "x", "role": "admin", "expiresAt": soon}
    assert client.post("/v1/keys", json=new, headers=headers).status_code == 201
    assert client.post(f"/v1/keys/{mortal['id']}/rotate", json=rotation, headers=headers).status_code == 200


@pytest.mark.parametrize(
    "new",
    [
        {"role": "reader"},
        {"name": "", "role": "reader"},
        {"name": "x" * 101, "role": "reader"},
        {"name": "a\nb", "role": "reader"},
        {"name": "x", "role": "operator"},
        {"name": "x", "role": "reader", "tenant": "another"},
        {"name": "x", "role": "reader", "expiresAt": "2001-01-01T00:00:00Z"},
        {"name": "x", "role": "reader", "expiresAt": "2999-01-01T00:00:00"},
        {"name": "x", "role": "reader", "expiresAt": 5},
        {"name": "x", "role": "reader", "scopes": [{"collection": "Agents", "verbs": ["read"]}]},
        {"name": "x", "role": "reader", "scopes": [{"collection": "a*b", "verbs": ["read"]}]},
        {"name": "x", "role": "reader", "scopes": [{"collection": "", "verbs": ["read"]}]},
        {"name": "x", "role": "reader", "scopes": [{"collection": "a", "verbs": []}]},
        {"name": "x", "role": "reader", "scopes": [{"collection": "a", "verbs": ["admin"]}]},
        {"name": "x", "role": "reader", "scopes": [{"collection": "a", "verbs": ["read"]}] * 51},
    ],
)
def test_a_bad_key_is_refused_and_not_made(
    client: httpx.Client, database: Database, tenant: Tenant, new: dict[str, Any]
) -> None:
    assert problem(client.post("/v1/keys", json=new)) == "invalid-body"
    assert len(client.get("/v1/keys").json()["keys"]) == 1
    assert events(database, tenant) == []


@pytest.mark.parametrize("overlap", [-1, 7 * 24 * 3600 + 1, 1.5, None])
def test_a_bad_overlap_is_refused(client: httpx.Client, overlap: float | None) -> None:
    key = made(client)
    assert (
        problem(client.post(f"/v1/keys/{key['id']}/rotate", json={"overlapSeconds": overlap}))
        == "invalid-body"
    )
    assert client.get("/v1/keys", headers=bearer(key)).status_code == 200


def test_a_tenant_has_so_many_keys_at_most(client: httpx.Client, database: Database, tenant: Tenant) -> None:
    database.query(
        """
        insert into vanta.api_key (key_id, tenant_id, secret_sha256)
        select substr(md5($1::uuid::text || n), 1, 16), $1, decode(repeat('00', 32), 'hex') from generate_series(1, 499) n
        """,
        tenant.id,
    )
    refused = client.post("/v1/keys", json={"name": "x", "role": "reader"})
    assert problem(refused) == "too-many-keys"
    assert len(client.get("/v1/keys").json()["keys"]) == 500
    assert events(database, tenant) == []


@pytest.mark.parametrize("key_id", ["0" * 16, "x", "%00", "%FF", "'", "0" * 300])
def test_an_unknown_key_is_not_found(client: httpx.Client, key_id: str) -> None:
    assert problem(client.delete(f"/v1/keys/{key_id}")) == "api-key-not-found"
    refused = client.post(f"/v1/keys/{key_id}/rotate", json={"overlapSeconds": 0})
    assert problem(refused) == "api-key-not-found"


def test_no_tenant_sees_or_touches_the_keys_of_another(
    api: Served, new_tenant: Callable[[], Tenant], client: httpx.Client
) -> None:
    mine = made(client)
    with httpx.Client(base_url=api.url, headers=new_tenant().headers) as stranger:
        assert mine["id"] not in stranger.get("/v1/keys").text
        assert problem(stranger.delete(f"/v1/keys/{mine['id']}")) == "api-key-not-found"
        refused = stranger.post(f"/v1/keys/{mine['id']}/rotate", json={"overlapSeconds": 0})
        assert problem(refused) == "api-key-not-found"
    assert client.get("/v1/keys", headers=bearer(mine)).status_code == 200


def test_the_log_names_the_key_and_not_its_secret(api: Served, client: httpx.Client) -> None:
    key = made(client)
    mark = secrets.token_hex(8)
    client.get("/v1/keys", headers={**bearer(key), "x-request-id": mark})
    eventually(lambda: mark in api.log.read_text())
    (line,) = [line for line in api.log.read_text().splitlines() if mark in line]
    assert f'"principal":"{key["id"]}"' in line
    assert key["key"] not in api.log.read_text()
