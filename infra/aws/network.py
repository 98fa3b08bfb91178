"""The network: data lives in subnets that have no way out, behind doors that open only to the app."""

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from infra.names import Names

POSTGRESQL_PORT = 5432
REDIS_PORT = 6379
# A data subnet is a 64th of the network; the data subnets take its end, so that what faces users and runs pods can grow
# from its beginning without moving them.
_DATA_SUBNET_BITS = 6


def data_subnets(cidr: str, zones: int) -> tuple[str, ...]:
    """The last ``zones`` 64ths of ``cidr``, one per availability zone; the first zone has the very last, so that a zone
    more moves none."""
    return tuple(
        str(subnet)
        for subnet in list(ipaddress.IPv4Network(cidr).subnets(_DATA_SUBNET_BITS))[: -zones - 1 : -1]
    )


@dataclass(frozen=True, kw_only=True)
class NetworkArgs:
    """Inputs of :class:`Network`; one data subnet is made in each of ``zones``."""

    names: Names
    cidr: str
    zones: Sequence[str]


class Network(pulumi.ComponentResource):
    """A VPC with isolated data subnets and the security groups of the app, the database and the cache.

    Produces ``Vpc``, ``DefaultSecurityGroup`` (emptied), one ``RouteTable`` without routes, a ``Subnet`` and a
    ``RouteTableAssociation`` per zone, three ``SecurityGroup`` and, for each store, the ``SecurityGroupIngressRule``
    and ``SecurityGroupEgressRule`` between it and the app.

    Source: Amazon VPC User Guide, "Security best practices for your VPC".
    """

    vpc_id: pulumi.Output[str]
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
        self._allow("database", self.database_security_group_id, POSTGRESQL_PORT)
        self._allow("cache", self.cache_security_group_id, REDIS_PORT)

        self.register_outputs({"vpcId": self.vpc_id, "dataSubnetIds": self.data_subnet_ids})

    def _tags(self, name: str) -> dict[str, str]:
        return self._names.tags(layer="foundation", classification="internal", name=name)

    def _group(self, noun: str, description: str) -> pulumi.Output[str]:
        """A security group without rules, and without the way out that AWS would give it by default."""
        return aws.ec2.SecurityGroup(
            noun,
            name=self._names.of(noun),
            description=description,
            vpc_id=self.vpc_id,
            tags=self._tags(noun),
            opts=self._child,
        ).id

    def _allow(self, store: str, group_id: pulumi.Output[str], port: int) -> None:
        """Connections from the app to a store, on the store's port only; both sides have to say so."""
        aws.vpc.SecurityGroupIngressRule(
            f"{store}-from-app",
            security_group_id=group_id,
            referenced_security_group_id=self.app_security_group_id,
            ip_protocol="tcp",
            from_port=port,
            to_port=port,
            description="From the app",
            tags=self._tags(f"{store}-from-app"),
            opts=self._child,
        )
        aws.vpc.SecurityGroupEgressRule(
            f"app-to-{store}",
            security_group_id=self.app_security_group_id,
            referenced_security_group_id=group_id,
            ip_protocol="tcp",
            from_port=port,
            to_port=port,
            description=f"To the {store}",
            tags=self._tags(f"app-to-{store}"),
            opts=self._child,
        )
