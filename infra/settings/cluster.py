"""What a stack file says of its Kubernetes cluster."""

import ipaddress
import re
from dataclasses import dataclass
from typing import Literal

from infra.refusal import refusal
from infra.settings.kubernetes_versions import ADDON_VERSIONS
from infra.settings.lifetime import Lifetime
from infra.settings.limits import check_log_retention, within
from infra.settings.network import NetworkSettings

# Amazon EKS User Guide, "View and manage Amazon EKS and Fargate service quotas": nodes per managed node group.
NODES = range(1, 451)
EVERYWHERE = ipaddress.IPv4Network("0.0.0.0/0")
# Amazon EC2 User Guide, "Naming conventions": a "g" after the generation is an AWS Graviton processor.
_INSTANCE_TYPE = re.compile(r"[a-z]+[0-9]+(?P<options>[a-z-]*)\.(?P<size>[a-z]+|[0-9]+xlarge|metal-[0-9]+xl)")
# Amazon EKS needs two network interfaces of a node and their addresses: smaller ones run out before the add-ons run.
_TOO_SMALL = {"nano", "micro"}
# IAM API: Role, Path and RoleName.
_ROLE = re.compile(r"([\w+=,.@-]+/)*[\w+=,.@-]{1,64}", re.ASCII)


@dataclass(frozen=True, kw_only=True)
class ClusterSettings:
    """The EKS cluster; ``min_nodes`` and ``max_nodes`` are those of each zone, roles are named without their ARN."""

    enabled: bool
    version: str
    admins: str
    viewers: str
    public_cidrs: str
    instance_type: str
    capacity_type: Literal["ON_DEMAND", "SPOT"]
    zones: int
    min_nodes: int
    max_nodes: int
    node_release: str
    log_retention_days: int

    @property
    def admin_roles(self) -> list[str]:
        """The names in ``admins``."""
        return _parts(self.admins)

    @property
    def viewer_roles(self) -> list[str]:
        """The names in ``viewers``."""
        return _parts(self.viewers)

    @property
    def public_networks(self) -> list[str]:
        """The networks in ``public_cidrs``."""
        return _parts(self.public_cidrs)

    @property
    def graviton(self) -> bool:
        """Whether nodes have AWS Graviton processors, and run images for arm64."""
        match = _INSTANCE_TYPE.fullmatch(self.instance_type)
        return match is not None and "g" in match["options"]


def check_cluster(cluster: ClusterSettings, *, network: NetworkSettings, lifetime: Lifetime) -> None:
    """A cluster that EKS makes, that somebody can administer, and that the stack's network lets live."""
    if cluster.version not in ADDON_VERSIONS:
        raise refusal(
            "cluster.version",
            cluster.version,
            "for which no add-ons are pinned",
            "Use " + " or ".join(f'"{version}"' for version in ADDON_VERSIONS),
        )
    check_log_retention("cluster.logRetentionDays", cluster.log_retention_days)
    _check_nodes(cluster)
    _check_access(cluster, lifetime)
    if cluster.enabled:
        _check_surroundings(cluster, network, lifetime)


def _check_nodes(cluster: ClusterSettings) -> None:
    match = _INSTANCE_TYPE.fullmatch(cluster.instance_type)
    if match is None or match["size"] in _TOO_SMALL:
        raise refusal(
            "cluster.instanceType",
            cluster.instance_type,
            "which cannot be a node",
            "Use a type like t3.medium or m7i.large",
        )
    within("cluster.minNodes", cluster.min_nodes, NODES, noun="{} to {} nodes a zone")
    within("cluster.maxNodes", cluster.max_nodes, NODES, noun="{} to {} nodes a zone")
    if cluster.max_nodes < cluster.min_nodes:
        raise refusal(
            "cluster.maxNodes",
            cluster.max_nodes,
            f"which is less than vanta:cluster.minNodes ({cluster.min_nodes})",
            f"Use {cluster.min_nodes} or more",
        )
    # Amazon EKS API: ReleaseVersion of Bottlerocket is its version and the first digits of its commit.
    if cluster.node_release and not re.fullmatch(r"[0-9]+\.[0-9]+\.[0-9]+-[0-9a-f]{8}", cluster.node_release):
        raise refusal(
            "cluster.nodeRelease",
            cluster.node_release,
            "which is no release of Bottlerocket",
            "Write it like 1.50.0-abcdef01, or leave it empty",
        )


def _check_access(cluster: ClusterSettings, lifetime: Lifetime) -> None:
    for key, roles in (("cluster.admins", cluster.admin_roles), ("cluster.viewers", cluster.viewer_roles)):
        for role in roles:
            if not _ROLE.fullmatch(role):
                raise refusal(
                    key,
                    role,
                    "which is no name of a role",
                    "Write it like vanta-prod-deploy, without its ARN",
                )
    if both := sorted({*cluster.admin_roles} & {*cluster.viewer_roles}):
        raise refusal(
            "cluster.viewers", both[0], "but is one of vanta:cluster.admins", "Name it in one of them"
        )
    for text in cluster.public_networks:
        try:
            network = ipaddress.IPv4Network(text)
        except ValueError:
            raise refusal(
                "cluster.publicCidrs", text, "but must be an IPv4 network", "Write it like 203.0.113.0/24"
            ) from None
        if network == EVERYWHERE and lifetime.kept:
            raise refusal(
                "cluster.publicCidrs",
                text,
                "but the stack is to be kept: everybody could try to log in to its cluster",
                "Name the networks of those who may, or none",
            )


def _check_surroundings(cluster: ClusterSettings, network: NetworkSettings, lifetime: Lifetime) -> None:
    if not cluster.admin_roles:
        raise refusal(
            "cluster.admins",
            cluster.admins,
            "but nobody else could administer the cluster, whoever makes it included",
            "Name a role, such as the one that deploys",
        )
    if cluster.zones not in range(1, network.zones + 1):
        raise refusal(
            "cluster.zones",
            cluster.zones,
            f"but vanta:network.zones is {network.zones}",
            f"Use 1 to {network.zones}",
        )
    if lifetime.kept and cluster.zones == 1:
        raise refusal(
            "cluster.zones",
            cluster.zones,
            "but the stack is to be kept: with its zone the app would be lost",
            "Use 2 or more",
        )
    if network.nat == "none" and not network.endpoints:
        raise refusal(
            "cluster.enabled",
            cluster.enabled,
            "but nodes would reach no AWS service: vanta:network has neither NAT nor endpoints",
            "Set vanta:network.endpoints to true",
        )


def _parts(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]
