"""The operators' command on one tenant: export, suspension, erasure."""

import json
import os
import secrets
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest

from .conftest import ROOT, Database, Served, command, eventually


@pytest.fixture
def made(database: Database) -> dict[str, Any]:
    """A tenant as ``tenant create`` prints it."""
    done = command(database, "tenant", "create", f"t-{secrets.token_hex(6)}", "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def greeted(api: Served, made: dict[str, Any]) -> int:
    """The status of what a new tenant asks first."""
    headers = {"authorization": f"Bearer {made['apiKey']}"}
    return httpx.get(f"{api.url}/v1/state/welcome/start", headers=headers).status_code


def test_an_export_is_what_the_api_exports(
    api: Served, database: Database, made: dict[str, Any], operator_key: str, tmp_path: Path
) -> None:
    file = tmp_path / "export.ndjson"
    done = command(database, "tenant", "export", made["name"], "--output", str(file))
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    operator = {"authorization": f"Bearer {operator_key}"}
    served = httpx.get(f"{api.url}/v1/tenants/{made['tenantId']}/export", headers=operator)
    assert file.read_bytes() == served.content
    lines = file.read_text().splitlines()
    assert json.loads(lines[-1]) == {"type": "end", "data": len(lines) - 1}
    assert file.stat().st_mode & 0o077 == 0
    printed = command(database, "tenant", "export", made["name"])
    assert printed.stdout.splitlines() == lines
    again = command(database, "tenant", "export", made["name"], "--output", str(file))
    assert (again.returncode, "exists already" in again.stderr) == (1, True)
    assert file.read_bytes() == served.content


def test_an_export_whose_reader_has_enough_ends_quietly(database: Database, made: dict[str, Any]) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    try:
        ended = subprocess.run(
            [sys.executable, "-m", "app", "tenant", "export", made["name"]],
            cwd=ROOT,
            env={**os.environ, **database.environment},
            stdout=writing,
            stderr=subprocess.PIPE,
            timeout=60,
            check=False,
        )
    finally:
        os.close(writing)
    assert (ended.returncode, ended.stderr) == (1, b"")


def test_a_suspended_tenant_is_refused_until_it_is_resumed(
    api: Served, database: Database, made: dict[str, Any]
) -> None:
    assert greeted(api, made) == 200
    suspended = command(database, "tenant", "suspend", made["name"], "--json")
    assert json.loads(suspended.stdout)["suspended"], suspended.stderr
    eventually(lambda: greeted(api, made) == 403)
    resumed = command(database, "tenant", "resume", made["name"])
    assert resumed.stdout == f"Tenant {made['name']} is active.\n"
    eventually(lambda: greeted(api, made) == 200)
    events = database.query(
        "select data #> '{changes,suspended}', data ->> 'by' from vanta.outbox "
        "where tenant_id = $1 and type = 'vanta.tenancy.tenant.changed' order by revision",
        made["tenantId"],
    )
    assert [tuple(row) for row in events] == [("true", "command line"), ("false", "command line")]


def test_an_erasure_needs_the_name_twice_and_leaves_nothing(
    api: Served, database: Database, made: dict[str, Any]
) -> None:
    for arguments, said in ((("--confirm", "another"), "The names differ"), ((), "with --confirm")):
        refused = command(database, "tenant", "erase", made["name"], *arguments)
        assert (refused.returncode, said in refused.stderr) == (1, True)
        assert greeted(api, made) == 200
    erased = command(database, "tenant", "erase", made["name"], "--confirm", made["name"], "--json")
    assert json.loads(erased.stdout) == {"tenantId": made["tenantId"], "name": made["name"], "erased": True}
    assert greeted(api, made) == 401
    assert database.query("select from vanta.tenant where tenant_id = $1", made["tenantId"]) == []
    ((by,),) = database.query("select erased_by from vanta.tombstone where tenant = $1", made["tenantId"])
    assert by == "command line"


def test_nothing_is_erased_without_the_cache(database: Database, made: dict[str, Any]) -> None:
    alone = Database(
        environment={**database.environment, "VANTA_CACHE_PORT": "1"}, settings=database.settings
    )
    refused = command(alone, "tenant", "erase", made["name"], "--confirm", made["name"])
    assert (refused.returncode, "Redis cannot be reached" in refused.stderr) == (3, True)
    ((erasing,),) = database.query(
        "select erasing_at is not null from vanta.tenant where tenant_id = $1", made["tenantId"]
    )
    assert not erasing


@pytest.mark.parametrize(
    "arguments", [("export",), ("suspend",), ("resume",), ("erase", "--confirm", "none")]
)
def test_a_tenant_that_is_not_there_is_one_sentence(database: Database, arguments: tuple[str, ...]) -> None:
    refused = command(database, "tenant", arguments[0], "none", *arguments[1:])
    assert refused.returncode == 1
    assert refused.stderr == "There is no tenant none: see `python -m app tenant list`.\n"
