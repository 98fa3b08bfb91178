"""Makes the samples anew with the real engine, and the comments from them: ``python tests/infra/review/regenerate.py``.

With ``--comments`` it only writes the comments anew, from the samples that are there.

The emulator's account is 000000000000 and nothing in a stack belongs to anybody; where the program lies on this machine
and when it ran is taken out.
"""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import boto3
from pulumi.automation import CommandError

from infra.review import comment
from infra.review.preview import read
from local.aws.emulator import ACCOUNT, Aws
from local.home import Home
from local.processes import Processes
from local.pulumi.engine import build_engine, find_engine
from local.pulumi.stack import Stack

SAMPLES = Path(__file__).with_name("samples")
# Nothing that the review reads, and most of the bytes.
_LEFT_OUT = {"stackTrace", "sourcePosition", "created", "modified", "dependencies", "propertyDependencies"}

Rooms = Mapping[str, Mapping[str, Any]]
# What is previewed against a stack as committed, once all are up: configuration laid over its own.
SCENARIOS: Mapping[str, tuple[str, Rooms]] = {
    "dev-unchanged": ("dev", {}),
    "dev-growth": (
        "dev",
        {
            "database": {"readers": 2, "instanceClass": "db.r8g.large", "backupRetentionDays": 7},
            "cache": {"authTokenLength": 32, "nodeType": "cache.r7g.large"},
            "archive": {"expireAfterDays": 3000},
        },
    ),
    "dev-loss": ("dev", {"database": {"name": "other", "readers": 0}}),
    "prod-protected": ("prod", {"database": {"name": "other"}}),
    # What cuts evidence and backups and deletes nothing.
    "prod-shorter": (
        "prod",
        {
            "audit": {"lockPeriod": "1 year", "accessLogDays": 1},
            "database": {"backupRetentionDays": 1, "logRetentionDays": 1},
            "network": {"flowLogDays": 1},
            "backup": {"retentionDays": 7},
            "evidence": {"logDays": 1},
        },
    ),
    # What a standby does before it takes over.
    "prod-dr-growth": ("prod-dr", {"database": {"readers": 2}, "cache": {"nodes": 3}}),
}


class _Previewed(Stack):
    """A stack that also gives what ``pulumi preview --json`` prints."""

    def digest(self) -> dict[str, Any]:
        """The preview; one that fails prints what it knows as well."""
        printed: list[str] = []
        with self._opened() as stack:
            try:
                stack.preview(json=True, color="never", on_output=printed.append)
            except CommandError:
                if not printed:
                    raise
        return json.loads("".join(printed))

    def drift(self) -> dict[str, Any]:
        """What ``pulumi refresh --preview-only --json`` prints."""
        with self._opened() as stack:
            workspace = stack.workspace
            # The SDK's own preview of a refresh cannot be asked for JSON.
            done = subprocess.run(
                [
                    workspace.pulumi_command.command,
                    "refresh",
                    "--preview-only",
                    "--json",
                    "--stack",
                    stack.name,
                ],
                cwd=workspace.work_dir,
                env={**os.environ, **workspace.env_vars, "PULUMI_HOME": str(workspace.pulumi_home)},
                capture_output=True,
                text=True,
                check=True,
            )
        return json.loads(done.stdout)


def samples() -> None:
    """Write every sample."""
    engine = find_engine() or build_engine(lambda *_: None)
    with tempfile.TemporaryDirectory(prefix="vanta-") as folder:
        home = Home.at(Path(folder) / "home")
        aws = Aws(home)

        def stack(name: str, rooms: Rooms) -> _Previewed:
            config = {f"vanta:{room}": values for room, values in rooms.items()}
            return _Previewed(name, folder=Path(folder), engine=engine, endpoint=aws.endpoint, config=config)

        try:
            aws.start()
            _write("prod-first", stack("prod", {}).digest())
            for name in ("dev", "prod", "prod-dr"):
                stack(name, {}).up()
            for sample, (name, rooms) in SCENARIOS.items():
                _write(sample, stack(name, rooms).digest())
            _touch(aws.endpoint)
            _write("dev-drift", stack("dev", {}).drift())
        finally:
            Processes(home).stop_all()


def _touch(endpoint: str) -> None:
    """Change one thing and delete another behind the engine's back."""

    def client(service: str) -> Any:
        return boto3.client(
            service,
            region_name="eu-west-1",
            endpoint_url=endpoint,
            aws_access_key_id=ACCOUNT,
            aws_secret_access_key="local",
        )

    client("rds").modify_db_cluster(
        DBClusterIdentifier="vanta-dev-database", BackupRetentionPeriod=9, ApplyImmediately=True
    )
    client("secretsmanager").delete_secret(SecretId="vanta-dev-cache-auth", ForceDeleteWithoutRecovery=True)


def _write(sample: str, digest: dict[str, Any]) -> None:
    # A refresh tells of every resource, changed or not: a few that did not change are enough.
    same = [step for step in digest["steps"] if step["op"] == "refresh"]
    steps = [step for step in digest["steps"] if step not in same[3:]]
    text = json.dumps({**_cleaned(digest), "steps": _cleaned(steps), "duration": 0}, indent=1, sort_keys=True)
    (SAMPLES / f"{sample}.json").write_text(text + "\n")


def comments() -> None:
    """Write the comment of every sample."""
    for path in sorted(SAMPLES.glob("*.json")):
        stack, _, _ = path.stem.rpartition("-")
        preview = read(json.loads(path.read_text()), stack=stack, project="vanta")
        drifted = path.stem.endswith("-drift")
        text = comment.render_drift(preview) if drifted else comment.render(preview, allowed={}, wrong=[])
        path.with_suffix(".md").write_text(text)


def _cleaned(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _cleaned(item) for key, item in value.items() if key not in _LEFT_OUT}
    return [_cleaned(item) for item in value] if isinstance(value, list) else value


if __name__ == "__main__":
    if "--comments" not in sys.argv:
        samples()
    comments()
