"""What a user is promised of the platform on one machine."""

import asyncio
import datetime as dt
import fcntl
import json
import os
import shutil
import signal
import ssl
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, suppress
from pathlib import Path

import asyncpg
import httpx
import psutil
import pytest
from driver import Platform

from local.home import REPOSITORY, Home
from local.processes import Process, Processes

DOCUMENT = "/v1/state/notes"
LAST_WINS = {"Vanta-Concurrency": "last-write-wins"}


def eventually(holds: Callable[[], bool], what: str, seconds: float = 30) -> None:
    """Poll until ``holds``."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, f"not within {seconds} s: {what}"
        time.sleep(0.05)


def named(platform: Platform, part: str) -> Process:
    (found,) = [p for p in Processes(platform.home).all() if part in p.command.name]
    return found


def kill(process: Process) -> None:
    """kill -9 the process and what it started."""
    handle = process.handle()
    assert handle is not None
    for member in [*handle.children(recursive=True), handle]:
        with suppress(psutil.NoSuchProcess):  # a child may have ended by itself meanwhile
            member.kill()
    eventually(lambda: process.handle() is None, f"{process.command.name} is dead")


def on_replica(platform: Platform, key: str) -> bool:
    """Whether the reader has the document ``key``, asked in SQL as the administrator."""
    outputs = json.loads((platform.home.root / "outputs.json").read_text())
    master = json.loads((platform.home.root / "secrets" / "database-master").read_text())

    async def ask() -> bool:
        connection = await asyncpg.connect(
            host=outputs["databaseReaderEndpoint"],
            port=outputs["databasePort"],
            database=outputs["appEnvironment"]["VANTA_DATABASE_NAME"],
            user=master["username"],
            password=master["password"],
            ssl=ssl.create_default_context(cafile=str(platform.home.tls / "ca.pem")),
        )
        try:
            assert await connection.fetchval("SELECT pg_is_in_recovery()")
            return bool(await connection.fetchval("SELECT count(*) FROM vanta.document WHERE key = $1", key))
        finally:
            await connection.close()

    return asyncio.run(ask())


def test_a_second_up_is_a_no_op_that_says_so(platform: Platform) -> None:
    assert platform.up()["changed"] is False
    assert "nothing changed" in platform.run("up").stderr


def test_up_changes_no_tracked_file(platform: Platform) -> None:
    assert platform.up()["url"]
    if not shutil.which("git") or not (REPOSITORY / ".git").exists():
        pytest.fail("this test needs the checkout's git")
    names = ["Pulumi.yaml", "Pulumi.local.yaml", "uv.lock", "infra", "app", "local"]
    written = subprocess.run(
        ["git", "status", "--porcelain", "--", *names],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    salted = [line for line in written.splitlines() if "Pulumi" in line]
    assert not salted


def test_what_is_written_through_the_api_is_read_from_the_replica(
    platform: Platform, api: httpx.Client
) -> None:
    key = f"replicated-{os.urandom(8).hex()}"
    assert api.put(f"{DOCUMENT}/{key}", json={"n": 1}).status_code == 201
    eventually(lambda: on_replica(platform, key), "the replica has the document")


def test_a_secret_is_sealed_with_the_key_of_the_stack_and_survives_its_process(
    platform: Platform, api: httpx.Client
) -> None:
    assert api.put("/v1/secrets/e2e", json={"generate": {}}).status_code in {201, 428}
    value = api.get("/v1/secrets/e2e").json()["value"]
    kill(named(platform, "api"))
    platform.up()
    with platform.client() as client:
        assert client.get("/v1/secrets/e2e").json()["value"] == value


def test_losing_redis_loses_nothing(platform: Platform, api: httpx.Client) -> None:
    before = api.put(f"{DOCUMENT}/kept", json={"n": 1}, headers=LAST_WINS)
    assert before.is_success
    kill(named(platform, "cache-tls"))
    kill(next(p for p in Processes(platform.home).all() if p.command.name.endswith("local-cache")))
    assert api.get(f"{DOCUMENT}/kept").json() == {"n": 1}
    written = api.put(f"{DOCUMENT}/kept", json={"n": 2}, headers={"If-Match": before.headers["ETag"]})
    assert written.is_success
    assert api.get(f"{DOCUMENT}/kept").json() == {"n": 2}
    platform.up()
    assert named(platform, "cache-tls").handle() is not None
    assert api.get(f"{DOCUMENT}/kept").json() == {"n": 2}


def test_a_killed_api_comes_back_with_every_document(platform: Platform, api: httpx.Client) -> None:
    written = api.put(f"{DOCUMENT}/survivor", json={"alive": True}, headers=LAST_WINS)
    kill(named(platform, "api"))
    platform.up()
    with platform.client() as fresh:
        again = fresh.get(f"{DOCUMENT}/survivor")
    assert again.json() == {"alive": True}
    assert again.headers["ETag"] == written.headers["ETag"]


def test_of_writers_in_conflict_one_wins_and_the_others_are_told(
    platform: Platform, api: httpx.Client
) -> None:
    key = f"{DOCUMENT}/contested-{os.urandom(4).hex()}"
    etag = api.put(key, json={"by": "nobody"}).headers["ETag"]

    def write(writer: int) -> int:
        with platform.client() as client:
            return client.put(key, json={"by": writer}, headers={"If-Match": etag}).status_code

    with ThreadPoolExecutor(8) as writers:
        statuses = list(writers.map(write, range(8)))
    assert sum(status < 300 for status in statuses) == 1
    assert statuses.count(412) == 7


def test_a_lost_key_is_replaced_by_one_of_another_tenant(platform: Platform) -> None:
    key = platform.home.root / "api-key"
    lost = key.read_text()
    key.unlink()
    platform.up()
    assert key.read_text() != lost
    with platform.client() as api:
        assert api.put(f"{DOCUMENT}/first", json={"mine": True}).status_code == 201
    key.write_text(lost)


def test_up_after_kill_9_of_everything_recovers_with_every_document(platform: Platform) -> None:
    with platform.client() as api:
        written = api.put(f"{DOCUMENT}/after-all", json={"n": 7}, headers=LAST_WINS)
        assert written.is_success
    for process in Processes(platform.home).all():
        if process.handle() is not None:
            kill(process)
    platform.up()
    with platform.client() as api:
        assert api.get(f"{DOCUMENT}/after-all").json() == {"n": 7}
    assert all(process.handle() for process in Processes(platform.home).all())


def test_up_after_an_exchange_of_the_database_serves_what_was_then(
    platform: Platform, api: httpx.Client, tmp_path: Path
) -> None:
    for key in ("good", "overwritten"):
        assert api.put(f"{DOCUMENT}/{key}", json="then", headers=LAST_WINS).is_success
    moment = dt.datetime.now(dt.UTC).replace(microsecond=0) + dt.timedelta(seconds=1)
    eventually(lambda: dt.datetime.now(dt.UTC) > moment, "that second is over")
    # The cache has it as well.
    assert api.put(f"{DOCUMENT}/overwritten", json="since", headers=LAST_WINS).is_success
    assert api.get(f"{DOCUMENT}/overwritten").json() == "since"
    shutil.copy(platform.home.root / "outputs.json", tmp_path / "local.json")
    of = ("--stack", "local", "--at", f"{moment:%Y-%m-%dT%H:%M:%SZ}", "--outputs", str(tmp_path))
    platform.operate("dr", "restore", *of)
    Processes(platform.home).stop("api")
    platform.operate("dr", "swap", *of, "--api-stopped")
    assert platform.up()["changed"] is True
    with platform.client() as again:
        assert again.get(f"{DOCUMENT}/overwritten").json() == "then"
        assert again.put(f"{DOCUMENT}/good", json="now", headers=LAST_WINS).is_success
    assert platform.up()["changed"] is False


def test_no_secret_shows_in_a_command_line_or_a_log(platform: Platform) -> None:
    secrets = [
        text.encode()
        for path in (platform.home.root / "secrets").iterdir()
        for text in json.loads(path.read_text()).values()
        if len(text) >= 16
    ]
    secrets.append((platform.home.root / "api-key").read_bytes())
    assert len(secrets) == 4
    for process in psutil.process_iter(["cmdline"]):
        line = " ".join(process.info["cmdline"] or []).encode()
        assert not [secret for secret in secrets if secret in line]
    for log in platform.home.logs.iterdir():
        content = log.read_bytes()
        assert not [secret for secret in secrets if secret in content], log.name


def test_two_platforms_of_one_machine_do_not_collide_and_a_killed_up_is_repaired_by_the_next(
    platform: Platform,
    tmp_path: Path,
    open_home: Callable[[Path], AbstractContextManager[Home]],
) -> None:
    with open_home(tmp_path) as home:
        second = Platform(home)
        command = [sys.executable, "-m", "local", "--home", str(home.root), "up"]
        first_try = subprocess.Popen(
            command,
            cwd=REPOSITORY,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        state = home.root / "stack/state/.pulumi/stacks/vanta/local.json"
        eventually(lambda: state.exists() and state.stat().st_size > 20_000, "the first up is half way", 120)
        os.killpg(first_try.pid, signal.SIGKILL)
        first_try.wait()
        summary = second.up()
        assert summary["url"] != (platform.home.root / "url").read_text()
        with second.client() as api, platform.client() as other:
            assert api.put(f"{DOCUMENT}/here", json=1).status_code == 201
            assert other.get(f"{DOCUMENT}/here").status_code == 404
        done = second.run("down")
        assert done.returncode == 0
        assert not home.root.exists()
        assert not Processes(home).orphans()


def test_status_names_every_process_with_its_memory(platform: Platform) -> None:
    found = json.loads(platform.run("status", "--json").stdout)
    assert {"api", "aws"} <= found["processes"].keys()
    assert all(usage["residentBytes"] > 0 for usage in found["processes"].values())


def test_an_up_during_another_up_is_refused_in_one_line(platform: Platform) -> None:
    with (platform.home.root / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        refused = platform.run("up")
    assert refused.returncode == 1
    assert (
        refused.stderr.strip() == "error: Another `make up` of this checkout is running: wait for it to end."
    )
