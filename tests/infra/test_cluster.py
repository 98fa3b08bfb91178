"""What the cluster promises: nobody gets in unlisted, nodes can do little, and what runs on them is pinned."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from infra.aws.addons import ON_ANY_NODE, ON_EVERY_NODE
from infra.aws.node_groups import group_name
from infra.refusal import SettingsError
from infra.settings import parse
from infra.settings.kubernetes_versions import ADDON_VERSIONS

Declare = Callable[..., Any]
ACCOUNT = "111122223333"


def statements(document: str) -> dict[str, dict[str, Any]]:
    return {statement["Sid"]: statement for statement in json.loads(document)["Statement"]}


@pytest.fixture
def opened(declare: Declare) -> Any:
    """A throw-away stack with its doors open and other nodes."""
    return declare(
        "dev",
        {
            "registry": {"readerAccounts": "444455556666, 777788889999"},
            "cluster": {
                "viewers": "auditors",
                "publicCidrs": "203.0.113.0/24, 198.51.100.0/24",
                "instanceType": "m7g.large",
                "capacityType": "ON_DEMAND",
            },
        },
    )


# what is refused

REFUSALS = [
    # stack, changes, what the message says
    ("dev", {"cluster": {"zones": 4}}, "vanta:cluster.zones is 4 but vanta:network.zones is 3. Use 1 to 3."),
    ("dev", {"cluster": {"viewers": "vanta-dev-deploy"}}, "vanta:cluster.viewers is vanta-dev-deploy but is one of vanta:cluster.admins. Name it in one of them."),
    ("dev", {"network": {"nat": "none"}}, "vanta:cluster.enabled is true but nodes would reach no AWS service: vanta:network has neither NAT nor endpoints. Set vanta:network.endpoints to true."),
    ("prod", {"cluster": {"zones": 1}}, "vanta:cluster.zones is 1 but the stack is to be kept: with its zone the app would be lost. Use 2 or more."),
    ("prod", {"cluster": {"publicCidrs": "203.0.113.0/24, 0.0.0.0/0"}}, "vanta:cluster.publicCidrs is 0.0.0.0/0 but the stack is to be kept: everybody could try to log in to its cluster. Name the networks of those who may, or none."),
    ("prod", {"registry": {"accountSettings": False, "scanning": "BASIC"}}, "vanta:registry.accountSettings is false but then no image is copied to vanta:recovery.region (eu-central-1). Set it to true; one stack of an account and region may."),
]  # fmt: skip


@pytest.mark.parametrize(("stack", "changes", "message"), REFUSALS, ids=lambda value: str(value)[:40])
def test_what_contradicts_the_rest_of_the_stack_is_refused(
    configuration: Declare, stack: str, changes: dict[str, Any], message: str
) -> None:
    with pytest.raises(SettingsError) as refused:
        parse(configuration(stack, changes), stack)
    assert str(refused.value) == message


def test_a_throw_away_cluster_may_be_reached_from_everywhere(configuration: Declare) -> None:
    open_to_all = configuration("dev", {"cluster": {"publicCidrs": "0.0.0.0/0"}})
    assert parse(open_to_all, "dev").cluster.public_networks == ["0.0.0.0/0"]


@pytest.mark.parametrize(
    ("instance_type", "graviton"),
    [("t3.medium", False), ("t4g.medium", True), ("m7i-flex.large", False), ("c7gn.xlarge", True),
     ("g5.xlarge", False), ("g5g.xlarge", True), ("r8gd.metal-24xl", True), ("m7a.12xlarge", False)],
)  # fmt: skip
def test_the_architecture_of_nodes_follows_their_type(
    configuration: Declare, instance_type: str, graviton: bool
) -> None:
    cluster = parse(configuration("dev", {"cluster": {"instanceType": instance_type}}), "dev").cluster
    assert cluster.graviton is graviton


# who gets in


def test_production_is_reached_from_its_own_network_alone(prod: Any) -> None:
    vpc = prod.one("eks/cluster:Cluster").inputs["vpcConfig"]
    assert (vpc["endpointPrivateAccess"], vpc["endpointPublicAccess"]) == (True, False)
    assert "publicAccessCidrs" not in vpc
    assert vpc["subnetIds"] == [f"private-eu-west-1{zone}-id" for zone in "abc"]


def test_nobody_gets_in_but_by_an_entry_whoever_makes_the_cluster_included(prod: Any) -> None:
    assert prod.one("eks/cluster:Cluster").inputs["accessConfig"] == {
        "authenticationMode": "API",
        "bootstrapClusterCreatorAdminPermissions": False,
    }
    (association,) = prod.all("AccessPolicyAssociation")
    assert association.inputs["principalArn"] == f"arn:aws:iam::{ACCOUNT}:role/vanta-prod-deploy"
    assert association.inputs["policyArn"].endswith("/AmazonEKSClusterAdminPolicy")


def test_viewers_see_the_cluster_but_no_secret(opened: Any) -> None:
    viewer = opened.one("AccessPolicyAssociation", "auditors").inputs
    assert viewer["policyArn"].endswith("/AmazonEKSViewPolicy")
    vpc = opened.one("eks/cluster:Cluster").inputs["vpcConfig"]
    assert vpc["endpointPublicAccess"]
    assert vpc["publicAccessCidrs"] == ["203.0.113.0/24", "198.51.100.0/24"]


def test_secrets_of_kubernetes_are_encrypted_and_every_log_is_kept(prod: Any) -> None:
    cluster, group = prod.one("eks/cluster:Cluster"), prod.one("LogGroup", "cluster").inputs
    assert cluster.inputs["encryptionConfig"]["provider"]["keyArn"].endswith(":cluster")
    assert len(cluster.inputs["enabledClusterLogTypes"]) == 5
    assert group["name"] == "/aws/eks/vanta-prod-cluster/cluster"
    assert (group["kmsKeyId"][-5:], group["retentionInDays"]) == (":logs", 400)
    # EKS makes the group itself where there is none.
    assert "LogGroup cluster" in cluster.dependencies


def test_production_cannot_be_deleted_by_a_single_mistake(prod: Any, dev: Any) -> None:
    assert prod.one("eks/cluster:Cluster").inputs["deletionProtection"]
    assert not dev.one("eks/cluster:Cluster").inputs["deletionProtection"]


# nodes


def test_production_has_a_group_of_nodes_in_each_of_three_zones(prod: Any) -> None:
    groups = prod.all("NodeGroup")
    assert [g.inputs["subnetIds"] for g in groups] == [[f"private-eu-west-1{zone}-id"] for zone in "abc"]
    assert {g.inputs["amiType"] for g in groups} == {"BOTTLEROCKET_x86_64"}
    assert {g.inputs["capacityType"] for g in groups} == {"ON_DEMAND"}


def test_how_many_nodes_run_is_left_to_the_autoscaler(prod: Any) -> None:
    assert all(g.ignore_changes == {"scalingConfig.desiredSize"} for g in prod.all("NodeGroup"))


def test_a_group_that_has_to_be_replaced_has_another_name(dev: Any, opened: Any) -> None:
    """AWS changes neither architecture nor capacity type, and two groups of a cluster cannot share a name."""
    names = {
        group_name("eu-west-1a", architecture, capacity)
        for architecture in ("x86_64", "ARM_64")
        for capacity in ("ON_DEMAND", "SPOT")
    }
    assert len(names) == 4
    before, after = dev.one("NodeGroup").inputs, opened.one("NodeGroup").inputs
    assert (before["amiType"], before["capacityType"]) == ("BOTTLEROCKET_x86_64", "SPOT")
    assert (after["amiType"], after["capacityType"]) == ("BOTTLEROCKET_ARM_64", "ON_DEMAND")
    assert {before["nodeGroupName"], after["nodeGroupName"]} == {
        "eu-west-1a-x86-64-spot",
        "eu-west-1a-arm-64-on-demand",
    }


def test_the_type_of_nodes_is_where_a_change_of_it_replaces_no_group(dev: Any) -> None:
    assert dev.one("LaunchTemplate").inputs["instanceType"] == "t3.medium"
    assert "instanceTypes" not in dev.one("NodeGroup").inputs


def test_a_pod_cannot_become_its_node(prod: Any) -> None:
    template = prod.one("LaunchTemplate").inputs
    assert template["metadataOptions"] == {
        "httpEndpoint": "enabled",
        "httpTokens": "required",
        "httpPutResponseHopLimit": 1,
    }


def test_every_volume_of_a_node_is_encrypted_with_the_key_of_the_cluster(prod: Any) -> None:
    for mapping in prod.one("LaunchTemplate").inputs["blockDeviceMappings"]:
        assert mapping["ebs"]["encrypted"] == "true"
        assert mapping["ebs"]["kmsKeyId"].endswith(":cluster")
    key = statements(prod.one("Key", "cluster").inputs["policy"])
    for sid in ("UsedForNodes", "GrantsForNodes"):
        assert key[sid]["Condition"]["StringEquals"] == {
            "kms:CallerAccount": ACCOUNT,
            "aws:PrincipalArn": f"arn:aws:iam::{ACCOUNT}:role/aws-service-role/autoscaling.amazonaws.com/"
            "AWSServiceRoleForAutoScaling",
        }


def test_nodes_carry_the_way_of_the_app_to_its_stores_and_not_the_open_group_of_eks(prod: Any) -> None:
    assert prod.one("LaunchTemplate").inputs["vpcSecurityGroupIds"] == ["nodes-id", "app-id"]


def test_nodes_start_after_what_they_need_and_before_what_needs_them(prod: Any) -> None:
    needed = {f"Addon {addon}" for addon in ON_EVERY_NODE}
    for group in prod.all("NodeGroup"):
        assert group.dependencies >= needed
        assert group.dependencies >= {"RolePolicyAttachment nodes-AmazonEKSWorkerNodePolicy"}
        assert group.dependencies >= {"SecurityGroupEgressRule nodes-to-cluster"}
    for addon in ON_ANY_NODE:
        assert {"NodeGroup eu-west-1a", "NodeGroup eu-west-1c"} <= prod.one("Addon", addon).dependencies


def test_without_a_way_out_nodes_get_no_rule_for_one(declare: Declare) -> None:
    closed = declare("dev", {"network": {"nat": "none", "endpoints": True}})
    assert not [r for r in closed.all("SecurityGroupEgressRule") if "cidrIpv4" in r.inputs]


# add-ons


def test_every_add_on_is_pinned_for_every_version(prod: Any) -> None:
    for pinned in ADDON_VERSIONS.values():
        assert set(pinned) == {*ON_EVERY_NODE, *ON_ANY_NODE}
    versions = ADDON_VERSIONS[prod.one("eks/cluster:Cluster").inputs["version"]]
    assert {a.name: a.inputs["addonVersion"] for a in prod.all("Addon")} == versions
    assert prod.one("eks/cluster:Cluster").inputs["bootstrapSelfManagedAddons"] is False


def test_network_policies_are_enforced(prod: Any) -> None:
    configuration = json.loads(prod.one("Addon", "vpc-cni").inputs["configurationValues"])
    assert configuration["enableNetworkPolicy"] == "true"
    assert configuration["env"]["ENABLE_PREFIX_DELEGATION"] == "true"


def test_a_stack_has_a_cluster_only_if_asked_for(declare: Declare) -> None:
    local = declare("local")
    assert not [r.name for r in local.resources if r.type.startswith(("aws:eks", "aws:ecr"))]
    assert {local.outputs[name] for name in ("clusterName", "appRoleArn", "registryUrl")} == {""}
    assert not {"cluster", "registry"} & local.outputs["keyArns"].keys()


def test_other_accounts_pull_only_if_listed_and_never_push(opened: Any, dev: Any) -> None:
    assert not dev.all("RepositoryPolicy")
    (statement,) = json.loads(opened.one("RepositoryPolicy").inputs["policy"])["Statement"]
    assert statement["Principal"] == {
        "AWS": ["arn:aws:iam::444455556666:root", "arn:aws:iam::777788889999:root"]
    }
    assert statement["Action"] == [
        "ecr:BatchCheckLayerAvailability",
        "ecr:BatchGetImage",
        "ecr:GetDownloadUrlForLayer",
    ]
