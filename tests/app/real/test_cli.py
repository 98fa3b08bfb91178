"""The operators' command."""

import json
import secrets
import shlex
import subprocess

import httpx
import pytest

from app.tenancy import keys
from tests.conftest import PostgresServer, RedisServer

from .conftest import Database, Served, command, create_database, eventually


def with_(database: Database, **environment: str) -> Database:
    return Database(environment={**database.environment, **environment}, settings=database.settings)


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("serve",),
        ("migrate",),
        ("onboard",),
        ("tenant",),
        ("tenant", "create"),
        ("tenant", "list"),
        ("tenant", "export"),
        ("tenant", "suspend"),
        ("tenant", "resume"),
        ("tenant", "erase"),
        ("operator-key",),
        ("operator-key", "create"),
        ("operator-key", "list"),
        ("operator-key", "revoke"),
        ("health",),
        ("rewrap",),
        ("monitor",),
        ("load",),
    ],
)
def test_every_command_explains_itself(database: Database, arguments: tuple[str, ...]) -> None:
    explained = command(database, *arguments, "--help")
    assert explained.returncode == 0
    assert ("Example:" in explained.stdout) == (arguments not in {(), ("tenant",), ("operator-key",)})
    assert ("Exit codes" in explained.stdout) == (arguments == ())


def test_a_new_tenant_has_a_key_that_works_at_once(api: Served, database: Database) -> None:
    made = command(database, "tenant", "create", f"t-{secrets.token_hex(6)}", "--json")
    assert made.returncode == 0, made.stderr
    key = json.loads(made.stdout)["apiKey"]
    headers = {"authorization": f"Bearer {key}"}
    assert httpx.put(f"{api.url}/v1/state/a/b", json=1, headers=headers).status_code == 201
    parsed = keys.parse(key)
    assert parsed
    stored = database.query("select * from vanta.api_key where key_id = $1", parsed.id)
    assert parsed.secret not in str(stored)


def test_onboarding_prints_a_request_that_works(api: Served, database: Database) -> None:
    name = f"t-{secrets.token_hex(6)}"
    made = command(database, "onboard", name, "--url", api.url, "--max-documents", "5", "--rate", "7")
    assert made.returncode == 0, made.stderr
    example = made.stdout.splitlines()[-1].strip()
    assert example.startswith("curl ")
    answer = subprocess.run([*shlex.split(example), "-s"], capture_output=True, text=True, check=True)
    assert json.loads(answer.stdout)["welcome"]
    listed = command(database, "tenant", "list", "--json")
    (shown,) = [one for one in map(json.loads, listed.stdout.splitlines()) if one["name"] == name]
    assert shown["quotas"] == {"maxDocuments": 5, "maxBytes": None, "rate": {"perSecond": 7, "burst": 7}}
    (line,) = [line for line in command(database, "tenant", "list").stdout.splitlines() if name in line]
    assert "active " in line
    assert " 1 documents" in line


def test_a_burst_needs_a_rate(database: Database) -> None:
    assert command(database, "onboard", f"t-{secrets.token_hex(6)}", "--burst", "7").returncode == 2


def test_an_operators_key_works_until_it_is_revoked(api: Served, database: Database) -> None:
    made = command(database, "operator-key", "create", "--name", "console", "--days", "1", "--json")
    assert made.returncode == 0, made.stderr
    key = json.loads(made.stdout)
    headers = {"authorization": f"Bearer {key['operatorKey']}"}
    assert httpx.get(f"{api.url}/v1/tenants", headers=headers).status_code == 200
    assert key["operatorKey"].rsplit("_", 1)[1] not in str(database.query("select * from vanta.operator_key"))
    listed = command(database, "operator-key", "list", "--json").stdout.splitlines()
    assert key["id"] in [json.loads(line)["id"] for line in listed]
    assert key["id"] in command(database, "operator-key", "list").stdout
    assert command(database, "operator-key", "revoke", key["id"]).returncode == 0
    eventually(lambda: httpx.get(f"{api.url}/v1/tenants", headers=headers).status_code == 401, seconds=10)
    again = command(database, "operator-key", "revoke", key["id"])
    assert again.returncode == 1
    assert key["id"] in again.stderr


def test_a_key_is_shown_to_people_too(database: Database) -> None:
    made = command(database, "tenant", "create", f"t-{secrets.token_hex(6)}")
    assert "vanta_" in made.stdout
    assert "\x1b[" not in made.stdout


def test_a_tenant_is_made_once(database: Database) -> None:
    name = f"t-{secrets.token_hex(6)}"
    assert command(database, "tenant", "create", name).returncode == 0
    again = command(database, "tenant", "create", name)
    assert again.returncode == 1
    assert name in again.stderr
    assert len(database.query("select from vanta.tenant where name = $1", name)) == 1


def test_a_bad_tenant_name_is_refused(database: Database) -> None:
    refused = command(database, "tenant", "create", "Acme Inc.")
    assert refused.returncode == 1
    assert "lower-case" in refused.stderr


def test_before_migrating_the_remedy_is_named(
    postgres: PostgresServer, redis_server: RedisServer, tmp_path_factory: pytest.TempPathFactory
) -> None:
    empty = create_database(postgres, tmp_path_factory.mktemp("empty"), redis_server)
    refused = command(empty, "tenant", "create", "acme")
    assert refused.returncode == 1
    assert "python -m app migrate" in refused.stderr


def test_health_follows_the_api(api: Served, database: Database) -> None:
    healthy = command(
        with_(database, VANTA_LISTEN_PORT=api.url.rsplit(":", 1)[1], VANTA_LISTEN_HOST="::"), "health"
    )
    assert healthy.returncode == 0
    assert "database  up" in healthy.stdout
    assert command(database, "health", "--url", "http://127.0.0.1:1").returncode == 3
    assert command(database, "health", "--url", "file:///etc/passwd").returncode == 2


@pytest.mark.parametrize("arguments", [("serve",), ("migrate",), ("tenant", "create", "x")])
def test_wrong_settings_are_one_sentence_and_exit_code_4(
    database: Database, arguments: tuple[str, ...]
) -> None:
    refused = command(with_(database, VANTA_DATABASE_PORT="five"), *arguments)
    assert refused.returncode == 4
    assert refused.stderr.count("\n") == 1
    assert "VANTA_DATABASE_PORT" in refused.stderr


def test_an_unreachable_database_is_exit_code_3(database: Database) -> None:
    refused = command(with_(database, VANTA_DATABASE_PORT="1"), "migrate")
    assert refused.returncode == 3
    assert "VANTA_DATABASE_HOST" in refused.stderr
