"""Production and the stack that stands by for it: previewed, brought up, changed and removed by the real engine."""

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import boto3
import pytest
import yaml

from local.aws.emulator import ACCOUNT, Aws
from local.diagram.graph import from_preview
from local.home import REPOSITORY
from local.pulumi.engine import EngineError
from local.pulumi.stack import Change, Stack

Open = Callable[..., Stack]


@pytest.fixture(scope="module")
def opened(engine: Path, module_aws: Aws, tmp_path_factory: pytest.TempPathFactory) -> Open:
    """``opened(name, rooms)``: a stack beside the others of the module, with configuration laid over its own."""
    folder = tmp_path_factory.mktemp("stacks")

    def stack(name: str, config: Mapping[str, Any] | None = None) -> Stack:
        given = {f"vanta:{room}": values for room, values in (config or {}).items()}
        return Stack(name, folder=folder, engine=engine, endpoint=module_aws.endpoint, config=given)

    return stack


@pytest.fixture(scope="module")
def prod(opened: Open) -> tuple[Change, Change]:
    """Production as committed: the preview, and the update after it."""
    return opened("prod").preview(), opened("prod").up()


@pytest.fixture(scope="module")
def standby(opened: Open, prod: tuple[Change, Change]) -> tuple[dict[str, Any], Change]:  # noqa: ARG001 - it has to be up
    """The stack that stands by, as committed, once production is up: the preview as JSON, and the update after it."""
    return opened("prod-dr").previewed_json(), opened("prod-dr").up()


def test_production_is_what_its_preview_announced(opened: Open, prod: tuple[Change, Change]) -> None:
    previewed, done = prod
    assert previewed.operations == done.operations
    assert set(done.operations) == {"create"}
    assert done.operations["create"] > 200
    assert opened("prod").preview().operations == {"same": done.operations["create"]}


def test_the_standby_is_what_its_preview_announced(
    opened: Open, standby: tuple[dict[str, Any], Change]
) -> None:
    previewed, done = standby
    assert previewed["changeSummary"] == done.operations
    assert opened("prod-dr").preview().operations == {"same": done.operations["create"]}


@pytest.mark.usefixtures("standby")
@pytest.mark.parametrize("name", ["prod", "prod-dr"])
def test_a_refresh_of_what_nobody_touched_finds_no_drift(opened: Open, name: str) -> None:
    assert set(opened(name).refresh().operations) == {"same"}


def test_the_standby_leans_on_what_production_copies_into_its_region(
    prod: tuple[Change, Change], standby: tuple[dict[str, Any], Change]
) -> None:
    primary, follower = prod[1].outputs, standby[1].outputs
    assert (primary["region"], follower["region"]) == ("eu-west-1", "eu-central-1")
    assert follower["globalClusterIdentifier"] == primary["globalClusterIdentifier"] != ""
    for name in ("archiveBucket", "auditBucket"):
        assert follower[name] == primary["recovery"][name] != primary[name]


def test_the_committed_picture_is_that_of_the_standby(standby: tuple[dict[str, Any], Change]) -> None:
    """Here and not beside the others, because its primary has to be up."""
    now = from_preview(standby[0], stack="prod-dr", engine="")
    picture = (REPOSITORY / "docs" / "diagrams" / "prod-dr.svg").read_text(encoding="utf-8")
    assert now.fingerprint in picture, "it is stale: run `make diagram STACK=prod-dr` and commit it."


@pytest.mark.usefixtures("standby")
def test_a_protected_stack_is_not_destroyed(opened: Open) -> None:
    with pytest.raises(EngineError, match="cannot be deleted"):
        opened("prod-dr").destroy()
    assert set(opened("prod-dr").preview().operations) == {"same"}


@pytest.mark.usefixtures("standby")
def test_production_and_its_standby_are_changed_and_removed_without_a_trace(
    opened: Open, module_aws: Aws
) -> None:
    for name in ("prod-dr", "prod"):
        retiring = {"lifetime": "retiring"}
        changed = opened(name, retiring | {"archive": {"noncurrentDays": 40}}).up().operations
        # What is left out is the vault's lock, while it may still be taken off.
        assert not changed.keys() - {"same", "update", "delete"}
        assert changed["update"] > 1
        gone = opened(name, retiring).destroy().operations
        assert gone == {"delete": changed["same"] + changed["update"]}
    for region in ("eu-west-1", "eu-central-1"):

        def client(service: str, region: str = region) -> Any:
            return boto3.client(
                service,
                region_name=region,
                endpoint_url=module_aws.endpoint,
                aws_access_key_id=ACCOUNT,
                aws_secret_access_key="local",
            )

        assert not client("s3").list_buckets()["Buckets"]
        assert not client("rds").describe_db_clusters()["DBClusters"]
        assert not client("elasticache").describe_replication_groups()["ReplicationGroups"]
        assert not [v for v in client("ec2").describe_vpcs()["Vpcs"] if not v["IsDefault"]]


def test_a_standby_without_its_primary_is_refused_before_anything_is_registered(
    engine: Path, aws: Aws, tmp_path: Path
) -> None:
    stack = Stack("prod-dr", folder=tmp_path, engine=engine, endpoint=aws.endpoint)
    with pytest.raises(EngineError) as refused:
        stack.up()
    assert str(refused.value) == (
        "vanta:recovery.primaryStack is prod but there is no such stack. Run `pulumi up --stack prod` first, or name another."
    )


def test_a_further_environment_is_a_further_file(engine: Path, aws: Aws, tmp_path: Path) -> None:
    """A stack that nobody committed, in a region that no committed stack uses."""
    lines = """
        aws:region: ap-southeast-2
        vanta:network:
          cidr: 10.77.0.0/16
          zones: 2
    """
    stack = Stack(
        "staging",
        folder=tmp_path,
        engine=engine,
        endpoint=aws.endpoint,
        config=yaml.safe_load(re.sub(r"(?m)^ {8}", "", lines)),
    )
    done = stack.up()
    assert done.outputs["region"] == "ap-southeast-2"
    assert done.outputs["archiveBucket"].endswith("-ap-southeast-2")
    assert stack.preview().operations == {"same": done.operations["create"]}
    assert stack.destroy().operations == {"delete": done.operations["create"]}
