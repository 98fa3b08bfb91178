"""What the documents show works when it is pasted, and events are what docs/reference/events.md says."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Generator
from pathlib import Path

import httpx
import pytest

from local.aws.emulator import Aws
from tests.app.real import keys
from tests.app.real.conftest import (
    ROOT,
    Database,
    Served,
    Tenant,
    command,
    create_database,
    make_operator_key,
    make_tenant,
    serving,
)
from tests.conftest import PostgresServer, RedisServer

API = ROOT / "docs" / "reference" / "api.md"
EVENTS = ROOT / "docs" / "reference" / "events.md"
SQL = ROOT / "app" / "db" / "migrations" / "functions"

#: What comes of time, of erasure, or of another key in KMS.
WITHOUT_A_REQUEST = {
    "vanta.datakey.removed",
    "vanta.datakey.rewrapped",
    "vanta.secret.resealed",
    "vanta.session.extended",
    "vanta.tenancy.tenant.erasing",
    "vanta.webhook.disabled",
    "vanta.webhook.enabled",
    "vanta.webhook.resealed",
    "vanta.webhook.test",
}

# A refusal ends the script; a watch, which has no end, is left after its first line.
SHELL = """
set -euo pipefail
curl() {
    if [ "$1" != -N ]; then command curl -sS --fail-with-body "$@"; return; fi
    exec 3< <(exec curl -sS "$@")
    read -r line <&3; kill $!; exec 3<&-; echo "$line"
}
"""


@pytest.fixture(scope="module")
def database(
    postgres: PostgresServer, redis_server: RedisServer, tmp_path_factory: pytest.TempPathFactory
) -> Database:
    """A database of this module: the names in the documents are free in it."""
    made = create_database(postgres, tmp_path_factory.mktemp("examples"), redis_server)
    assert command(made, "migrate").returncode == 0
    return made


@pytest.fixture(scope="module")
def api(database: Database, aws: Aws, tmp_path_factory: pytest.TempPathFactory) -> Generator[Served]:
    """A served API that can seal."""
    sealing = keys.environment(aws.endpoint, keys.make_key(aws))
    with serving(database, tmp_path_factory.mktemp("served"), **sealing) as served:
        yield served


@pytest.fixture(scope="module")
def tenant(database: Database) -> Tenant:
    """The tenant of `make up`."""
    return make_tenant(database, "demo")


def commands(document: Path) -> Generator[str]:
    """The indented blocks of a document that ask the API, each saying first where it stands."""
    text = document.read_text()
    for block in re.finditer(r"(?:^    .*\n)+", text, re.MULTILINE):
        if re.match(r"    (curl |\. |[A-Z]+=)", block[0]):
            yield f"echo {document.name}:{text.count(chr(10), 0, block.start()) + 1} >&2"
            yield from (line[4:] for line in block[0].splitlines())


@pytest.fixture(scope="module")
def pasted(
    api: Served, database: Database, tenant: Tenant, tmp_path_factory: pytest.TempPathFactory
) -> subprocess.CompletedProcess[str]:
    """The examples of the README and of the API, pasted one after the other where `make up` has run."""
    checkout = tmp_path_factory.mktemp("checkout")
    (checkout / ".vanta").mkdir()
    (checkout / ".vanta" / "url").write_text(api.url)
    (checkout / ".vanta" / "api-key").write_text(tenant.key)
    exports = (f"export {name}={value!r}\n" for name, value in database.environment.items())
    (checkout / ".vanta" / "environment").write_text("".join(exports))
    (checkout / ".venv").symlink_to(sys.prefix)
    return subprocess.run(
        ["bash", "-c", "\n".join([SHELL, *commands(ROOT / "README.md"), *commands(API)])],
        cwd=checkout,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_every_example_works_when_pasted_in_order(pasted: subprocess.CompletedProcess[str]) -> None:
    assert pasted.returncode == 0, f"{pasted.stderr}\n{pasted.stdout[-500:]}"
    assert ": watching" in pasted.stdout


def test_no_request_in_the_documents_is_left_out() -> None:
    for document in (ROOT / "README.md", API):
        shown = {line[4:] for line in document.read_text().splitlines() if re.match(r"    .*\$URL", line)}
        assert shown
        assert shown <= {*commands(document)}


def documented() -> dict[str, tuple[str, set[str], set[str]]]:
    """Per type of event: its subject as a pattern, the members that are always there, and those that may be."""
    found = {}
    for line in EVENTS.read_text().splitlines():
        if line.startswith("| `vanta."):
            kind, subject, data, _ = (cell.strip() for cell in line.strip("|").split("|"))
            members = re.findall(r"`(\w+\??)`", data)
            found[kind.strip("`")] = (
                re.sub(r"\{\w+\}", ".+", subject.strip("`")),
                {name for name in members if not name.endswith("?")},
                {name.rstrip("?") for name in members},
            )
    return found


def change_everything(
    client: httpx.Client, operator: httpx.Client, database: Database, tenant: Tenant
) -> None:
    """Ask for what no example asks for, and let time pass for what has one."""
    anyway = {"vanta-concurrency": "last-write-wins"}
    thread = "/v1/agents/planner/threads/trip-8"
    checkpoint = {"type": "json", "data": "e30=", "metadata": {}, "channels": {}, "run": "r"}
    write = {"index": 0, "channel": "c", "type": "json", "data": "e30="}
    made = client.post("/v1/keys", json={"name": "short", "role": "reader"}).json()["id"]
    webhook = client.get("/v1/webhooks").json()["webhooks"][0]["id"]
    issuer = {"issuer": "https://login.example.com/", "audience": "vanta-acme"}
    client.post("/v1/sessions", json={"subject": "bob"})
    client.post("/v1/sessions", json={"subject": "eve"})
    client.put("/v1/secrets/crm/old", json={"value": 1, "ttl": 3600})
    client.put("/v1/state/notes/old", json=1, headers={"vanta-ttl": "3600"})
    answers = [
        client.put("/v1/state/notes/first", json=2, headers=anyway),
        client.delete("/v1/state/notes/first", headers=anyway),
        client.delete("/v1/collections/scratch", headers=anyway),
        client.put("/v1/agents/planner/retention", json={"keepCheckpoints": 2, "keepDays": 9}),
        *(client.put(f"{thread}/checkpoints/000{n}", json=checkpoint) for n in range(4)),
        client.post(f"{thread}/checkpoints/0003/writes", json={"task": "t", "writes": [write]}),
        client.post(f"{thread}/copy", json={"target": "trip-9"}),
        client.post("/v1/agents/planner/prune", json={"threads": ["trip-9"], "keep": 1}),
        client.post("/v1/agents/planner/delete-runs", json={"runs": ["r"]}),
        client.delete("/v1/agents/planner/threads/trip-7"),
        client.put("/v1/secrets/crm/login", json={"value": 2, "ttl": 9}, headers=anyway),
        client.delete("/v1/secrets/crm/login?versions=1"),
        client.post("/v1/secret-undelete/crm/login", json={"versions": [1]}),
        client.post("/v1/secret-destroy/crm/login", json={"versions": [1]}),
        client.delete("/v1/sessions?subject=bob"),
        client.post(f"/v1/keys/{made}/rotate", json={"overlapSeconds": 1}),
        client.delete(f"/v1/keys/{made}"),
        client.delete(f"/v1/webhooks/{webhook}"),
        operator.patch(f"/v1/tenants/{tenant.id}", json={"maxDocuments": 1000}),
        operator.delete(f"/v1/tenants/{tenant.id}/issuers", params=issuer),
    ]
    assert {answer.is_success for answer in answers} == {True}, [answer.text for answer in answers]
    for table, of in (
        ("document", "key = 'old'"),
        ("secret_version", "path = 'crm/old'"),
        ("session", "subject = 'eve'"),
    ):
        database.query(
            f"update vanta.{table} set expires_at = clock_timestamp() where tenant_id = $1 and {of}",  # noqa: S608 - of the line above
            tenant.id,
        )
    for sweep in ("sweep_expired", "sweep_secrets", "sweep_sessions"):
        database.query(f"select vanta.{sweep}($1, 100)", tenant.id)


@pytest.mark.usefixtures("pasted")
def test_every_event_has_the_subject_and_the_members_of_its_document(
    api: Served, database: Database, tenant: Tenant
) -> None:
    operators = {"authorization": f"Bearer {make_operator_key(database)}"}
    with (
        httpx.Client(base_url=api.url, headers=tenant.headers) as client,
        httpx.Client(base_url=api.url, headers=operators) as operator,
    ):
        change_everything(client, operator, database, tenant)
    kinds = documented()
    events = database.query("select type, subject, data from vanta.outbox where tenant_id = $1", tenant.id)
    for kind, subject, data in events:
        pattern, least, most = kinds[kind]
        assert re.fullmatch(pattern, subject), (kind, subject)
        assert least <= {*json.loads(data)} <= most, (kind, data)
    assert {kind for kind, _, _ in events} == {*kinds} - WITHOUT_A_REQUEST


@pytest.mark.parametrize("kind", sorted(WITHOUT_A_REQUEST - {"vanta.session.extended", "vanta.webhook.test"}))
def test_an_event_without_a_request_has_the_members_of_its_document(kind: str) -> None:
    sql = "\n".join(path.read_text() for path in sorted(SQL.glob("*.sql")))
    (statement,) = re.findall(rf"'{re.escape(kind)}'([^;]*);", sql)
    _, _, built = statement.partition("jsonb_build_object(")
    assert {*re.findall(r"'(\w+)', ", built)} == documented()[kind][2]
