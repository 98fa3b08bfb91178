"""The subnets with a way out: public ones for load balancers, private ones for nodes and pods."""

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from infra.aws.access import ANYWHERE
from infra.aws.addresses import private_subnets, public_subnets
from infra.names import Names
from infra.settings.network import Nat

# AWS Load Balancer Controller, "Subnet auto-discovery": how it finds where to put a load balancer.
_LOAD_BALANCERS = {
    "public": {"kubernetes.io/role/elb": "1"},
    "private": {"kubernetes.io/role/internal-elb": "1"},
}


@dataclass(frozen=True, kw_only=True)
class RoutedSubnetsArgs:
    """Inputs of :class:`RoutedSubnets`; a public and a private subnet of ``cidr`` is made in each of ``zones``."""

    names: Names
    vpc_id: pulumi.Input[str]
    cidr: str
    zones: Sequence[str]
    nat: Nat


class RoutedSubnets(pulumi.ComponentResource):
    """Public and private subnets, and their routes.

    Produces an ``InternetGateway``; for each zone a public and a private ``Subnet``, their ``RouteTableAssociation``
    and the private ``RouteTable``; the public ``RouteTable`` and its ``Route``. By ``nat`` there is no NAT gateway
    (private subnets reach AWS through endpoints alone), ``one`` for all zones, or one in each ``zone`` so that the loss
    of a zone leaves the others their way out: an ``Eip`` and a ``NatGateway`` each, and a ``Route`` per zone.

    Source: Amazon VPC User Guide, "NAT gateways"; Amazon EKS User Guide, "VPC and subnet requirements".
    """

    public_ids: Sequence[pulumi.Output[str]]
    private_ids: Sequence[pulumi.Output[str]]
    private_route_table_ids: Sequence[pulumi.Output[str]]

    def __init__(
        self, name: str, args: RoutedSubnetsArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("vanta:aws:RoutedSubnets", name, None, opts)
        self._args = args
        self._child = pulumi.ResourceOptions(parent=self)

        internet = aws.ec2.InternetGateway(
            name, vpc_id=args.vpc_id, tags=self._tags("internet"), opts=self._child
        )
        public = self._route_table("public")
        way_out = aws.ec2.Route(
            "public",
            route_table_id=public,
            destination_cidr_block=ANYWHERE,
            gateway_id=internet.id,
            opts=self._child,
        )
        count = len(args.zones)
        self.public_ids = [
            self._subnet("public", zone, cidr, public)
            for zone, cidr in zip(args.zones, public_subnets(args.cidr, count), strict=True)
        ]
        # A table a zone, whatever the number of NAT gateways: a change of it changes routes alone.
        self.private_route_table_ids = [self._route_table(f"private-{zone}") for zone in args.zones]
        self.private_ids = [
            self._subnet("private", zone, cidr, table)
            for zone, cidr, table in zip(
                args.zones, private_subnets(args.cidr, count), self.private_route_table_ids, strict=True
            )
        ]
        self._nat_gateways(way_out)
        self.register_outputs({"publicIds": self.public_ids, "privateIds": self.private_ids})

    def _nat_gateways(self, way_out: aws.ec2.Route) -> None:
        zones = self._args.zones
        homes = {"none": 0, "one": 1, "zone": len(zones)}[self._args.nat]
        gateways = [
            self._nat_gateway(zone, subnet, way_out)
            for zone, subnet in zip(zones[:homes], self.public_ids[:homes], strict=True)
        ]
        if not gateways:
            return
        for number, (zone, table) in enumerate(zip(zones, self.private_route_table_ids, strict=True)):
            aws.ec2.Route(
                f"private-{zone}",
                route_table_id=table,
                destination_cidr_block=ANYWHERE,
                nat_gateway_id=gateways[number % homes],
                opts=self._child,
            )

    def _nat_gateway(
        self, zone: str, subnet_id: pulumi.Output[str], way_out: aws.ec2.Route
    ) -> pulumi.Output[str]:
        address = aws.ec2.Eip(f"nat-{zone}", domain="vpc", tags=self._tags(f"nat-{zone}"), opts=self._child)
        return aws.ec2.NatGateway(
            f"nat-{zone}",
            allocation_id=address.id,
            subnet_id=subnet_id,
            tags=self._tags(f"nat-{zone}"),
            # Without a route to the internet AWS lets the creation of a NAT gateway fail.
            opts=pulumi.ResourceOptions(parent=self, depends_on=[way_out]),
        ).id

    def _subnet(
        self, tier: str, zone: str, cidr: str, route_table_id: pulumi.Output[str]
    ) -> pulumi.Output[str]:
        subnet = aws.ec2.Subnet(
            f"{tier}-{zone}",
            vpc_id=self._args.vpc_id,
            availability_zone=zone,
            cidr_block=cidr,
            # Load balancers and NAT gateways bring their addresses; nothing else is to have a public one.
            map_public_ip_on_launch=False,
            tags=self._tags(f"{tier}-{zone}") | _LOAD_BALANCERS[tier],
            opts=self._child,
        )
        aws.ec2.RouteTableAssociation(
            f"{tier}-{zone}", subnet_id=subnet.id, route_table_id=route_table_id, opts=self._child
        )
        return subnet.id

    def _route_table(self, noun: str) -> pulumi.Output[str]:
        return aws.ec2.RouteTable(noun, vpc_id=self._args.vpc_id, tags=self._tags(noun), opts=self._child).id

    def _tags(self, name: str) -> dict[str, str]:
        return self._args.names.tags(layer="foundation", classification="internal", name=name)
