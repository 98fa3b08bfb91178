"""The edge: one name for clients, and all that stands between them and the state API."""

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi

from infra.aws.certificate import Certificate, CertificateArgs
from infra.aws.dns import Zone, ZoneArgs
from infra.aws.failover import Failover, FailoverArgs
from infra.aws.firewall import Firewall, FirewallArgs
from infra.aws.load_balancer import LoadBalancer, LoadBalancerArgs
from infra.aws.place import Place
from infra.names import Names
from infra.settings.firewall import FirewallSettings
from infra.settings.lifetime import Lifetime


@dataclass(frozen=True, kw_only=True)
class EdgeArgs:
    """Inputs of :class:`Edge`.

    ``host`` is the clients' name in the zone ``domain``, which is made if ``zone_id`` is empty. A ``standby`` is found under it
    while its primary does not answer.
    """

    names: Names
    place: Place
    lifetime: Lifetime
    domain: str
    zone_id: str
    host: str
    standby: bool
    firewall: FirewallSettings
    vpc_id: pulumi.Input[str]
    subnet_ids: Sequence[pulumi.Input[str]]
    app_group_id: pulumi.Input[str]
    logs_key_arn: pulumi.Input[str]


class Edge(pulumi.ComponentResource):
    """Zone, certificate, load balancer, firewall and fail-over of a stack.

    ``own_host`` leads to this stack, whoever serves ``host``. ``name_servers`` are empty where the zone was there before.

    Produces a :class:`Zone` unless there is one, :class:`Certificate`, :class:`LoadBalancer`, :class:`Firewall` and
    :class:`Failover`.

    Source: docs/adr/0014-edge.md.
    """

    domain: str
    host: str
    own_host: str
    zone_id: pulumi.Output[str]
    name_servers: pulumi.Output[Sequence[str]]
    load_balancer: LoadBalancer
    firewall: Firewall
    failover: Failover

    def __init__(self, name: str, args: EdgeArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("vanta:aws:Edge", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        self.domain, self.host, self.own_host = args.domain, args.host, f"{args.names.stack}.{args.domain}"
        self.zone_id, self.name_servers = self._zone(args)

        certificate = Certificate(
            "certificate",
            CertificateArgs(
                names=args.names,
                zone_id=self.zone_id,
                hosts=[self.host, self.own_host],
                # The primary keeps the record of the name that both share.
                proven={"own": self.own_host} | ({} if args.standby else {"shared": self.host}),
            ),
            opts=child,
        )
        self.load_balancer = LoadBalancer(
            "load-balancer",
            LoadBalancerArgs(
                names=args.names,
                place=args.place,
                lifetime=args.lifetime,
                vpc_id=args.vpc_id,
                subnet_ids=args.subnet_ids,
                app_group_id=args.app_group_id,
                certificate_arn=certificate.arn,
                log_days=args.firewall.log_days,
            ),
            opts=child,
        )
        self.firewall = Firewall(
            "firewall",
            FirewallArgs(
                names=args.names,
                settings=args.firewall,
                lifetime=args.lifetime,
                logs_key_arn=args.logs_key_arn,
                resource_arn=self.load_balancer.arn,
            ),
            opts=child,
        )
        self.failover = Failover(
            "failover",
            FailoverArgs(
                names=args.names,
                zone_id=self.zone_id,
                host=self.host,
                own_host=self.own_host,
                standby=args.standby,
                target=self.load_balancer.dns_name,
                target_zone_id=self.load_balancer.zone_id,
            ),
            opts=child,
        )
        self.register_outputs({"host": self.host, "ownHost": self.own_host})

    def _zone(self, args: EdgeArgs) -> tuple[pulumi.Output[str], pulumi.Output[Sequence[str]]]:
        if args.zone_id:
            return pulumi.Output.from_input(args.zone_id), pulumi.Output.from_input([])
        zone = Zone(
            "zone",
            ZoneArgs(names=args.names, lifetime=args.lifetime, domain=args.domain),
            opts=pulumi.ResourceOptions(parent=self),
        )
        return zone.zone_id, zone.name_servers
