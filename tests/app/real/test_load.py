"""The load test against the real API."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from .conftest import Database, Served, Tenant, command, free_port

QUICK = ("load", "--rate", "50", "--seconds", "2", "--json")


@pytest.fixture
def key_file(tenant: Tenant, tmp_path: Path) -> Path:
    file = tmp_path / "key"
    file.write_text(f"{tenant.key}\n")
    return file


def test_every_request_is_accounted_for_and_a_report_is_written(
    api: Served, database: Database, key_file: Path, tmp_path: Path
) -> None:
    easy = ("--read-p99", "60000", "--write-p99", "60000")
    page = tmp_path / "load.html"
    done = command(
        database, *QUICK, *easy, "--url", api.url, "--key-file", str(key_file), "--report", str(page)
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)["outcome"]
    assert sum(kind["count"] for kind in found["kinds"].values()) == 100
    assert found["failures"] == {}
    assert "Every objective was held." in page.read_text()


def test_a_missed_objective_is_said_and_is_an_exit_code(
    api: Served, database: Database, key_file: Path
) -> None:
    done = command(database, *QUICK[:-1], "--read-p99", "0", "--url", api.url, "--key-file", str(key_file))
    assert done.returncode == 1
    assert "missed read p99 in ms" in done.stdout


def test_an_api_that_is_not_there_is_said_in_a_sentence(database: Database, key_file: Path) -> None:
    done = command(database, *QUICK, "--url", f"http://127.0.0.1:{free_port()}", "--key-file", str(key_file))
    assert done.returncode == 3
    assert "is it running?" in done.stderr


def test_a_key_that_is_refused_is_named_and_never_shown(
    api: Served, database: Database, tmp_path: Path, new_tenant: Callable[[], Tenant]
) -> None:
    wrong = tmp_path / "wrong"
    wrong.write_text(new_tenant().key[:-1] + "A")
    done = command(database, *QUICK, "--url", api.url, "--key-file", str(wrong))
    assert done.returncode == 3
    assert "refused the key (401)" in done.stderr
    assert wrong.read_text() not in done.stdout + done.stderr
