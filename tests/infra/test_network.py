"""What the network promises: data has no way out, what runs has the ways it needs, and everything is written down."""

import ipaddress
import json
from collections.abc import Callable
from itertools import combinations
from pathlib import Path
from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.aws.addresses import data_subnets, private_subnets, public_subnets
from infra.aws.network import Network, NetworkArgs
from infra.names import Names

ROOT = Path(__file__).resolve().parents[2]
Declare = Callable[..., Any]
Plan = Callable[[str, int], tuple[str, ...]]
PLANS: tuple[Plan, ...] = (private_subnets, public_subnets, data_subnets)


def of(recorded: Any, kind: str, tier: str) -> list[Any]:
    return [r for r in recorded.all(kind) if r.name.removeprefix("network-").startswith(tier)]


def statements(policy: str) -> dict[str, dict[str, Any]]:
    return {statement["Sid"]: statement for statement in json.loads(policy)["Statement"]}


# addresses


@given(second=st.integers(0, 255), prefix=st.integers(16, 20), zones=st.integers(2, 6))
def test_no_two_subnets_overlap_and_no_further_zone_moves_one(second: int, prefix: int, zones: int) -> None:
    network = ipaddress.IPv4Network(f"10.{second}.0.0/{prefix}")
    subnets = [ipaddress.IPv4Network(s) for plan in PLANS for s in plan(str(network), zones)]
    assert len(subnets) == 3 * zones
    assert all(subnet.subnet_of(network) and 16 <= subnet.prefixlen <= 28 for subnet in subnets)
    assert not any(a.overlaps(b) for a, b in combinations(subnets, 2))
    for plan in PLANS:
        assert plan(str(network), zones + 1)[:zones] == plan(str(network), min(zones, 6))


@given(prefix=st.integers(16, 20))
def test_a_private_subnet_is_eight_times_as_large_as_the_others(prefix: int) -> None:
    sizes = [ipaddress.IPv4Network(plan(f"10.0.0.0/{prefix}", 2)[0]).num_addresses for plan in PLANS]
    assert sizes == [2 ** (29 - prefix), 2 ** (26 - prefix), 2 ** (26 - prefix)]


def test_the_subnets_of_a_network_are_these_for_ever() -> None:
    assert private_subnets("10.20.0.0/16", 3) == ("10.20.0.0/19", "10.20.32.0/19", "10.20.64.0/19")
    assert public_subnets("10.20.0.0/16", 3) == ("10.20.192.0/22", "10.20.196.0/22", "10.20.200.0/22")
    assert data_subnets("10.20.0.0/16", 3) == ("10.20.252.0/22", "10.20.248.0/22", "10.20.244.0/22")


def test_subnets_take_the_first_zones_whatever_order_aws_names_them_in(declare: Declare) -> None:
    subnets = of(declare("dev", {"network": {"zones": 2}}), "Subnet", "data")
    assert [(s.inputs["availabilityZone"], s.inputs["cidrBlock"]) for s in subnets] == [
        ("eu-west-1a", "10.21.252.0/22"),
        ("eu-west-1b", "10.21.248.0/22"),
    ]


def test_the_networks_of_the_committed_stacks_can_be_connected(configuration: Declare) -> None:
    stacks = [path.name.split(".")[1] for path in ROOT.glob("Pulumi.*.yaml")]
    networks = [ipaddress.IPv4Network(configuration(stack)["network"]["cidr"]) for stack in stacks]
    assert not any(a.overlaps(b) for a, b in combinations(networks, 2))


# routes


def test_data_has_no_way_out_of_the_network(prod: Any) -> None:
    assert not prod.one("RouteTable", "network-data").inputs.get("routes")
    attached = {r.inputs["routeTableId"] for r in of(prod, "RouteTableAssociation", "data")}
    assert attached == {"network-data-id"}
    assert "network-data-id" not in {r.inputs["routeTableId"] for r in prod.all("Route")}
    assert not [
        e.name for e in prod.all("VpcEndpoint") if "network-data-id" in e.inputs.get("routeTableIds", [])
    ]


def test_no_machine_gets_a_public_address_by_itself(prod: Any) -> None:
    assert len(prod.all("Subnet")) == len(prod.all("RouteTableAssociation")) == 9
    assert not any(subnet.inputs["mapPublicIpOnLaunch"] for subnet in prod.all("Subnet"))


@pytest.mark.parametrize(
    ("nat", "ways"),
    [
        ("none", {}),
        ("one", dict.fromkeys("abc", "nat-eu-west-1a-id")),
        ("zone", {zone: f"nat-eu-west-1{zone}-id" for zone in "abc"}),
    ],
)
def test_private_subnets_leave_through_as_many_nat_gateways_as_configured(
    alone: Callable[..., Any], nat: Literal["none", "one", "zone"], ways: dict[str, str]
) -> None:
    names = Names(stack="dev", owner="platform", account_id="111122223333", region="eu-west-1")
    args = NetworkArgs(
        names=names, cidr="10.21.0.0/16", zones=tuple(f"eu-west-1{zone}" for zone in "abc"), nat=nat
    )
    recorded = alone(lambda: Network("network", args))
    routes = of(recorded, "Route", "private")
    assert {r.name[-1]: r.inputs["natGatewayId"] for r in routes} == ways
    assert [r.inputs["routeTableId"] for r in routes] == [f"{r.name}-id" for r in routes]
    gateways = recorded.all("NatGateway")
    assert {f"{gateway.name}-id" for gateway in gateways} == set(ways.values())
    assert len(recorded.all("Eip")) == len(gateways)
    # Without the way out of its own subnet, AWS lets the creation of a gateway fail.
    assert all("Route public" in gateway.dependencies for gateway in gateways)
    assert {gateway.inputs["subnetId"] for gateway in gateways} == {
        f"public-{gateway.name[4:]}-id" for gateway in gateways
    }


def test_a_zone_of_production_leaves_through_itself(prod: Any) -> None:
    assert len({r.inputs["natGatewayId"] for r in of(prod, "Route", "private")}) == 3


def test_only_public_subnets_are_routed_to_the_internet(prod: Any) -> None:
    routed = {r.inputs["routeTableId"] for r in prod.all("Route") if "gatewayId" in r.inputs}
    assert routed == {"public-id"}
    assert {
        r.inputs["subnetId"] for r in prod.all("RouteTableAssociation") if r.inputs["routeTableId"] in routed
    } == {f"public-eu-west-1{zone}-id" for zone in "abc"}


def test_load_balancers_find_their_subnets(dev: Any) -> None:
    roles = {
        subnet.name: [key for key in subnet.inputs["tags"] if key.startswith("kubernetes.io/role/")]
        for subnet in dev.all("Subnet")
    }
    assert roles["public-eu-west-1a"] == ["kubernetes.io/role/elb"]
    assert roles["private-eu-west-1a"] == ["kubernetes.io/role/internal-elb"]
    assert roles["network-data-eu-west-1a"] == []


# security groups


def test_the_default_security_group_lets_nothing_through(dev: Any) -> None:
    default = dev.one("DefaultSecurityGroup").inputs
    assert not default.get("ingress")
    assert not default.get("egress")


@pytest.mark.parametrize("direction", ["Ingress", "Egress"])
def test_stores_are_reached_from_the_app_alone_and_endpoints_from_nodes_too_each_on_its_own_port(
    prod: Any, direction: str
) -> None:
    ours, theirs = ("securityGroupId", "referencedSecurityGroupId")
    if direction == "Egress":
        ours, theirs = theirs, ours
    rules = {
        (r.inputs[ours], r.inputs[theirs], r.inputs["fromPort"], r.inputs["toPort"])
        for r in prod.all(f"SecurityGroup{direction}Rule")
        if r.inputs.get(ours) in ("database-id", "cache-id", "endpoints-id")
    }
    assert rules == {
        ("database-id", "app-id", 5432, 5432),
        ("cache-id", "app-id", 6379, 6379),
        ("endpoints-id", "app-id", 443, 443),
        ("endpoints-id", "nodes-id", 443, 443),
    }
    assert prod.one("rds/cluster:Cluster").inputs["vpcSecurityGroupIds"] == ["database-id"]
    assert prod.one("ReplicationGroup").inputs["securityGroupIds"] == ["cache-id"]


def test_one_rule_alone_lets_out_to_an_address_range_and_that_over_https(prod: Any) -> None:
    rules = prod.all("SecurityGroupEgressRule")
    ranged = [rule.name for rule in rules if {"cidrIpv4", "cidrIpv6"} & rule.inputs.keys()]
    assert ranged == ["nodes-to-internet"]
    assert prod.one("SecurityGroupEgressRule", "nodes-to-internet").inputs["fromPort"] == 443
    listed = {rule.name: rule.inputs["prefixListId"] for rule in rules if "prefixListId" in rule.inputs}
    assert listed == {"app-to-s3": "pl-s3", "nodes-to-s3": "pl-s3"}
    for group in prod.all("SecurityGroup"):
        assert not group.inputs.get("ingress")
        assert not group.inputs.get("egress")


# endpoints


def test_s3_is_reached_from_every_private_subnet_without_the_internet(dev: Any) -> None:
    gateway = dev.one("VpcEndpoint").inputs
    assert gateway["vpcEndpointType"] == "Gateway"
    assert gateway["serviceName"] == "com.amazonaws.eu-west-1.s3"
    assert gateway["routeTableIds"] == [f"private-eu-west-1{zone}-id" for zone in "abc"]


def test_what_nodes_and_the_app_call_has_an_interface_in_every_private_subnet(prod: Any) -> None:
    interfaces = [e for e in prod.all("VpcEndpoint") if e.inputs["vpcEndpointType"] == "Interface"]
    assert {e.inputs["serviceName"].removeprefix("com.amazonaws.eu-west-1.") for e in interfaces} == {
        "ecr.api", "ecr.dkr", "ec2", "eks", "eks-auth", "autoscaling", "elasticloadbalancing",
        "sts", "secretsmanager", "kms", "logs", "monitoring",
    }  # fmt: skip
    for endpoint in interfaces:
        assert endpoint.inputs["privateDnsEnabled"]
        assert endpoint.inputs["securityGroupIds"] == ["endpoints-id"]
        assert endpoint.inputs["subnetIds"] == [f"private-eu-west-1{zone}-id" for zone in "abc"]


# service, statement, what it is needed for
NEEDS = [
    ("s3", "OwnBuckets", "the app writes archive and audit, and reads them"),
    ("s3", "ImageLayers", "nodes pull the layers of images, which ECR keeps in a bucket of its own"),
    ("ecr.api", "PullImages", "nodes log in and ask for images, those of EKS itself included"),
    ("ecr.dkr", "PullImages", "nodes pull manifests"),
    ("ecr.api", "FillTheCache", "the first pull of a cached image makes its repository"),
    ("ecr.dkr", "FillTheCache", "the first pull of a cached image makes its repository"),
    ("ec2", "DescribeNodes", "nodes, their network plug-in and the autoscaler look at instances and types"),
    ("ec2", "ChangeVolumesAndAddresses", "pods get addresses and volumes"),
    ("eks", "DescribeCluster", "nodes ask for their cluster when they start, the autoscaler for node groups"),
    ("eks-auth", "GiveRolesToPods", "the agent on each node fetches the roles of pods"),
    ("autoscaling", "DescribeGroups", "the autoscaler looks at the groups behind node groups"),
    ("autoscaling", "ScaleNodes", "the autoscaler adds and removes nodes"),
    ("elasticloadbalancing", "DescribeTargets", "the load balancer controller looks at target groups"),
    ("elasticloadbalancing", "RegisterPods", "the load balancer controller registers pods as they come and go"),
    ("sts", "AssumeOwnRoles", "pods take the roles that pod identity gives them, with its session tags"),
    ("sts", "AssumeOwnRolesByToken", "pods with a service account's token take their role"),
    ("sts", "SayWhoOneIs", "operators and drivers check their identity"),
    ("secretsmanager", "ReadSecrets", "the app's secrets are mounted and read again after rotation"),
    ("kms", "UseKeys", "envelopes of the app, objects under KMS keys"),
    ("logs", "WriteLogs", "nodes ship the logs of pods"),
    ("monitoring", "WriteMetrics", "nodes ship metrics"),
]  # fmt: skip


def test_each_statement_of_an_endpoint_policy_has_a_need_and_each_need_a_statement(prod: Any) -> None:
    found = {
        (endpoint.name, sid)
        for endpoint in prod.all("VpcEndpoint")
        for sid in statements(endpoint.inputs["policy"])
    }
    assert found == {(service, sid) for service, sid, _ in NEEDS}


def test_no_endpoint_serves_another_account(prod: Any) -> None:
    """Two exceptions name their resource instead: a token has no account yet, and image layers are AWS's own."""
    for endpoint in prod.all("VpcEndpoint"):
        for sid, statement in statements(endpoint.inputs["policy"]).items():
            bound = statement.get("Condition", {}).get("StringEquals", {})
            if sid == "AssumeOwnRolesByToken":
                assert statement["Resource"] == "arn:aws:iam::111122223333:role/*"
            elif sid == "ImageLayers":
                assert statement["Resource"] == "arn:aws:s3:::prod-eu-west-1-starport-layer-bucket/*"
            else:
                assert set(bound.values()) == {"111122223333"}
                assert set(bound) <= {"aws:PrincipalAccount", "aws:ResourceAccount"}


def test_through_its_endpoint_s3_has_only_the_buckets_of_the_stack(prod: Any) -> None:
    own = statements(prod.one("VpcEndpoint", "s3").inputs["policy"])["OwnBuckets"]
    assert own["Resource"] == "arn:aws:s3:::vanta-prod-*"
    assert own["Condition"] == {"StringEquals": {"aws:ResourceAccount": "111122223333"}}


# flow logs


def test_every_connection_is_logged_into_an_encrypted_group(prod: Any) -> None:
    group, log = prod.one("LogGroup", "flow-logs").inputs, prod.one("FlowLog")
    assert group["kmsKeyId"].endswith(":logs")
    assert group["retentionInDays"] == 400
    assert (log.inputs["vpcId"], log.inputs["trafficType"]) == ("network-id", "ALL")
    assert log.inputs["logDestination"].endswith(":flow-logs")
    assert "RolePolicy flow-logs" in log.dependencies


def test_flow_logs_can_be_left_out(declare: Declare) -> None:
    recorded = declare("dev", {"network": {"flowLogs": False}})
    assert not [r.name for r in recorded.resources if r.name == "flow-logs"]


def test_the_delivery_of_flow_logs_writes_into_its_own_group_alone(dev: Any) -> None:
    own = statements(dev.one("RolePolicy", "flow-logs").inputs["policy"])
    group = "arn:aws:cloudwatch:eu-west-1:111122223333:flow-logs"
    assert own == {
        "WriteIntoItsLogGroup": {
            "Sid": "WriteIntoItsLogGroup",
            "Effect": "Allow",
            "Action": ["logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"],
            "Resource": [group, f"{group}:*"],
        },
        "FindItsLogGroup": {
            "Sid": "FindItsLogGroup",
            "Effect": "Allow",
            "Action": "logs:DescribeLogGroups",
            "Resource": "arn:aws:logs:eu-west-1:111122223333:log-group:*",
        },
    }


def test_the_delivery_of_flow_logs_acts_for_this_account_alone(dev: Any) -> None:
    (statement,) = json.loads(dev.one("Role", "flow-logs").inputs["assumeRolePolicy"])["Statement"]
    assert statement["Principal"] == {"Service": "vpc-flow-logs.amazonaws.com"}
    assert statement["Condition"] == {
        "StringEquals": {"aws:SourceAccount": "111122223333"},
        "ArnLike": {"aws:SourceArn": "arn:aws:ec2:eu-west-1:111122223333:vpc-flow-log/*"},
    }
