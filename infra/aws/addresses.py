"""The address plan of a network: which part of it serves what, the same for every number of zones.

Counted in 64ths of the VPC, so that a zone more moves no subnet: the first three quarters are the private subnets, an
eighth each; the fourth begins with the public subnets and ends with the data subnets, a 64th each. Four 64ths between
them stay free.
"""

import ipaddress
import itertools

_PRIVATE_BITS, _SMALL_BITS = 3, 6
# Six zones are the most that a region has: their private subnets fill three quarters of the network.
_MOST_ZONES = 6
_FIRST_PUBLIC = 48


def private_subnets(cidr: str, zones: int) -> tuple[str, ...]:
    """The first ``zones`` eighths of ``cidr``, one per availability zone; of a /16 each has 8,192 addresses for pods."""
    return tuple(_parts(cidr, _PRIVATE_BITS)[: min(zones, _MOST_ZONES)])


def public_subnets(cidr: str, zones: int) -> tuple[str, ...]:
    """A 64th of ``cidr`` per availability zone from the fourth quarter on, for load balancers and NAT gateways."""
    return tuple(itertools.islice(_parts(cidr, _SMALL_BITS), _FIRST_PUBLIC, _FIRST_PUBLIC + zones))


def data_subnets(cidr: str, zones: int) -> tuple[str, ...]:
    """The last ``zones`` 64ths of ``cidr``, one per availability zone; the first zone has the very last."""
    return tuple(_parts(cidr, _SMALL_BITS)[: -zones - 1 : -1])


def _parts(cidr: str, bits: int) -> list[str]:
    return [str(subnet) for subnet in ipaddress.IPv4Network(cidr).subnets(bits)]
