"""What a stack file says of its network."""

import ipaddress
from dataclasses import dataclass
from typing import Literal

from infra.refusal import refusal
from infra.settings.limits import check_log_retention, within

Nat = Literal["none", "one", "zone"]

# RFC 1918 and RFC 6598 (carrier-grade NAT, which AWS accepts for a VPC and Kubernetes pods like to use).
PRIVATE_RANGES = tuple(
    ipaddress.IPv4Network(cidr) for cidr in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10")
)
# Amazon VPC User Guide, "VPC CIDR blocks": some AWS services use this range themselves.
RESERVED_RANGE = ipaddress.IPv4Network("172.17.0.0/16")
# Amazon VPC User Guide, "VPC CIDR blocks": /16 is the largest. Below /20 the data subnets (a 64th each, /26) have too
# few addresses for a fail-over to start its replacements, and the private ones (an eighth, /23) for the pods of a zone.
VPC_PREFIXES = range(16, 21)
# Aurora and ElastiCache subnet groups need two zones; no region has more than six.
ZONES = range(2, 7)


@dataclass(frozen=True, kw_only=True)
class NetworkSettings:
    """The address range of the network, over how many zones it spans, and its ways out; retention in days."""

    cidr: str
    connected_cidrs: str
    zones: int
    nat: Nat
    endpoints: bool
    flow_logs: bool
    flow_log_days: int


def check_network(network: "NetworkSettings") -> None:
    """A private range that is large enough and nobody else's, over a number of zones that the data services accept."""
    cidr = _network("network.cidr", network.cidr)
    if not any(cidr.subnet_of(private) for private in PRIVATE_RANGES):
        raise refusal(
            "network.cidr", network.cidr, "which is not a private range", "Use a part of 10.0.0.0/8"
        )
    within("network.cidr", cidr.prefixlen, VPC_PREFIXES, shown=network.cidr, noun="a network from /{} to /{}")
    if cidr.overlaps(RESERVED_RANGE):
        raise refusal(
            "network.cidr",
            network.cidr,
            f"but AWS services use {RESERVED_RANGE} themselves",
            "Use a part of 10.0.0.0/8",
        )
    for text in filter(None, (part.strip() for part in network.connected_cidrs.split(","))):
        if cidr.overlaps(_network("network.connectedCidrs", text)):
            raise refusal(
                "network.cidr",
                network.cidr,
                f"but overlaps {text}, which vanta:network.connectedCidrs says it will be connected to",
                "Use a range of its own",
            )
    within("network.zones", network.zones, ZONES, noun="{} to {} availability zones")
    check_log_retention("network.flowLogDays", network.flow_log_days)


def _network(key: str, text: str) -> ipaddress.IPv4Network:
    try:
        network = ipaddress.IPv4Network(text, strict=False)
    except ValueError:
        raise refusal(key, text, "but must be an IPv4 network", "Write it like 10.20.0.0/16") from None
    if str(network.network_address) != text.partition("/")[0]:
        raise refusal(
            key,
            text,
            f"but a network of /{network.prefixlen} does not begin at that address",
            f"Use {network}",
        )
    return network
