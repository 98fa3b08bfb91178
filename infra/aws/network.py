"""The network: data lives in subnets that have no way out, behind doors that open only to the app."""

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from infra.aws.access import POSTGRESQL_PORT, REDIS_PORT, Access, security_group
from infra.aws.addresses import data_subnets
from infra.aws.routed_subnets import RoutedSubnets, RoutedSubnetsArgs
from infra.names import Names
from infra.settings.network import Nat


@dataclass(frozen=True, kw_only=True)
class NetworkArgs:
    """Inputs of :class:`Network`; a public, a private and a data subnet is made in each of ``zones``."""

    names: Names
    cidr: str
    zones: Sequence[str]
    nat: Nat


class Network(pulumi.ComponentResource):
    """A VPC with public, private and isolated data subnets, and the security groups of app, database and cache.

    Produces ``Vpc``, ``DefaultSecurityGroup`` (emptied), :class:`RoutedSubnets`; for the data one ``RouteTable`` without
    routes, a ``Subnet`` and a ``RouteTableAssociation`` per zone; three ``SecurityGroup`` and, for each store, the
    ``SecurityGroupIngressRule`` and ``SecurityGroupEgressRule`` between it and the app.

    Source: Amazon VPC User Guide, "Security best practices for your VPC".
    """

    vpc_id: pulumi.Output[str]
    public_subnet_ids: Sequence[pulumi.Output[str]]
    private_subnet_ids: Sequence[pulumi.Output[str]]
    private_route_table_ids: Sequence[pulumi.Output[str]]
    data_subnet_ids: Sequence[pulumi.Output[str]]
    app_security_group_id: pulumi.Output[str]
    database_security_group_id: pulumi.Output[str]
    cache_security_group_id: pulumi.Output[str]

    def __init__(self, name: str, args: NetworkArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("vanta:aws:Network", name, None, opts)
        self._names = args.names
        self._child = child = pulumi.ResourceOptions(parent=self)

        vpc = aws.ec2.Vpc(
            name,
            cidr_block=args.cidr,
            enable_dns_hostnames=True,
            enable_dns_support=True,
            tags=self._tags("network"),
            opts=child,
        )
        self.vpc_id = vpc.id
        # AWS makes this group with every VPC, open among its members; managed without rules it lets nothing through.
        aws.ec2.DefaultSecurityGroup(name, vpc_id=vpc.id, tags=self._tags("default"), opts=child)

        routed = RoutedSubnets(
            "routed",
            RoutedSubnetsArgs(
                names=args.names, vpc_id=vpc.id, cidr=args.cidr, zones=args.zones, nat=args.nat
            ),
            opts=child,
        )
        self.public_subnet_ids, self.private_subnet_ids = routed.public_ids, routed.private_ids
        self.private_route_table_ids = routed.private_route_table_ids
        routes = aws.ec2.RouteTable(f"{name}-data", vpc_id=vpc.id, tags=self._tags("data"), opts=child)
        self.data_subnet_ids = []
        for zone, cidr in zip(args.zones, data_subnets(args.cidr, len(args.zones)), strict=True):
            subnet = aws.ec2.Subnet(
                f"{name}-data-{zone}",
                vpc_id=vpc.id,
                availability_zone=zone,
                cidr_block=cidr,
                map_public_ip_on_launch=False,
                tags=self._tags(f"data-{zone}"),
                opts=child,
            )
            aws.ec2.RouteTableAssociation(
                f"{name}-data-{zone}", subnet_id=subnet.id, route_table_id=routes.id, opts=child
            )
            self.data_subnet_ids.append(subnet.id)

        self.app_security_group_id = self._group("app", "What runs the state API")
        self.database_security_group_id = self._group(
            "database", "Aurora PostgreSQL, reached by the app alone"
        )
        self.cache_security_group_id = self._group("cache", "ElastiCache, reached by the app alone")
        access = Access(names=args.names, client="app", group_id=self.app_security_group_id, child=child)
        access.to_group("database", self.database_security_group_id, POSTGRESQL_PORT)
        access.to_group("cache", self.cache_security_group_id, REDIS_PORT)

        self.register_outputs({"vpcId": self.vpc_id, "dataSubnetIds": self.data_subnet_ids})

    def _tags(self, name: str) -> dict[str, str]:
        return self._names.tags(layer="foundation", classification="internal", name=name)

    def _group(self, noun: str, description: str) -> pulumi.Output[str]:
        return security_group(noun, description, names=self._names, vpc_id=self.vpc_id, child=self._child)
