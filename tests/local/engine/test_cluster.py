"""The real engine makes a registry and a cluster, changes their nodes, and leaves nothing of them."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3
import pulumi
import pytest
from pulumi.automation import EngineEvent

from infra import settings
from infra.aws import place
from infra.aws.cluster import Cluster, ClusterArgs
from infra.aws.registry import Registry, RegistryArgs
from infra.layers.foundation import lay_foundation
from infra.layers.site import Site
from infra.names import Names
from local.aws.emulator import ACCOUNT, Aws
from local.pulumi.stack import Change, Stack

SETTINGS = {
    "vanta:network": {"endpoints": True},
    "vanta:recovery": {"region": "eu-central-1"},
    "vanta:registry": {"accountSettings": True, "scanning": "ENHANCED", "readerAccounts": "444455556666"},
    "vanta:cluster": {"zones": 2, "viewers": "auditors", "publicCidrs": "203.0.113.0/24"},
}


def declare() -> None:
    """The rooms that run the app, and what they stand on."""
    stack = pulumi.get_stack()
    chosen = settings.load(stack)
    here = place.find(zones=chosen.network.zones, account="")
    names = Names(stack=stack, owner="test", account_id=here.account_id, region=here.region)
    foundation = lay_foundation(Site(chosen=chosen, place=here, names=names, primary=None))
    keys = foundation.keys
    assert keys.registry is not None
    assert keys.cluster is not None
    Registry(
        "registry",
        RegistryArgs(
            names=names,
            place=here,
            settings=chosen.registry,
            lifetime=chosen.lifetime,
            kms_key_arn=keys.registry,
            recovery_region=chosen.recovery.region,
        ),
    )
    Cluster(
        "cluster",
        ClusterArgs(
            names=names,
            place=here,
            settings=chosen.cluster,
            lifetime=chosen.lifetime,
            network=foundation.network,
            endpoints=foundation.endpoints,
            internet=True,
            cluster_key_arn=keys.cluster,
            logs_key_arn=keys.logs,
        ),
    )


class Recorder:
    """The steps of an operation that change something, ``{"op type name": [differing properties]}``."""

    def __init__(self) -> None:
        self.steps: dict[str, list[str]] = {}

    def __call__(self, event: EngineEvent) -> None:
        if event.resource_pre_event and event.resource_pre_event.metadata.op != "same":
            step = event.resource_pre_event.metadata
            *_, kind, name = step.urn.split("::")
            self.steps[f"{step.op.value} {kind.split('/')[-1].split(':')[-1]} {name}"] = sorted(
                step.detailed_diff or {}
            )


@pytest.fixture(scope="module")
def stack(engine: Path, module_aws: Aws, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Stack]:
    """The stack with a cluster, its settings changed as said."""
    folder = tmp_path_factory.mktemp("cluster")

    def make(**cluster: Any) -> Stack:
        config = {**SETTINGS, "vanta:cluster": {**SETTINGS["vanta:cluster"], **cluster}}
        return Stack(
            "dev", folder=folder, engine=engine, endpoint=module_aws.endpoint, config=config, declare=declare
        )

    return make


@pytest.fixture(scope="module")
def deployed(stack: Callable[..., Stack]) -> Change:
    """The stack, brought up once for the module."""
    return stack().up()


@pytest.fixture
def client(module_aws: Aws) -> Callable[[str], Any]:
    """boto3 clients for the module's emulator."""
    return lambda service: boto3.client(
        service,
        region_name="eu-west-1",
        endpoint_url=module_aws.endpoint,
        aws_access_key_id=ACCOUNT,
        aws_secret_access_key="local",
    )


@pytest.mark.usefixtures("deployed")
def test_a_cluster_is_what_was_declared(client: Callable[[str], Any]) -> None:
    eks = client("eks")
    cluster = eks.describe_cluster(name="vanta-dev-cluster")["cluster"]
    assert cluster["resourcesVpcConfig"]["publicAccessCidrs"] == ["203.0.113.0/24"]
    assert cluster["accessConfig"] == {
        "authenticationMode": "API",
        "bootstrapClusterCreatorAdminPermissions": False,
    }
    assert {log for setup in cluster["logging"]["clusterLogging"] for log in setup["types"]} == {
        "api", "audit", "authenticator", "controllerManager", "scheduler",
    }  # fmt: skip
    entries = eks.list_access_entries(clusterName="vanta-dev-cluster")["accessEntries"]
    assert {entry.split("/")[-1] for entry in entries} == {"vanta-dev-deploy", "auditors"}
    addons = eks.list_addons(clusterName="vanta-dev-cluster")["addons"]
    assert len(addons) == 6


@pytest.mark.usefixtures("deployed")
def test_nobody_can_move_a_tag_of_the_repository(client: Callable[[str], Any]) -> None:
    ecr = client("ecr")
    (repository,) = ecr.describe_repositories()["repositories"]
    assert repository["repositoryName"] == "vanta-dev-images/api"
    image = {"repositoryName": repository["repositoryName"], "imageTag": "1"}
    ecr.put_image(**image, imageManifest='{"schemaVersion": 2, "layers": []}')
    with pytest.raises(ecr.exceptions.ImageTagAlreadyExistsException):
        ecr.put_image(**image, imageManifest='{"schemaVersion": 2, "layers": [{}]}')


def test_a_second_preview_and_a_refresh_find_no_change(deployed: Change, stack: Callable[..., Stack]) -> None:
    count = deployed.operations["create"]
    assert stack().preview().operations == {"same": count}
    assert stack().refresh().operations == {"same": count}


@pytest.mark.usefixtures("deployed")
def test_more_nodes_change_the_groups_alone_and_not_how_many_run(stack: Callable[..., Stack]) -> None:
    recorder = Recorder()
    stack(maxNodes=5).up(on_event=recorder)
    assert recorder.steps == {f"update NodeGroup eu-west-1{zone}": ["scalingConfig.maxSize"] for zone in "ab"}


@pytest.mark.usefixtures("deployed")
def test_another_instance_type_replaces_node_after_node_and_no_group(stack: Callable[..., Stack]) -> None:
    recorder = Recorder()
    stack(maxNodes=5, instanceType="m7i.large").up(on_event=recorder)
    assert recorder.steps["update LaunchTemplate nodes"] == ["instanceType"]
    assert recorder.steps["update NodeGroup eu-west-1a"] == ["launchTemplate.version"]
    assert {step.split()[0] for step in recorder.steps} == {"update"}


@pytest.mark.usefixtures("deployed")
def test_another_architecture_makes_new_groups_before_the_old_ones_go(stack: Callable[..., Stack]) -> None:
    recorder = Recorder()
    stack(maxNodes=5, instanceType="m7g.large").preview(on_event=recorder)
    group = [step.split()[0] for step in recorder.steps if step.endswith("NodeGroup eu-west-1a")]
    assert group == ["create-replacement", "replace", "delete-replaced"]


@pytest.mark.usefixtures("deployed")
def test_another_version_raises_the_cluster_its_nodes_and_its_add_ons(stack: Callable[..., Stack]) -> None:
    recorder = Recorder()
    stack(version="1.34").preview(on_event=recorder)
    assert recorder.steps["update Cluster cluster"] == ["version"]
    assert recorder.steps["update Addon kube-proxy"] == ["addonVersion"]
    assert "version" in recorder.steps["update NodeGroup eu-west-1a"]
    assert {step.split()[0] for step in recorder.steps} == {"update"}


@pytest.mark.usefixtures("deployed")
def test_destroy_leaves_nothing(stack: Callable[..., Stack], client: Callable[[str], Any]) -> None:
    stack().destroy()
    assert client("eks").list_clusters()["clusters"] == []
    assert client("ecr").describe_repositories()["repositories"] == []
    assert client("ec2").describe_launch_templates()["LaunchTemplates"] == []
    assert not [r for r in client("iam").list_roles()["Roles"] if r["RoleName"].startswith("vanta-")]
