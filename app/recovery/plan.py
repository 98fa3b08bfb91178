"""What a new stack in another region needs to be told so that it begins with the newest copy that lies there."""

import datetime as dt
import ipaddress
import re
from collections.abc import Mapping
from typing import Any

import msgspec

from app.recovery import aws
from app.recovery.errors import RecoveryError

# The names that infra/settings/stack.py takes.
_STACK = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
# RDS API, "DescribeDBClusterSnapshots", SnapshotType: those of AWS Backup are listed only if asked for.
_KINDS: tuple[dict[str, str], ...] = ({}, {"SnapshotType": "awsbackup"})


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """The ``file`` that begins stack ``name`` from ``snapshot``, which was ``taken`` then; what came later is not in it."""

    name: str
    region: str
    snapshot: str
    taken: dt.datetime
    file: str


def plan(source: str, outputs: Mapping[str, Any], *, name: str, region: str) -> Plan:
    """How stack ``name`` begins in ``region`` with what ``source``, whose ``outputs`` these are, has copied there.

    Raises:
        RecoveryError: it could not begin there.
    """
    if not _STACK.fullmatch(name) or name == source:
        raise RecoveryError(
            f'"{name}" is no name for a new stack: use lower-case letters, digits and hyphens, and not that of {source}.'
        )
    if region == outputs["region"]:
        raise RecoveryError(
            f"{source} is in {region} itself: what is lost with it could not be used, so name another region."
        )
    copies = outputs["recovery"]
    if not copies or copies["region"] != region:
        where = f"are in {copies['region']}" if copies else "do not exist"
        raise RecoveryError(
            f"The copies of {source} {where}, and none in {region}: name a region that `vanta:recovery.region` has named."
        )
    snapshot = _newest(outputs["databaseIdentifier"], source, region)
    taken = snapshot["SnapshotCreateTime"]
    arn = snapshot["DBClusterSnapshotArn"]
    return Plan(
        name=name,
        region=region,
        snapshot=arn,
        taken=taken,
        file=_file(source, region=region, snapshot=arn, taken=taken, cidr=_beside(outputs["networkCidr"])),
    )


def _newest(database: str, source: str, region: str) -> dict[str, Any]:
    """The newest whole snapshot of ``database`` in ``region``, whoever copied it there."""
    rds = aws.client("rds", region)
    found = []
    with aws.asking(f"The snapshots in {region} cannot be listed"):
        for kind in _KINDS:
            for page in rds.get_paginator("describe_db_cluster_snapshots").paginate(**kind):
                found += page["DBClusterSnapshots"]
    whole = [one for one in found if one["DBClusterIdentifier"] == database and one["Status"] == "available"]
    if not whole:
        raise RecoveryError(
            f"There is no snapshot of {database} in {region}: copy one there, or let `vanta:backup` of {source} do so."
        )
    return max(whole, key=lambda one: one["SnapshotCreateTime"])


def _beside(cidr: str) -> str:
    """The range of the same size after ``cidr``: the two networks may have to be connected."""
    network = ipaddress.IPv4Network(cidr)
    after = ipaddress.IPv4Network((int(network.broadcast_address) + 1, network.prefixlen))
    if after.is_private:
        return str(after)
    return str(
        ipaddress.IPv4Network((int(network.network_address) - network.num_addresses, network.prefixlen))
    )


def _file(source: str, *, region: str, snapshot: str, taken: dt.datetime, cidr: str) -> str:
    return f"""\
# Begins with what {source} had at {taken:%Y-%m-%dT%H:%M:%SZ}, from its copies in this region. Sizes are the smallest: write those of
# {source} here before it has to carry its load.
config:
  aws:region: {region}
  vanta:lifetime: permanent
  vanta:recovery:
    role: standby
    primaryStack: {source}
  vanta:network:
    cidr: {cidr}
  vanta:database:
    restoreSnapshot: {snapshot}
    readers: 1
"""
