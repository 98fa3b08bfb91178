"""The zone: where the names of the platform are found."""

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from infra.aws.options import holding_data
from infra.names import Names
from infra.settings.lifetime import Lifetime

# RFC 8659; AWS Certificate Manager User Guide, "(Optional) Configure a CAA record": any one of Amazon's four is enough.
ISSUER = "amazon.com"
TTL_SECONDS = 300


@dataclass(frozen=True, kw_only=True)
class ZoneArgs:
    """Inputs of :class:`Zone`; ``domain`` is its name."""

    names: Names
    lifetime: Lifetime
    domain: str


class Zone(pulumi.ComponentResource):
    """A public hosted zone, for whose names nobody but Amazon may issue certificates.

    It answers once its parent zone delegates to ``name_servers``.

    Produces ``Zone`` and a ``Record`` of type CAA.

    Source: Amazon Route 53 Developer Guide, "Working with public hosted zones".
    """

    zone_id: pulumi.Output[str]
    name_servers: pulumi.Output[Sequence[str]]

    def __init__(self, name: str, args: ZoneArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("vanta:aws:Zone", name, None, opts)
        zone = aws.route53.Zone(
            name,
            name=args.domain,
            comment=args.names.of(name),
            tags=args.names.tags(layer="foundation", classification="public"),
            # Made anew it has other name servers, and its parent delegates to the old ones.
            opts=holding_data(self, lifetime=args.lifetime),
        )
        self.zone_id, self.name_servers = zone.zone_id, zone.name_servers
        aws.route53.Record(
            name,
            zone_id=zone.zone_id,
            name=args.domain,
            type="CAA",
            ttl=TTL_SECONDS,
            records=[f'0 issue "{ISSUER}"', f'0 issuewild "{ISSUER}"'],
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.register_outputs({"zoneId": self.zone_id, "nameServers": self.name_servers})
