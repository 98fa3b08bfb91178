"""A region never used before: the runbook for it is followed, and the real engine brings up a stack that has the documents."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from app.settings import Settings
from bench.cold import HERE, STEPS, THERE, measure, operated, planned
from local import runbooks
from local.aws.emulator import Aws
from local.environment import app_environment, mount_secrets
from local.pulumi.stack import Stack
from tests.app.real.conftest import Database, command, make_tenant, serving
from tests.local.calls import client

DOCUMENT = "/v1/state/agents/planner"
ORIGIN: Mapping[str, Any] = {
    "aws:region": HERE,
    "vanta:network": {"cidr": "10.77.0.0/16", "zones": 2},
    "vanta:recovery": {"region": THERE},
}


def migrated(aws: Aws, outputs: Mapping[str, Any]) -> Database:
    """The database of a stack, with this version's schema and the login of its app."""
    secrets = mount_secrets(aws.home, outputs["appSecrets"], aws.endpoint, outputs["region"])
    environment = app_environment(aws.home, outputs, aws.endpoint, secrets=secrets, port=0)
    environment.pop("VANTA_LISTEN_PORT")
    database = Database(environment=environment, settings=Settings.from_environment(environment))
    done = command(database, "migrate")
    assert done.returncode == 0, done.stderr
    return database


@pytest.fixture
def opened(engine: Path, module_aws: Aws, tmp_path: Path) -> Callable[..., Stack]:
    """``opened(name, config)``: a stack that nobody committed."""

    def stack(name: str, config: Mapping[str, Any]) -> Stack:
        return Stack(
            name, folder=tmp_path / "stacks", engine=engine, endpoint=module_aws.endpoint, config=config
        )

    return stack


def test_a_new_stack_begins_with_the_documents_of_a_lost_one(
    module_aws: Aws, opened: Callable[..., Stack], tmp_path: Path
) -> None:
    outputs = opened("origin", ORIGIN).up().outputs
    origin = migrated(module_aws, outputs)
    tenant = make_tenant(origin, "acme")
    with serving(origin, tmp_path) as served:
        url = f"{served.url}{DOCUMENT}"
        written = httpx.put(url, json={"step": 1}, headers={**tenant.headers, "if-none-match": "*"})
        assert written.status_code == 201
    (tmp_path / "outputs").mkdir()
    (tmp_path / "outputs" / "origin.json").write_text(json.dumps(outputs))
    nothing = planned(module_aws, tmp_path)
    assert nothing.returncode == 1
    assert nothing.stderr.startswith(f"There is no snapshot of {outputs['databaseIdentifier']} in {THERE}: ")

    taken = client(module_aws, "rds", HERE).create_db_cluster_snapshot(
        DBClusterIdentifier=outputs["databaseIdentifier"], DBClusterSnapshotIdentifier="taken"
    )
    copied = client(module_aws, "rds", THERE).copy_db_cluster_snapshot(
        SourceDBClusterSnapshotIdentifier=taken["DBClusterSnapshot"]["DBClusterSnapshotArn"],
        TargetDBClusterSnapshotIdentifier="copied",
        SourceRegion=HERE,
    )
    runbook = runbooks.load(runbooks.FOLDER / "cold-start.yaml")
    plan, init, up, health = runbook.steps
    values = {"lost": "origin", "region": THERE, "stack": "anew"}
    assert set(values) == set(runbook.variables)

    def words(step: runbooks.Step, *programs: str) -> list[str]:
        found = runbooks.command(step, values)
        assert tuple(found[: len(programs)]) == programs
        return found[len(programs) :]

    done = operated(module_aws, tmp_path, words(plan, "python"))
    assert done.returncode == 0, done.stderr
    again = planned(module_aws, tmp_path)
    assert (again.returncode, again.stderr) == (
        1,
        "Pulumi.anew.yaml is there already: name another stack, or remove it.\n",
    )
    config = yaml.safe_load((tmp_path / "Pulumi.anew.yaml").read_text())["config"]
    assert config["vanta:database"]["restoreSnapshot"] == copied["DBClusterSnapshot"]["DBClusterSnapshotArn"]

    # The engine makes the stack when it is first asked for it.
    anew = opened(*words(init, "pulumi", "stack", "init"), config)
    assert words(up, "pulumi", "up") == ["--yes", "--skip-preview", "--stack", "anew"]
    change = anew.up()
    assert change.outputs["region"] == THERE
    assert change.outputs["archiveBucket"] == outputs["recovery"]["archiveBucket"]
    restored = migrated(module_aws, change.outputs)
    with serving(restored, tmp_path) as served:
        assert health.pod == "stack"
        pod = restored.environment | {"VANTA_LISTEN_PORT": served.url.rpartition(":")[2]}
        well = operated(module_aws, tmp_path, words(health, "python"), pod)
        assert well.returncode == 0, well.stderr
        read = httpx.get(f"{served.url}{DOCUMENT}", headers=tenant.headers)
        assert (read.status_code, read.json()) == (200, {"step": 1})
        assert read.headers["etag"] == written.headers["etag"]
        url = f"{served.url}{DOCUMENT}"
        assert (
            httpx.put(url, json={"step": 2}, headers={**tenant.headers, "if-match": "*"}).status_code == 200
        )
    assert anew.preview().operations == {"same": change.operations["create"]}


@pytest.mark.usefixtures("engine")
def test_the_cold_path_is_timed_until_it_has_the_last_document_and_takes_a_new_one(tmp_path: Path) -> None:
    found = measure(tmp_path, 1)
    assert found["documents"] > 0
    assert found["sum"] == pytest.approx(sum(found["seconds"][step] for step in STEPS), abs=0.1)
