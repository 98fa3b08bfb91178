"""The nodes: small machines that nobody logs in to, a group of them in each zone."""

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from infra.aws.place import Place
from infra.aws.policy_document import Statement
from infra.aws.service_role import ServiceRole, ServiceRoleArgs
from infra.names import Names
from infra.settings.cluster import ClusterSettings

# Bottlerocket keeps itself on the first volume, read-only, and what containers bring and write on the second; in GiB.
_SYSTEM_GIB, _DATA_GIB = 4, 50
# Bottlerocket documentation, "Host containers": one for people to log in with; there is nobody to.
_NO_LOGIN = "[settings.host-containers.control]\nenabled = false\n"
# Amazon EKS User Guide, "Managed node group update behavior": how much of a group is replaced at a time.
_UNAVAILABLE_PERCENT = 33


@dataclass(frozen=True, kw_only=True)
class NodeGroupsArgs:
    """Inputs of :class:`NodeGroups`: ``subnet_ids`` by zone, a group for each; ``depends_on`` is what nodes need to start."""

    names: Names
    place: Place
    settings: ClusterSettings
    cluster_name: pulumi.Input[str]
    subnet_ids: Mapping[str, pulumi.Input[str]]
    security_group_ids: Sequence[pulumi.Input[str]]
    cluster_key_arn: pulumi.Input[str]
    depends_on: Sequence[pulumi.Resource]


class NodeGroups(pulumi.ComponentResource):
    """Managed node groups of Bottlerocket, one per zone, so that each zone is scaled by what waits for it.

    Produces the :class:`ServiceRole` of nodes, a ``LaunchTemplate`` (encrypted volumes, metadata over sessions and for
    the node alone) and a ``NodeGroup`` per zone. A change of instance type, image release or template replaces node after
    node, as pod disruption budgets allow; one of architecture or capacity type makes new groups before the old ones go.

    Source: Amazon EKS Best Practices Guide, "Data Plane" and "Instance security"; Amazon EKS User Guide, "Customize
    managed nodes with launch templates".
    """

    role_arn: pulumi.Output[str]
    groups: Sequence[aws.eks.NodeGroup]

    def __init__(self, name: str, args: NodeGroupsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("vanta:aws:NodeGroups", name, None, opts)
        self._args = args
        self._child = pulumi.ResourceOptions(parent=self)
        self._tags = args.names.tags(layer="foundation", classification="internal", name=name)

        role = ServiceRole(
            name,
            ServiceRoleArgs(
                names=args.names,
                description="Joins the cluster, pulls images, and hands pods their own roles",
                trust=_TRUST,
                managed=[
                    f"arn:{args.place.partition}:iam::aws:policy/{policy}"
                    for policy in ("AmazonEKSWorkerNodePolicy", "AmazonEC2ContainerRegistryPullOnly")
                ],
                statements=[_fill_cache(args.place, args.names.of(""))],
            ),
            opts=self._child,
        )
        template = self._template(name)
        self.role_arn = role.arn
        self.groups = [
            self._group(zone, subnet_id, template, role) for zone, subnet_id in args.subnet_ids.items()
        ]
        self.register_outputs({"roleArn": self.role_arn})

    def _template(self, name: str) -> aws.ec2.LaunchTemplate:
        args = self._args
        volume: aws.ec2.LaunchTemplateBlockDeviceMappingEbsArgsDict = {
            "volume_type": "gp3",
            "encrypted": "true",
            "kms_key_id": args.cluster_key_arn,
            "delete_on_termination": "true",
        }
        return aws.ec2.LaunchTemplate(
            name,
            name=args.names.of(name),
            description="Nodes of Kubernetes",
            # Here and not in the node group, which a change there would replace.
            instance_type=args.settings.instance_type,
            vpc_security_group_ids=list(args.security_group_ids),
            metadata_options={
                "http_endpoint": "enabled",
                "http_tokens": "required",
                # A pod is one hop further away: it cannot take the node's role for its own.
                "http_put_response_hop_limit": 1,
            },
            block_device_mappings=[
                {"device_name": "/dev/xvda", "ebs": {**volume, "volume_size": _SYSTEM_GIB}},
                {"device_name": "/dev/xvdb", "ebs": {**volume, "volume_size": _DATA_GIB}},
            ],
            user_data=base64.b64encode(_NO_LOGIN.encode()).decode(),
            # What a template starts has only the tags that it names.
            tag_specifications=[
                {"resource_type": kind, "tags": self._tags}
                for kind in ("instance", "volume", "network-interface")
            ],
            tags=self._tags,
            opts=self._child,
        )

    def _group(
        self, zone: str, subnet_id: pulumi.Input[str], template: aws.ec2.LaunchTemplate, role: ServiceRole
    ) -> aws.eks.NodeGroup:
        args, settings = self._args, self._args.settings
        architecture = "ARM_64" if settings.graviton else "x86_64"
        return aws.eks.NodeGroup(
            zone,
            cluster_name=args.cluster_name,
            node_group_name=group_name(zone, architecture, settings.capacity_type),
            node_role_arn=role.arn,
            subnet_ids=[subnet_id],
            ami_type=f"BOTTLEROCKET_{architecture}",
            capacity_type=settings.capacity_type,
            version=settings.version,
            release_version=settings.node_release or None,
            launch_template={
                "id": template.id,
                "version": template.latest_version.apply(str),
            },
            scaling_config={
                "min_size": settings.min_nodes,
                "max_size": settings.max_nodes,
                "desired_size": settings.min_nodes,
            },
            update_config={"max_unavailable_percentage": _UNAVAILABLE_PERCENT},
            node_repair_config={"enabled": True},
            tags=self._tags,
            opts=pulumi.ResourceOptions(
                parent=self,
                # Without its policies the role cannot join nodes, and without addresses for pods they never get ready.
                depends_on=[*role.ready, *args.depends_on],
                # How many there are right now the autoscaler decides.
                ignore_changes=["scalingConfig.desiredSize"],
            ),
        )


def group_name(zone: str, architecture: str, capacity_type: str) -> str:
    """A name with all in it that AWS cannot change, so that a group and its successor can exist side by side."""
    return f"{zone}-{architecture}-{capacity_type}".replace("_", "-").lower()


# EC2 passes no source account or ARN when an instance takes its role.
_TRUST: Statement = {
    "Sid": "AssumedByNodes",
    "Effect": "Allow",
    "Principal": {"Service": "ec2.amazonaws.com"},
    "Action": "sts:AssumeRole",
}


def _fill_cache(place: Place, prefix: str) -> Statement:
    """The first node to want an image that is not cached yet makes the repository for it."""
    return {
        "Sid": "FillTheImageCache",
        "Effect": "Allow",
        "Action": ["ecr:BatchImportUpstreamImage", "ecr:CreateRepository"],
        "Resource": f"arn:{place.partition}:ecr:{place.region}:{place.account_id}:repository/{prefix}*",
    }
