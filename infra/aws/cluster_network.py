"""The network of the cluster: what control plane and nodes may say to each other, and what nodes to the rest."""

from dataclasses import dataclass

import pulumi

from infra.aws.access import HTTPS_PORT, Access, security_group
from infra.names import Names

# Amazon EKS User Guide, "Amazon EKS security group requirements": kubelets, and the webhooks and metrics of pods, none
# of which may listen on a privileged port.
_FIRST_PORT, _LAST_PORT = 1025, 65535


@dataclass(frozen=True, kw_only=True)
class ClusterNetworkArgs:
    """Inputs of :class:`ClusterNetwork`; nodes get the way to the internet that ``internet`` says there is."""

    names: Names
    vpc_id: pulumi.Input[str]
    endpoints_group_id: pulumi.Input[str] | None
    s3_prefix_list_id: pulumi.Input[str]
    internet: bool


class ClusterNetwork(pulumi.ComponentResource):
    """The security groups of control plane and nodes, and their rules.

    Produces two ``SecurityGroup``, and the ``SecurityGroupIngressRule`` and ``SecurityGroupEgressRule`` between them,
    among nodes, and from nodes to the endpoints, to S3 and, over HTTPS alone, to the internet. The group that EKS makes
    itself, open among its members and to everywhere, stays off the nodes: their launch template names groups of its own.

    Source: Amazon EKS User Guide, "View Amazon EKS security group requirements for clusters".
    """

    control_plane_group_id: pulumi.Output[str]
    nodes_group_id: pulumi.Output[str]

    def __init__(
        self, name: str, args: ClusterNetworkArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("vanta:aws:ClusterNetwork", name, None, opts)
        self._args = args
        self._child = pulumi.ResourceOptions(parent=self)

        self.control_plane_group_id = self._group("cluster", "The control plane of Kubernetes")
        self.nodes_group_id = self._group("nodes", "The nodes of Kubernetes")
        control_plane = self._access("cluster", self.control_plane_group_id)
        control_plane.to_group("nodes", self.nodes_group_id, _FIRST_PORT, _LAST_PORT)
        nodes = self._access("nodes", self.nodes_group_id)
        nodes.among_members()
        nodes.to_group("cluster", self.control_plane_group_id, HTTPS_PORT)
        nodes.to_prefix_list("s3", args.s3_prefix_list_id, HTTPS_PORT)
        if args.endpoints_group_id is not None:
            nodes.to_group("endpoints", args.endpoints_group_id, HTTPS_PORT)
        if args.internet:
            nodes.to_internet(HTTPS_PORT)
        self.register_outputs(
            {"controlPlaneGroupId": self.control_plane_group_id, "nodesGroupId": self.nodes_group_id}
        )

    def _group(self, noun: str, description: str) -> pulumi.Output[str]:
        args = self._args
        return security_group(noun, description, names=args.names, vpc_id=args.vpc_id, child=self._child)

    def _access(self, client: str, group_id: pulumi.Output[str]) -> Access:
        return Access(names=self._args.names, client=client, group_id=group_id, child=self._child)
