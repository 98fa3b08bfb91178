"""What happens to a secret is an event, and no read goes without one."""

import json
from concurrent.futures import ThreadPoolExecutor

import httpx

from app.tenancy import keys as api_keys
from tests.app.real.conftest import Database, Tenant

from .conftest import LAST_WRITE_WINS, PATH, events, put


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
