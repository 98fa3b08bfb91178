"""The network: VPC, subnets, route tables, gateways, security groups and their rules."""

import hashlib
from collections.abc import Callable

import jmespath

from local.provider.aws.types import Call, Params, ResourceType, Tagging
from local.provider.values import Properties

_TAGGING = Tagging(add="create_tags", remove="delete_tags", target="Resources[]", source="id", keys="Tags")


def _arn(kind: str, state: Properties) -> Properties:
    return {"arn": f"arn:aws:ec2:{state['region']}:{state.get('ownerId', '')}:{kind}/{state['id']}"}


def _permission(rule: Properties) -> Params:
    """``IpPermissions`` of one rule resource."""
    permission: dict[str, object] = {"IpProtocol": rule["ipProtocol"]}
    permission |= {
        api: rule[name] for name, api in (("fromPort", "FromPort"), ("toPort", "ToPort")) if name in rule
    }
    about = {"Description": rule["description"]} if "description" in rule else {}
    if "referencedSecurityGroupId" in rule:
        permission["UserIdGroupPairs"] = [{"GroupId": rule["referencedSecurityGroupId"], **about}]
    if "cidrIpv4" in rule:
        permission["IpRanges"] = [{"CidrIp": rule["cidrIpv4"], **about}]
    if "cidrIpv6" in rule:
        permission["Ipv6Ranges"] = [{"CidrIpv6": rule["cidrIpv6"], **about}]
    if "prefixListId" in rule:
        permission["PrefixListIds"] = [{"PrefixListId": rule["prefixListId"], **about}]
    return {"GroupId": rule["securityGroupId"], "IpPermissions": [permission]}


def _rule(kind: str, direction: str) -> ResourceType:
    return ResourceType(
        token=f"aws:vpc/securityGroup{kind}Rule:SecurityGroup{kind}Rule",
        service="ec2",
        create=Call(operation=f"authorize_security_group_{direction}", takes=_RULE, build=_permission),
        read=Call(
            operation="describe_security_group_rules", build=lambda s: {"SecurityGroupRuleIds": [s["id"]]}
        ),
        answer="SecurityGroupRules[0]",
        delete=(
            Call(
                operation=f"revoke_security_group_{direction}",
                build=lambda s: {"GroupId": s["securityGroupId"], "SecurityGroupRuleIds": [s["id"]]},
            ),
        ),
        id="answer.SecurityGroupRules[0].SecurityGroupRuleId",
        outputs={"securityGroupRuleId": "SecurityGroupRuleId", "arn": "SecurityGroupRuleArn"},
        tagging=_TAGGING,
    )


_RULE = frozenset(
    {
        "securityGroupId",
        "ipProtocol",
        "fromPort",
        "toPort",
        "description",
        "referencedSecurityGroupId",
        "cidrIpv4",
        "cidrIpv6",
        "prefixListId",
    }
)


def _revoke(direction: str, field: str) -> Call:
    """Take away the rules with which AWS makes a group: the program declares every rule itself, as the real provider does."""
    return Call(
        operation=f"revoke_security_group_{direction}",
        once=True,
        build=lambda s: {"GroupId": s["id"], "IpPermissions": s["@"][field]} if s["@"].get(field) else None,
    )


def _group(token: str, create: Call, identifier: str, delete: tuple[Call, ...] = ()) -> ResourceType:
    return ResourceType(
        token=token,
        service="ec2",
        create=create,
        updates=(_revoke("ingress", "IpPermissions"), _revoke("egress", "IpPermissionsEgress")),
        read=Call(operation="describe_security_groups", build=lambda s: {"GroupIds": [s["id"]]}),
        answer="SecurityGroups[0]",
        delete=delete,
        identity={"GroupId": "id"},
        id=identifier,
        names={"name": "GroupName"},
        unsent=frozenset({"revokeRulesOnDelete"}),
        computed=lambda s: _arn("security-group", s),
        tagging=_TAGGING,
    )


def _detachment(state: Properties) -> Params | None:
    """A gateway that is attached to another VPC has to leave it first."""
    attached = state["@"].get("Attachments")
    return {"InternetGatewayId": state["id"], "VpcId": attached[0]["VpcId"]} if attached else None


# Property of an endpoint -> what is added to it and removed from it, and where the API tells what it has.
_ENDPOINT_MEMBERS = {
    "routeTableIds": ("RouteTableIds", "RouteTableIds[]"),
    "subnetIds": ("SubnetIds", "SubnetIds[]"),
    "securityGroupIds": ("SecurityGroupIds", "Groups[].GroupId"),
}


def _members(state: Properties) -> Params:
    """A change of an endpoint's members says which to add and which to remove, not which are wanted."""
    params: dict[str, object] = {"VpcEndpointId": state["id"]}
    for name, (parameter, path) in _ENDPOINT_MEMBERS.items():
        wanted, present = set(state.get(name, [])), set(jmespath.search(path, state["@"]) or [])
        params |= {
            f"Add{parameter}": sorted(wanted - present),
            f"Remove{parameter}": sorted(present - wanted),
        }
    return {name: value for name, value in params.items() if value}


def _prefix_list(state: Properties) -> Properties:
    """The list of addresses behind a gateway endpoint; the emulator numbers it by the service's name."""
    if state.get("vpcEndpointType") != "Gateway":
        return {}
    return {"prefixListId": f"pl-{hashlib.sha256(state['serviceName'].encode()).hexdigest()[:17]}"}


def _by_id(parameter: str) -> Callable[[Properties], Params]:
    """EC2 describes what is listed in a plural parameter."""
    return lambda state: {parameter: [state["id"]]}


# What a version of a launch template consists of: the property, and the member of LaunchTemplateData.
_TEMPLATE = {
    "blockDeviceMappings": "BlockDeviceMappings",
    "imageId": "ImageId",
    "instanceType": "InstanceType",
    "metadataOptions": "MetadataOptions",
    "tagSpecifications": "TagSpecifications",
    "userData": "UserData",
    "vpcSecurityGroupIds": "SecurityGroupIds",
}


TYPES = (
    ResourceType(
        token="aws:ec2/vpc:Vpc",
        service="ec2",
        create=Call(operation="create_vpc"),
        updates=(
            Call(
                operation="modify_vpc_attribute",
                takes=frozenset({"enableDnsSupport"}),
            ),
            Call(
                operation="modify_vpc_attribute",
                takes=frozenset({"enableDnsHostnames"}),
            ),
        ),
        read=Call(operation="describe_vpcs", build=lambda s: {"VpcIds": [s["id"]]}),
        answer="Vpcs[0]",
        delete=(Call(operation="delete_vpc"),),
        identity={"VpcId": "id"},
        id="answer.Vpc.VpcId",
        computed=lambda s: _arn("vpc", s),
        tagging=_TAGGING,
    ),
    ResourceType(
        token="aws:ec2/subnet:Subnet",
        service="ec2",
        create=Call(operation="create_subnet"),
        updates=(Call(operation="modify_subnet_attribute", takes=frozenset({"mapPublicIpOnLaunch"})),),
        read=Call(operation="describe_subnets", build=lambda s: {"SubnetIds": [s["id"]]}),
        answer="Subnets[0]",
        delete=(Call(operation="delete_subnet"),),
        identity={"SubnetId": "id"},
        id="answer.Subnet.SubnetId",
        outputs={"arn": "SubnetArn"},
        tagging=_TAGGING,
    ),
    ResourceType(
        token="aws:ec2/routeTable:RouteTable",
        service="ec2",
        create=Call(operation="create_route_table"),
        read=Call(operation="describe_route_tables", build=lambda s: {"RouteTableIds": [s["id"]]}),
        answer="RouteTables[0]",
        delete=(Call(operation="delete_route_table"),),
        identity={"RouteTableId": "id"},
        id="answer.RouteTable.RouteTableId",
        computed=lambda s: _arn("route-table", s),
        tagging=_TAGGING,
    ),
    ResourceType(
        token="aws:ec2/routeTableAssociation:RouteTableAssociation",
        service="ec2",
        create=Call(operation="associate_route_table"),
        read=Call(operation="describe_route_tables", build=lambda s: {"RouteTableIds": [s["routeTableId"]]}),
        answer="RouteTables[0].Associations[?RouteTableAssociationId=='$id'] | [0]",
        delete=(Call(operation="disassociate_route_table"),),
        identity={"AssociationId": "id"},
        id="answer.AssociationId",
    ),
    ResourceType(
        token="aws:ec2/internetGateway:InternetGateway",
        service="ec2",
        create=Call(operation="create_internet_gateway"),
        updates=(
            Call(operation="detach_internet_gateway", takes=frozenset({"vpcId"}), build=_detachment),
            Call(operation="attach_internet_gateway", takes=frozenset({"vpcId"})),
        ),
        read=Call(operation="describe_internet_gateways", build=_by_id("InternetGatewayIds")),
        answer="InternetGateways[0]",
        delete=(
            Call(operation="detach_internet_gateway", takes=frozenset({"vpcId"})),
            Call(operation="delete_internet_gateway", takes=frozenset()),
        ),
        identity={"InternetGatewayId": "id"},
        id="answer.InternetGateway.InternetGatewayId",
        computed=lambda s: _arn("internet-gateway", s),
        tagging=_TAGGING,
    ),
    ResourceType(
        token="aws:ec2/eip:Eip",
        service="ec2",
        create=Call(operation="allocate_address"),
        read=Call(operation="describe_addresses", build=_by_id("AllocationIds")),
        answer="Addresses[0]",
        delete=(Call(operation="release_address"),),
        identity={"AllocationId": "id"},
        id="answer.AllocationId",
        computed=lambda s: _arn("elastic-ip", s),
        tagging=_TAGGING,
    ),
    ResourceType(
        token="aws:ec2/natGateway:NatGateway",
        service="ec2",
        create=Call(operation="create_nat_gateway"),
        read=Call(operation="describe_nat_gateways", build=_by_id("NatGatewayIds")),
        # A deleted gateway is still described for an hour.
        answer="NatGateways[?State!='deleted'] | [0]",
        delete=(Call(operation="delete_nat_gateway"),),
        identity={"NatGatewayId": "id"},
        id="answer.NatGateway.NatGatewayId",
        ready=("State", frozenset({"available"})),
        tagging=_TAGGING,
    ),
    ResourceType(
        token="aws:ec2/route:Route",
        service="ec2",
        create=Call(operation="create_route"),
        updates=(
            Call(operation="replace_route", takes=frozenset({"gatewayId", "natGatewayId"}), whole=True),
        ),
        read=Call(operation="describe_route_tables", build=lambda s: {"RouteTableIds": [s["routeTableId"]]}),
        answer="RouteTables[0].Routes[?ends_with('$id', DestinationCidrBlock || '-')] | [0]",
        delete=(Call(operation="delete_route"),),
        identity={"RouteTableId": "routeTableId", "DestinationCidrBlock": "destinationCidrBlock"},
        id="join('_', [input.routeTableId, input.destinationCidrBlock])",
    ),
    ResourceType(
        token="aws:ec2/vpcEndpoint:VpcEndpoint",
        service="ec2",
        create=Call(operation="create_vpc_endpoint"),
        updates=(
            Call(operation="modify_vpc_endpoint", takes=frozenset({"policy", "privateDnsEnabled"})),
            Call(operation="modify_vpc_endpoint", takes=frozenset(_ENDPOINT_MEMBERS), build=_members),
        ),
        read=Call(operation="describe_vpc_endpoints", build=_by_id("VpcEndpointIds")),
        answer="VpcEndpoints[0]",
        delete=(Call(operation="delete_vpc_endpoints", build=_by_id("VpcEndpointIds")),),
        identity={"VpcEndpointId": "id"},
        id="answer.VpcEndpoint.VpcEndpointId",
        names={"policy": "PolicyDocument"},
        computed=lambda s: _arn("vpc-endpoint", s) | _prefix_list(s),
        ready=("State", frozenset({"available"})),
        tagging=_TAGGING,
    ),
    ResourceType(
        token="aws:ec2/flowLog:FlowLog",
        service="ec2",
        create=Call(operation="create_flow_logs", further=lambda _: {"ResourceType": "VPC"}),
        read=Call(operation="describe_flow_logs", build=_by_id("FlowLogIds")),
        answer="FlowLogs[0]",
        delete=(Call(operation="delete_flow_logs", build=_by_id("FlowLogIds")),),
        id="answer.FlowLogIds[0]",
        names={"vpcId": "ResourceIds[]", "iamRoleArn": "DeliverLogsPermissionArn"},
        computed=lambda s: _arn("vpc-flow-log", s),
        tagging=_TAGGING,
    ),
    ResourceType(
        token="aws:ec2/launchTemplate:LaunchTemplate",
        service="ec2",
        create=Call(operation="create_launch_template"),
        # A template never changes: it gets one more version, which has to say everything again.
        updates=(
            Call(
                operation="create_launch_template_version",
                takes=frozenset({*_TEMPLATE, "description"}),
                whole=True,
            ),
        ),
        read=Call(operation="describe_launch_templates", build=_by_id("LaunchTemplateIds")),
        answer="LaunchTemplates[0]",
        delete=(Call(operation="delete_launch_template", takes=frozenset()),),
        identity={"LaunchTemplateId": "id"},
        id="answer.LaunchTemplate.LaunchTemplateId",
        names={
            "name": "LaunchTemplateName",
            "description": "VersionDescription",
            **{name: f"LaunchTemplateData.{member}" for name, member in _TEMPLATE.items()},
        },
        outputs={"latestVersion": "LatestVersionNumber", "defaultVersion": "DefaultVersionNumber"},
        computed=lambda s: _arn("launch-template", s),
        tagging=_TAGGING,
    ),
    _group(
        "aws:ec2/securityGroup:SecurityGroup",
        Call(operation="create_security_group"),
        "answer.GroupId",
        delete=(Call(operation="delete_security_group"),),
    ),
    # A VPC is born with this group: the resource adopts it and takes its rules away.
    _group(
        "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup",
        Call(
            operation="describe_security_groups",
            takes=frozenset({"vpcId"}),
            build=lambda s: {
                "Filters": [
                    {"Name": "vpc-id", "Values": [s.get("vpcId", "")]},
                    {"Name": "group-name", "Values": ["default"]},
                ]
            },
        ),
        "answer.SecurityGroups[0].GroupId",
    ),
    _rule("Ingress", "ingress"),
    _rule("Egress", "egress"),
)
