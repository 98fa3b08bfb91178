"""A region never used before, begun from a snapshot: ``python -m bench.cold``, or with another size than five gigabytes.

A stack is brought up by the real engine, its database is loaded, a snapshot is taken and copied, and its region is lost: nothing of it
runs or is kept. From then on each step of ``docs/runbooks/cold-start.yaml`` is timed until a document is read and one is written. Five
gigabytes write ``bench/results/cold.json``. Needs about three times the size on disk, in a temporary folder.
"""

import asyncio
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import boto3
import yaml
from botocore.config import Config

from app.db import postgres
from app.settings import Settings
from bench import many
from bench.machine import facts
from local import api
from local.aws.emulator import ACCOUNT, Aws
from local.console import Console
from local.environment import app_environment, mount_secrets
from local.home import REPOSITORY, Home
from local.ports import Ports
from local.processes import Processes
from local.pulumi.engine import build_engine, find_engine
from local.pulumi.stack import Stack

GIGABYTES = 5.0
HERE, THERE = "eu-west-1", "eu-central-1"
ORIGIN: Mapping[str, Any] = {
    "aws:region": HERE,
    "vanta:network": {"cidr": "10.77.0.0/16", "zones": 2},
    "vanta:recovery": {"region": THERE},
    # It is there to be lost: a replica would be one more copy on the disk.
    "vanta:database": {"readers": 0},
}
#: What passes from the decision until clients are served.
STEPS = ("plan", "up", "serve", "read", "write")
RESULTS = Path(__file__).parent / "results"
_AT_ONCE = 20_000
# 1.9 kB that nothing compresses, so that the database has the size that is meant.
_LOAD = many.loading(
    "to_json((select string_agg(md5(n || ':' || i), '') from generate_series(1, 60) i))::text"
)


def main(gigabytes: float) -> None:
    """Measure, print and, for :data:`GIGABYTES`, write."""
    machine = facts()
    with tempfile.TemporaryDirectory(prefix="vanta-cold-") as folder:
        found = measure(Path(folder), round(gigabytes * 1e9))
    print(json.dumps(found, indent=1))  # noqa: T201 - a benchmark prints its table
    if gigabytes == GIGABYTES:
        RESULTS.mkdir(exist_ok=True)
        content = {"machine": machine, "unit": "seconds; bytes", **found}
        (RESULTS / "cold.json").write_text(json.dumps(content, indent=1) + "\n")


def measure(folder: Path, size: int) -> dict[str, Any]:
    """Lose the region of a database of ``size`` bytes and begin in another one, in ``folder``: seconds of each step."""
    home = Home.at(folder / ".vanta")
    processes = Processes(home)
    try:
        return Cold(folder, home, processes).measured(size)
    finally:
        processes.stop_all()
        processes.stop_orphans()


def operated(
    aws: Aws, folder: Path, words: Sequence[str], pod: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Python with ``words`` in ``folder``, as an operator or in a ``pod`` with that environment."""
    return subprocess.run(
        [sys.executable, *words],
        cwd=folder,
        env={
            **os.environ,
            "PYTHONPATH": str(REPOSITORY),
            "AWS_ENDPOINT_URL": aws.endpoint,
            "AWS_ACCESS_KEY_ID": ACCOUNT,
            "AWS_SECRET_ACCESS_KEY": "any",
            **(pod or {}),
        },
        capture_output=True,
        text=True,
        check=False,
    )


def planned(aws: Aws, folder: Path) -> subprocess.CompletedProcess[str]:
    """``python -m app dr plan`` in ``folder``, where ``outputs`` has those of the stack ``origin``."""
    options = ("--region", THERE, "--from", "origin", "--stack", "anew", "--outputs", "outputs")
    return operated(aws, folder, ["-m", "app", "dr", "plan", *options])


class Cold:
    """A lost region and the one after it, both in ``home``."""

    def __init__(self, folder: Path, home: Home, processes: Processes) -> None:
        self._folder, self._home, self._processes = folder, home, processes
        self._aws = Aws(home)
        self._engine = find_engine() or build_engine(lambda *_: None)
        self._port = Ports(home).claim("api")
        self._seconds: dict[str, float] = {}

    def measured(self, size: int) -> dict[str, Any]:
        """Seconds of each step, for a database of ``size`` bytes."""
        self._aws.start()
        outputs = self._stack("origin", ORIGIN).up().outputs
        environment = self._served(outputs)
        with self._timed("load"):
            count, really = asyncio.run(self._load(environment, size))
        arn = self._copied(outputs["databaseIdentifier"])
        self._lose(outputs)
        with self._timed("plan"):
            config = self._planned()
        assert config["vanta:database"]["restoreSnapshot"] == arn  # noqa: S101 - the newest one is ours
        with self._timed("up"):
            new = self._stack("anew", config).up().outputs
        with self._timed("serve"):
            self._served(new)
        with self._timed("read"):
            # The last one: what was restored has them all, or not this one.
            self._ask("GET", many.key(count - 1))
        with self._timed("write"):
            self._ask("PUT", "after")
        return {
            "documents": count,
            "databaseBytes": really,
            "seconds": self._seconds,
            "sum": round(sum(self._seconds[step] for step in STEPS), 1),
        }

    def _stack(self, name: str, config: Mapping[str, Any]) -> Stack:
        folder = self._folder / "stacks"
        return Stack(name, folder=folder, engine=self._engine, endpoint=self._aws.endpoint, config=config)

    def _served(self, outputs: Mapping[str, Any]) -> Mapping[str, str]:
        """Migrate the database of a stack and serve the API on it: its environment."""
        secrets = mount_secrets(self._home, outputs["appSecrets"], self._aws.endpoint, outputs["region"])
        environment = app_environment(
            self._home, outputs, self._aws.endpoint, secrets=secrets, port=self._port
        )
        api.serve(self._home, environment, Console())
        return environment

    async def _load(self, environment: Mapping[str, str], size: int) -> tuple[int, int]:
        """Documents, each with one version, until the database has ``size`` bytes: their number, and its size."""
        connection = await postgres.connect(Settings.from_environment(environment), "database-master")
        try:
            tenant = await connection.fetchval("select tenant_id from vanta.tenant")
            count, really = 0, 0
            while really < size:
                await connection.execute(_LOAD, tenant, count, count + _AT_ONCE, timeout=600)
                count += _AT_ONCE
                really = await connection.fetchval("select pg_database_size(current_database())")
                # Nobody goes back to a moment of the load, and it would take as much room again.
                for segment in self._home.root.rglob("wal-archive/0*"):
                    segment.unlink()
        finally:
            await connection.close()
        return count, really

    def _copied(self, database: str) -> str:
        """Take a snapshot and copy it to the other region, as a schedule does before anything is lost: the copy's ARN."""
        with self._timed("snapshot"):
            taken = self._rds(HERE).create_db_cluster_snapshot(
                DBClusterIdentifier=database, DBClusterSnapshotIdentifier="taken"
            )["DBClusterSnapshot"]
        copied = self._rds(THERE).copy_db_cluster_snapshot(
            SourceDBClusterSnapshotIdentifier=taken["DBClusterSnapshotArn"],
            TargetDBClusterSnapshotIdentifier="copied",
            SourceRegion=HERE,
        )
        return copied["DBClusterSnapshot"]["DBClusterSnapshotArn"]

    def _lose(self, outputs: Mapping[str, Any]) -> None:
        """End all that runs for the stack, and remove its data; what an operator has saved are its outputs."""
        self._processes.stop(api.NAME)
        commands = [process.command for process in self._processes.all()]
        servers = [command for command in commands if command.name.startswith(f"postgres-{HERE}-")]
        for command in servers:
            self._processes.stop(command.name)
        # Servers of a cluster share a folder.
        for cluster in {Path(command.argv[-1]).parent for command in servers}:
            shutil.rmtree(cluster)
        saved = self._folder / "outputs"
        saved.mkdir()
        (saved / "origin.json").write_text(json.dumps(outputs))

    def _planned(self) -> Mapping[str, Any]:
        """The configuration that ``dr plan`` writes."""
        planned(self._aws, self._folder).check_returncode()
        return yaml.safe_load((self._folder / "Pulumi.anew.yaml").read_text())["config"]

    def _ask(self, method: str, key: str) -> None:
        headers = {"authorization": f"Bearer {(self._home.root / 'api-key').read_text()}"}
        if method == "PUT":
            headers |= {"if-none-match": "*", "content-type": "application/json"}
        request = Request(
            f"http://127.0.0.1:{self._port}/v1/state/many/{key}",
            method=method,
            headers=headers,
            data=b'"written"' if method == "PUT" else None,
        )
        # An answer that is no success raises.
        with urlopen(request, timeout=30) as answer:  # noqa: S310 - as above
            answer.read()

    def _rds(self, region: str) -> Any:
        return boto3.client(
            "rds",
            region_name=region,
            endpoint_url=self._aws.endpoint,
            aws_access_key_id=ACCOUNT,
            aws_secret_access_key="any",  # noqa: S106 - the emulator checks no signature
            # A snapshot is copied before the emulator answers.
            config=Config(read_timeout=1800, retries={"total_max_attempts": 1}),
        )

    @contextmanager
    def _timed(self, step: str) -> Generator[None]:
        began = time.monotonic()
        yield
        self._seconds[step] = round(time.monotonic() - began, 2)
        print(f"{step:<10}{self._seconds[step]:>8.2f} s", flush=True)  # noqa: T201 - who waits sees what for


if __name__ == "__main__":
    main(float(sys.argv[1]) if len(sys.argv) > 1 else GIGABYTES)
