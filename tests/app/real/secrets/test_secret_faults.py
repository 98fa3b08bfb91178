"""Secrets without KMS; and what an operator can find of a value, which is nothing."""

import base64
import secrets
from collections.abc import Iterator
from pathlib import Path

import httpx
import redis

from tests.app.real.conftest import Database, Served, Tenant, command, serving
from tests.conftest import RedisServer

from .conftest import LAST_WRITE_WINS, PATH, events, put


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
    # 1 where other files left tenants in this database whose keys another KMS wraps.
    assert rewrapped.returncode in {0, 1}, rewrapped.stderr
    assert "sealed anew" in rewrapped.stdout
    for needle in (marker, made, "Plaintext"):
        forms = {needle, base64.b64encode(needle.encode()).decode().rstrip("="), needle.encode().hex()}
        assert not any(form in text for text in scan(database) for form in forms)
        assert not any(form in sealed.log.read_text() + rewrapped.stdout + rewrapped.stderr for form in forms)
        assert not any(form in client.get("/metrics").text for form in forms)
        assert not any(form in text for text in dump(redis_server) for form in forms)
    assert any("secrets/marked" in text for text in scan(database)), "the scan sees what is there"
    assert sealed.log.read_text(), "and the log has something"
