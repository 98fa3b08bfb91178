"""`python -m app dr` against two regions on real PostgreSQL: over, back, after a loss, half way, and from two shells."""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from local.aws.emulator import ACCOUNT
from local.home import REPOSITORY

from .regions import Region, World

HOST = "api.vanta.example"


class Ready(BaseHTTPRequestHandler):
    """An API that says that it is ready."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b'{"status": "ready"}')

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name
        """Nothing."""


@pytest.fixture
def url() -> Iterator[str]:
    """Where such an API answers."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Ready)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


class Stacks:
    """Stacks ``here`` and ``there`` of a world: their saved outputs, buckets and names."""

    def __init__(self, world: World, folder: Path, url: str) -> None:
        self.world, self.folder, self.url = world, folder, url
        self.regions = {"here": world.here, "there": world.there}
        self.route53 = world.here.client("route53")
        self.zone = self.route53.create_hosted_zone(Name="vanta.example", CallerReference=world.name)[
            "HostedZone"
        ]["Id"].removeprefix("/hostedzone/")
        self.checks = {name: self._way(name) for name in self.regions}
        for name, region in self.regions.items():
            for kind in ("archive", "audit"):
                region.client("s3").create_bucket(
                    Bucket=self.bucket(kind, name),
                    CreateBucketConfiguration={"LocationConstraint": region.region},
                )
            (folder / f"{name}.json").write_text(json.dumps(self.outputs(name, region)))

    def bucket(self, kind: str, name: str) -> str:
        return f"{kind}-{name}-{self.zone.lower()}"

    def outputs(self, name: str, region: Region) -> dict[str, Any]:
        return {
            "region": region.region,
            "accountId": ACCOUNT,
            "globalClusterIdentifier": self.world.name,
            "databaseIdentifier": region.name,
            "archiveBucket": self.bucket("archive", name),
            "auditBucket": self.bucket("audit", name),
            "clusterName": "",
            # Nothing answers at the own name of either: one reason against it, which is one too few.
            "edge": {"host": HOST, "ownHost": "127.0.0.1:1", "zoneId": self.zone},
        }

    def _way(self, name: str) -> str:
        check = self.route53.create_health_check(
            CallerReference=f"{self.zone}-{name}",
            HealthCheckConfig={"Type": "HTTPS", "FullyQualifiedDomainName": f"{name}.vanta.example"},
        )["HealthCheck"]["Id"]
        record = {
            "Name": HOST,
            "Type": "A",
            "SetIdentifier": name,
            "Failover": "PRIMARY" if name == "here" else "SECONDARY",
            "HealthCheckId": check,
            "TTL": 60,
            "ResourceRecords": [{"Value": "192.0.2.1"}],
        }
        self.route53.change_resource_record_sets(
            HostedZoneId=self.zone,
            ChangeBatch={"Changes": [{"Action": "CREATE", "ResourceRecordSet": record}]},
        )
        return check

    def closed(self, name: str) -> bool:
        """Whether the way to ``name`` is closed, whatever it answers."""
        config = self.route53.get_health_check(HealthCheckId=self.checks[name])["HealthCheck"][
            "HealthCheckConfig"
        ]
        assert config.get("Inverted", False) == config.get("Disabled", False)
        return config.get("Inverted", False)

    def command(self, *arguments: str) -> list[str]:
        return [sys.executable, "-m", "app", "dr", *arguments, "--outputs", str(self.folder), "--json"]

    @property
    def environment(self) -> dict[str, str]:
        return {
            **os.environ,
            "AWS_ENDPOINT_URL": self.world.here.aws.endpoint,
            "AWS_ACCESS_KEY_ID": ACCOUNT,
            "AWS_SECRET_ACCESS_KEY": "any",
            "PATH": "",
        }

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self.command(*arguments),
            cwd=REPOSITORY,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )

    def move(self, kind: str, to: str, *more: str) -> dict[str, Any]:
        """The operation, as it is printed at its end."""
        done = self.run(kind, "--to", to, "--url", self.url, *more)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def refused(self, *arguments: str) -> str:
        done = self.run(*arguments)
        assert done.returncode in {1, 3}, done.stdout
        assert done.stdout == ""
        return done.stderr.splitlines()[-1]

    def status(self, to: str) -> dict[str, Any]:
        done = self.run("status", "--to", to)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)


@pytest.fixture
def stacks(world: World, tmp_path: Path, url: str) -> Stacks:
    """Both stacks, ``here`` leading."""
    folder = tmp_path / "outputs"
    folder.mkdir()
    return Stacks(world.lead().follow(), folder, url)


def steps(operation: dict[str, Any], *, skipped: bool = False) -> list[str]:
    return [step["step"] for step in operation["steps"] if step["skipped"] is skipped]


async def test_over_and_back_by_plan_loses_nothing(stacks: Stacks) -> None:
    world = stacks.world
    await world.here.ask("CREATE TABLE written AS SELECT 1 AS x")
    over = stacks.move("switchover", "there")
    assert steps(over) == ["check", "database", "dns", "ready"]
    assert steps(over, skipped=True) == ["pods", "cache", "reconcile"]
    await world.there.ask("INSERT INTO written VALUES (2)")
    assert stacks.closed("here")
    assert not stacks.closed("there")
    assert stacks.status("there")["leader"] == "there"
    back = stacks.move("switchover", "here")
    assert back["ended"] == "done"
    await world.here.ask("INSERT INTO written VALUES (4)")
    assert await world.here.ask("SELECT sum(x) FROM written") == 7
    assert not stacks.closed("here")


async def test_a_lost_region_is_left_and_serves_again_when_it_follows(stacks: Stacks) -> None:
    world = stacks.world
    await world.here.ask("CREATE TABLE written AS SELECT 1 AS x")
    await world.there.received(world.here)
    (reason,) = stacks.status("there")["reasons"]
    assert reason.startswith("its API is silent")
    world.kill(world.here)
    assert len(stacks.status("there")["reasons"]) == 2
    over = stacks.move("failover", "there", "--accept-loss")
    await world.there.ask("INSERT INTO written VALUES (2)")
    # The record is kept where it cannot be changed.
    record = (
        world.there.client("s3")
        .get_object(Bucket=stacks.bucket("audit", "there"), Key=f"recovery/{over['id']}.json")["Body"]
        .read()
    )
    assert json.loads(record)["lossAccepted"] is True
    assert "has not what there has" in stacks.refused("switchover", "--to", "here")
    world.here.aws.revive()
    stacks.move("failback", "here")
    await world.here.ask("INSERT INTO written VALUES (4)")
    assert await world.here.ask("SELECT sum(x) FROM written") == 7
    with pytest.raises(asyncpg.ReadOnlySQLTransactionError):
        await world.there.ask("INSERT INTO written VALUES (8)")


async def test_what_should_not_be_done_is_refused_in_one_sentence(stacks: Stacks) -> None:
    assert stacks.refused("switchover", "--to", "here") == (
        "Stack here leads already: there is nothing to take over."
    )
    assert stacks.refused("failover", "--to", "there", "--accept-loss").startswith(
        "1 of 2 reasons say that here is lost (its API is silent"
    )
    assert "nowhere.json cannot be read" in stacks.refused("failover", "--to", "nowhere")
    assert "there is nothing to resume" in stacks.refused("resume", "--to", "there")
    await stacks.world.there.ask("SELECT pg_wal_replay_pause()")
    await stacks.world.here.ask("CREATE TABLE written AS SELECT 1 AS x")
    assert "s is the limit" in stacks.refused("switchover", "--to", "there", "--lag-limit", "0")
    stacks.world.kill(stacks.world.here)
    assert "say --accept-loss" in stacks.refused("failover", "--to", "there", "--lag-limit", "0")
    assert "use `dr failover --to there`" in stacks.refused("switchover", "--to", "there")
    stacks.world.here.aws.revive()


def test_what_was_killed_half_way_is_resumed_and_of_two_shells_one_works(stacks: Stacks) -> None:
    # Nothing answers there, so it waits for the API once the database has changed.
    arguments = stacks.command("switchover", "--to", "there", "--url", "http://127.0.0.1:1")
    with subprocess.Popen(
        arguments, cwd=REPOSITORY, env=stacks.environment, stderr=subprocess.PIPE, text=True
    ) as first:
        assert first.stderr is not None
        while "dns" not in first.stderr.readline():
            assert first.poll() is None
        assert "is at work on switchover" in stacks.refused("switchover", "--to", "there")
        assert "less than a minute ago" in stacks.refused("resume", "--to", "there")
        first.send_signal(signal.SIGINT)
        first.wait(30)
    assert "left half way: run `dr resume --to there`" in stacks.refused("switchover", "--to", "there")
    done = stacks.move("resume", "there")
    assert steps(done)[-1] == "ready"
    assert stacks.status("there")["leader"] == "there"
    assert "nothing to resume" in stacks.refused("resume", "--to", "there")
