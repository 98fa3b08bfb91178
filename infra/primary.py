"""The stack that a standby follows: read once, as plain values, before anything is registered."""

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pulumi

from infra.aws.place import Place
from infra.refusal import refusal

KEY = "recovery.primaryStack"


@dataclass(frozen=True, kw_only=True)
class Primary:
    """What a standby needs of its primary.

    Bucket names, key and secret ARNs are those of the copies in the standby's own region, by the nouns that they have in
    the primary's outputs ``keyArns`` and ``appSecrets``; ``edge`` is its output of that name, empty without a domain.
    """

    region: str
    global_cluster: str
    archive_bucket: str
    audit_bucket: str
    key_arns: Mapping[str, str]
    secret_arns: Mapping[str, str]
    edge: Mapping[str, Any]


def find(stack: str, *, here: Place, cidr: str, joins: bool = True) -> Primary:
    """The primary ``stack`` of this project, from its outputs, for a standby that is ``here`` with network ``cidr``.

    One that does not join the primary's global cluster, because it is restored, needs none to be there.

    Raises:
        SettingsError: it is not up, or the standby could not take over from it.
    """
    outputs = _outputs(stack)
    try:
        return _judged(stack, outputs, here=here, cidr=cidr, joins=joins)
    except KeyError as missing:
        raise refusal(
            KEY,
            stack,
            f"which has no output {missing}",
            f"Run `pulumi up --stack {stack}` with this program first",
        ) from None


def _outputs(stack: str) -> Mapping[str, Any]:
    """What ``pulumi stack output`` shows of another stack.

    The engine answers this for a ``StackReference`` too; but a missing stack then fails among the resources, in the engine's words.
    """
    name = f"{pulumi.get_organization()}/{pulumi.get_project()}/{stack}"
    try:
        return pulumi.runtime.invoke("pulumi:pulumi:readStackOutputs", {"name": name}).value["outputs"]
    except Exception as error:
        if "unknown stack" not in str(error):
            raise
        raise refusal(
            KEY,
            stack,
            "but there is no such stack",
            f"Run `pulumi up --stack {stack}` first, or name another",
        ) from None


def _judged(stack: str, outputs: Mapping[str, Any], *, here: Place, cidr: str, joins: bool) -> Primary:
    copies = outputs["recovery"]
    if outputs["region"] == here.region:
        raise refusal(
            KEY,
            stack,
            f"but it is in {here.region} too: the loss of one region would take both",
            "Set aws:region to another one",
        )
    if not copies:
        raise refusal(
            KEY,
            stack,
            "but it copies nothing elsewhere",
            f"Set vanta:recovery.region of {stack} to {here.region}",
        )
    if copies["region"] != here.region:
        raise refusal(
            KEY,
            stack,
            f"but its copies are in {copies['region']}, not in {here.region}",
            f"Set aws:region to {copies['region']}",
        )
    if outputs["accountId"] != here.account_id:
        raise refusal(
            KEY,
            stack,
            f"but it is in account {outputs['accountId']}, whose copies {here.account_id} may not read",
            "Use its credentials",
        )
    if joins and not outputs["globalClusterIdentifier"]:
        raise refusal(
            KEY,
            stack,
            "but its database leads no global cluster, which a standby follows",
            f"Set vanta:database.globalCluster of {stack} to true",
        )
    if ipaddress.IPv4Network(cidr).overlaps(ipaddress.IPv4Network(outputs["networkCidr"])):
        raise refusal(
            "network.cidr",
            cidr,
            f"but overlaps {outputs['networkCidr']} of {stack}, with which it may have to be connected",
            "Use a range of its own",
        )
    return Primary(
        region=outputs["region"],
        global_cluster=outputs["globalClusterIdentifier"],
        archive_bucket=copies["archiveBucket"],
        audit_bucket=copies["auditBucket"],
        key_arns=copies["keyArns"],
        secret_arns=copies["secretArns"],
        edge=outputs["edge"],
    )
