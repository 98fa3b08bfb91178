"""The network."""

from collections.abc import Mapping

from infra.bootstrap.services.grant import Grant, Service

SERVICES: Mapping[str, Service] = {
    "ec2": Service(
        reads=("Describe*", "GetManagedPrefixListEntries", "GetSecurityGroupsForVpc"),
        changes=(
            Grant(
                sid="NetworkMade",
                need="the network with its gateways, endpoints and security groups, and the templates of nodes; EC2 names nothing, see OtherStacksByTag",
                actions=(
                    "AllocateAddress",
                    "AssociateRouteTable",
                    "AttachInternetGateway",
                    "AuthorizeSecurityGroupEgress",
                    "AuthorizeSecurityGroupIngress",
                    "CreateFlowLogs",
                    "CreateInternetGateway",
                    "CreateLaunchTemplate",
                    "CreateLaunchTemplateVersion",
                    "CreateNatGateway",
                    "CreateRoute",
                    "CreateRouteTable",
                    "CreateSecurityGroup",
                    "CreateSubnet",
                    "CreateTags",
                    "CreateVpc",
                    "CreateVpcEndpoint",
                    "DeleteFlowLogs",
                    "DeleteInternetGateway",
                    "DeleteLaunchTemplate",
                    "DeleteLaunchTemplateVersions",
                    "DeleteNatGateway",
                    "DeleteRoute",
                    "DeleteRouteTable",
                    "DeleteSecurityGroup",
                    "DeleteSubnet",
                    "DeleteTags",
                    "DeleteVpc",
                    "DeleteVpcEndpoints",
                    "DetachInternetGateway",
                    "DisassociateAddress",
                    "DisassociateRouteTable",
                    "ModifyLaunchTemplate",
                    "ModifySecurityGroupRules",
                    "ModifySubnetAttribute",
                    "ModifyVpcAttribute",
                    "ModifyVpcEndpoint",
                    "ReleaseAddress",
                    "ReplaceRoute",
                    "ReplaceRouteTableAssociation",
                    "RevokeSecurityGroupEgress",
                    "RevokeSecurityGroupIngress",
                    "UpdateSecurityGroupRuleDescriptionsEgress",
                    "UpdateSecurityGroupRuleDescriptionsIngress",
                ),
            ),
            Grant(
                sid="NodesTried",
                need="whoever makes a node group with a launch template is asked whether he could start its nodes",
                actions=("RunInstances",),
                condition={
                    "ArnLike": {"ec2:LaunchTemplate": "arn:{partition}:ec2:*:{account}:launch-template/*"}
                },
            ),
        ),
        passed_to=("vpc-flow-logs.amazonaws.com",),
    ),
}
