"""The cluster: Kubernetes in every zone of the app, whose nodes carry the app's way to its stores."""

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi

from infra.aws.addons import ON_ANY_NODE, ON_EVERY_NODE, Addons, AddonsArgs
from infra.aws.cluster_network import ClusterNetwork, ClusterNetworkArgs
from infra.aws.control_plane import ControlPlane, ControlPlaneArgs
from infra.aws.endpoints import Endpoints
from infra.aws.network import Network
from infra.aws.node_groups import NodeGroups, NodeGroupsArgs
from infra.aws.node_scaling import AUTOSCALER, scale_nodes
from infra.aws.place import Place
from infra.aws.pod_identity import pod_role
from infra.names import Names
from infra.settings.cluster import ClusterSettings
from infra.settings.kubernetes_versions import ADDON_VERSIONS
from infra.settings.lifetime import Lifetime


@dataclass(frozen=True, kw_only=True)
class ClusterArgs:
    """Inputs of :class:`Cluster`; ``internet`` is whether its private subnets have a way out."""

    names: Names
    place: Place
    settings: ClusterSettings
    lifetime: Lifetime
    network: Network
    endpoints: Endpoints
    internet: bool
    cluster_key_arn: pulumi.Input[str]
    logs_key_arn: pulumi.Input[str]


class Cluster(pulumi.ComponentResource):
    """An EKS cluster with its nodes, ready for the app; why it is made like this says docs/adr/0013-cluster.md.

    Produces :class:`ClusterNetwork`, :class:`ControlPlane`, :class:`NodeGroups`, :class:`Addons` twice (what nodes need,
    and what needs nodes) and the :class:`ServiceRole` of the autoscaler with its ``PodIdentityAssociation``.

    Source: Amazon EKS Best Practices Guide.
    """

    name: pulumi.Output[str]
    endpoint: pulumi.Output[str]
    certificate_authority: pulumi.Output[str]

    def __init__(self, name: str, args: ClusterArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("vanta:aws:Cluster", name, None, opts)
        self._args = args
        self._child = pulumi.ResourceOptions(parent=self)
        self._cluster = args.names.of(name)

        network = ClusterNetwork(
            f"{name}-network",
            ClusterNetworkArgs(
                names=args.names,
                vpc_id=args.network.vpc_id,
                endpoints_group_id=args.endpoints.security_group_id,
                s3_prefix_list_id=args.endpoints.s3_prefix_list_id,
                internet=args.internet,
            ),
            opts=self._child,
        )
        control_plane = ControlPlane(
            name,
            ControlPlaneArgs(
                names=args.names,
                place=args.place,
                settings=args.settings,
                lifetime=args.lifetime,
                subnet_ids=args.network.private_subnet_ids,
                security_group_id=network.control_plane_group_id,
                cluster_key_arn=args.cluster_key_arn,
                logs_key_arn=args.logs_key_arn,
            ),
            opts=self._child,
        )
        self.name, self.endpoint = control_plane.name, control_plane.endpoint
        self.certificate_authority = control_plane.certificate_authority
        before = self._addons("node-addons", ON_EVERY_NODE)
        nodes = NodeGroups(
            "nodes",
            NodeGroupsArgs(
                names=args.names,
                place=args.place,
                settings=args.settings,
                cluster_name=self.name,
                subnet_ids={
                    zone: args.network.private_subnet_ids[number]
                    for number, zone in enumerate(args.place.zones[: args.settings.zones])
                },
                security_group_ids=[network.nodes_group_id, args.network.app_security_group_id],
                cluster_key_arn=args.cluster_key_arn,
                depends_on=[network, *before.installed],
            ),
            opts=self._child,
        )
        self._addons("cluster-addons", ON_ANY_NODE, depends_on=nodes.groups)
        self._autoscaler()
        self.register_outputs({"name": self.name, "endpoint": self.endpoint})

    def _addons(self, name: str, addons: Sequence[str], depends_on: Sequence[pulumi.Resource] = ()) -> Addons:
        args = self._args
        pinned = ADDON_VERSIONS[args.settings.version]
        return Addons(
            name,
            AddonsArgs(
                names=args.names,
                place=args.place,
                cluster=self._cluster,
                cluster_name=self.name,
                cluster_key_arn=args.cluster_key_arn,
                versions={addon: pinned[addon] for addon in addons},
                depends_on=depends_on,
            ),
            opts=self._child,
        )

    def _autoscaler(self) -> None:
        args = self._args
        pod_role(
            AUTOSCALER.name,
            names=args.names,
            place=args.place,
            cluster_name=self.name,
            account=AUTOSCALER,
            description="Adds and removes nodes of Kubernetes",
            statements=scale_nodes(args.place, self._cluster),
            parent=self,
        )
