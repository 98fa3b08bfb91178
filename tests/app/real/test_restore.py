"""A bad write is undone: restored beside, compared, exchanged, and what that gave up is listed; on real PostgreSQL."""

import datetime as dt
import json
import os
import secrets
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.settings import Settings
from local import tls
from local.aws.emulator import ACCOUNT, Aws
from tests.conftest import RedisServer
from tests.local.regions import HERE, MASTER, PASSWORD, Region

from .conftest import (
    ROOT,
    Database,
    command,
    eventually,
    make_tenant,
    serving,
    write_secrets,
)

ANY = {"if-none-match": "*"}


@dataclass(frozen=True, kw_only=True)
class World:
    """A stack with a database cluster, whose outputs are saved in ``folder``; ``database`` has its address."""

    region: Region
    database: Database
    folder: Path

    def dr(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """``python -m app dr`` with an operator's environment, without Kubernetes."""
        return subprocess.run(
            [sys.executable, "-m", "app", "dr", *arguments, "--stack", "here", "--outputs", str(self.folder)],
            cwd=ROOT,
            env={
                **os.environ,
                "AWS_ENDPOINT_URL": self.region.aws.endpoint,
                "AWS_ACCESS_KEY_ID": ACCOUNT,
                "AWS_SECRET_ACCESS_KEY": "any",
            },
            capture_output=True,
            text=True,
            check=False,
        )

    def beside(self, what: str, port: int) -> dict[str, Any]:
        """What ``dr compare`` or ``dr lost`` says of the only tenant."""
        done = command(self.database, "dr", what, "--host", "127.0.0.1", "--port", str(port), "--json")
        assert done.returncode == 0, done.stderr
        (found,) = json.loads(done.stdout)
        return found


@pytest.fixture
def world(aws: Aws, redis_server: RedisServer, tmp_path: Path) -> Iterator[World]:
    """A cluster with a reader, and the state API's schema in it."""
    region = Region(aws, HERE, "undone")
    region.create(members=2, **MASTER)
    described, ca = region.described, tls.ensure(aws.home).ca
    write_secrets(
        tmp_path / "secrets",
        master=("master", PASSWORD),
        app=("vanta_app", "of-the-app"),
        token=redis_server.token,
    )
    environment = {
        "VANTA_DATABASE_HOST": described["Endpoint"],
        "VANTA_DATABASE_PORT": str(described["Port"]),
        "VANTA_DATABASE_NAME": "vanta",
        "VANTA_DATABASE_CA": str(ca),
        "VANTA_CACHE_HOST": redis_server.host,
        "VANTA_CACHE_PORT": str(redis_server.port),
        "VANTA_CACHE_CA": str(redis_server.ca),
        "VANTA_SECRETS_DIR": str(tmp_path / "secrets"),
        "VANTA_DRAIN_SECONDS": "0",
    }
    database = Database(environment=environment, settings=Settings.from_environment(environment))
    migrated = command(database, "migrate")
    assert migrated.returncode == 0, migrated.stderr
    archive, audit = (f"{kind}-{secrets.token_hex(4)}" for kind in ("archive", "audit"))
    outputs = {
        "region": HERE,
        "accountId": ACCOUNT,
        "globalClusterIdentifier": "",
        "databaseIdentifier": region.name,
        "archiveBucket": archive,
        "auditBucket": audit,
        "clusterName": "",
        "edge": {},
    }
    for bucket in (archive, audit):
        region.client("s3").create_bucket(
            Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": HERE}
        )
    folder = tmp_path / "outputs"
    folder.mkdir()
    (folder / "here.json").write_text(json.dumps(outputs))
    yield World(region=region, database=database, folder=folder)
    for cluster in region.rds.describe_db_clusters()["DBClusters"]:
        if cluster["DBClusterIdentifier"].startswith(region.name):
            Region(aws, HERE, cluster["DBClusterIdentifier"]).delete()


def a_full_second() -> str:
    """One that all before has come before and all after comes after."""
    second = dt.datetime.now(dt.UTC).replace(microsecond=0) + dt.timedelta(seconds=1)
    eventually(lambda: dt.datetime.now(dt.UTC) > second)
    return f"{second:%Y-%m-%dT%H:%M:%SZ}"


def test_a_bad_write_is_found_and_undone_and_what_that_gave_up_is_listed(
    world: World, tmp_path: Path
) -> None:
    tenant = make_tenant(world.database, "acme")
    with (
        serving(world.database, tmp_path) as served,
        httpx.Client(base_url=f"{served.url}/v1/state/prices", headers=tenant.headers) as client,
    ):
        for name in ("bread", "milk"):
            assert client.put(f"/{name}", json="good", headers=ANY).status_code == 201
        before = a_full_second()
        assert client.put("/bread", json="bad", headers={"if-match": "*"}).status_code == 200
        made = world.dr("restore", "--at", before, "--json")
        assert made.returncode == 0, made.stderr
        restored = json.loads(made.stdout)
        difference = world.beside("compare", restored["port"])
        (bread,) = difference["documents"]
        assert (bread["collection"], bread["key"]) == ("prices", "bread")
        assert bread["then"] < bread["now"] == difference["events"][0]["revision"]
        assert (len(difference["events"]), difference["complete"]) == (1, True)
        # Acknowledged later, and given up as well.
        assert client.put("/eggs", json="good", headers=ANY).status_code == 201
        refused = world.dr("swap", "--at", before)
        assert refused.returncode == 1
        assert refused.stderr.endswith("end the API yourself and say --api-stopped.\n")
        assert client.get("/bread").json() == "bad"
    # Repeated, it changes nothing more.
    for _ in range(2):
        swapped = world.dr("swap", "--at", before, "--api-stopped")
        assert swapped.returncode == 0, swapped.stderr
    assert command(world.database, "dr", "new-timeline").returncode == 0
    with (
        serving(world.database, tmp_path) as served,
        httpx.Client(base_url=f"{served.url}/v1/state/prices", headers=tenant.headers) as client,
    ):
        assert [client.get(f"/{name}").status_code for name in ("bread", "milk", "eggs")] == [200, 200, 404]
        assert client.get("/bread").json() == "good"
        assert client.put("/bread", json="better", headers={"if-match": "*"}).status_code == 200
    assert len(world.region.described["DBClusterMembers"]) == 2
    (replaced,) = (
        cluster
        for cluster in world.region.rds.describe_db_clusters()["DBClusters"]
        if cluster["DBClusterIdentifier"].startswith("undone-until-")
    )
    lost = world.beside("lost", replaced["Port"])
    assert [event["subject"].rpartition("/")[2] for event in lost["events"]] == ["bread", "eggs"]


def test_what_cannot_be_gone_back_to_is_refused_in_one_sentence(world: World) -> None:
    missing = world.dr("swap", "--at", "2026-01-31T13:05:00Z", "--api-stopped")
    assert missing.returncode == 1
    assert missing.stderr == (
        "undone-at-20260131t130500z is not found: make it with `dr restore --at 2026-01-31T13:05:00Z` first.\n"
    )
    future = world.dr("restore", "--at", "2099-01-31T13:05:00Z")
    assert future.returncode == 3
    assert "is in the future" in future.stderr
    assert world.dr("restore", "--at", "yesterday").returncode == 2
