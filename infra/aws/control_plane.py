"""The control plane: who may talk to Kubernetes, and what is written down of it."""

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from infra.aws.options import holding_data
from infra.aws.place import Place
from infra.aws.policy_document import Statement
from infra.aws.service_role import ServiceRole, ServiceRoleArgs
from infra.names import Names
from infra.settings.cluster import ClusterSettings
from infra.settings.lifetime import Lifetime

# Amazon EKS API: LogSetup, types; all there are.
LOGS = ("api", "audit", "authenticator", "controllerManager", "scheduler")


@dataclass(frozen=True, kw_only=True)
class ControlPlaneArgs:
    """Inputs of :class:`ControlPlane`; ``subnet_ids`` are where its network interfaces are, in two zones or more."""

    names: Names
    place: Place
    settings: ClusterSettings
    lifetime: Lifetime
    subnet_ids: Sequence[pulumi.Input[str]]
    security_group_id: pulumi.Input[str]
    cluster_key_arn: pulumi.Input[str]
    logs_key_arn: pulumi.Input[str]


class ControlPlane(pulumi.ComponentResource):
    """An EKS control plane: private unless networks are named, its secrets encrypted, its logs kept, its doors listed.

    Produces ``LogGroup``, the :class:`ServiceRole` of EKS, ``Cluster``, and an ``AccessEntry`` and an
    ``AccessPolicyAssociation`` for each role that may administer or look at it. Nobody else gets in, whoever makes it
    included, and a ConfigMap inside it gives no access. Standard support only: a version that runs out is upgraded, not
    paid for twice. It comes without the add-ons that EKS would install unmanaged.

    Source: Amazon EKS Best Practices Guide, "Identity and Access Management"; Amazon EKS User Guide, "Cluster API server
    endpoint", "Send control plane logs to CloudWatch Logs" and "Grant IAM users access to Kubernetes with EKS access
    entries".
    """

    name: pulumi.Output[str]
    endpoint: pulumi.Output[str]
    certificate_authority: pulumi.Output[str]

    def __init__(self, name: str, args: ControlPlaneArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("vanta:aws:ControlPlane", name, None, opts)
        self._args = args
        self._tags = args.names.tags(layer="foundation", classification="restricted", name=name)
        settings, identifier = args.settings, args.names.of(name)

        role = ServiceRole(
            name,
            ServiceRoleArgs(
                names=args.names,
                description="Runs the control plane of Kubernetes",
                trust=_trust(args.place, identifier),
                managed=[f"arn:{args.place.partition}:iam::aws:policy/AmazonEKSClusterPolicy"],
            ),
            opts=pulumi.ResourceOptions(parent=self),
        )
        cluster = aws.eks.Cluster(
            name,
            name=identifier,
            version=settings.version,
            role_arn=role.arn,
            vpc_config={
                "subnet_ids": list(args.subnet_ids),
                "security_group_ids": [args.security_group_id],
                "endpoint_private_access": True,
                "endpoint_public_access": bool(settings.public_networks),
                "public_access_cidrs": settings.public_networks or None,
            },
            access_config={
                "authentication_mode": "API",
                "bootstrap_cluster_creator_admin_permissions": False,
            },
            encryption_config={
                "provider": {"key_arn": args.cluster_key_arn},
                "resources": ["secrets"],
            },
            enabled_cluster_log_types=list(LOGS),
            upgrade_policy={"support_type": "STANDARD"},
            # The balancers and the traffic between pods can leave a zone that ails.
            zonal_shift_config={"enabled": True},
            bootstrap_self_managed_addons=False,
            deletion_protection=args.lifetime.protected,
            tags=self._tags,
            # EKS would make the log group itself on the first line: unencrypted and kept for ever.
            opts=holding_data(
                self, lifetime=args.lifetime, depends_on=[self._log_group(name, identifier), *role.ready]
            ),
        )
        self.name, self.endpoint = cluster.name, cluster.endpoint
        self.certificate_authority = cluster.certificate_authority.data
        for role_name in settings.admin_roles:
            self._let_in(role_name, "AmazonEKSClusterAdminPolicy")
        for role_name in settings.viewer_roles:
            # Everything but secrets.
            self._let_in(role_name, "AmazonEKSViewPolicy")
        self.register_outputs({"name": self.name, "endpoint": self.endpoint})

    def _log_group(self, name: str, identifier: str) -> aws.cloudwatch.LogGroup:
        return aws.cloudwatch.LogGroup(
            name,
            name=f"/aws/eks/{identifier}/cluster",
            retention_in_days=self._args.settings.log_retention_days,
            kms_key_id=self._args.logs_key_arn,
            tags=self._tags,
            opts=holding_data(self, lifetime=self._args.lifetime),
        )

    def _let_in(self, role_name: str, policy: str) -> None:
        """Give a role of this account, named without its ARN, one of the policies that EKS knows for people."""
        place = self._args.place
        # The stack is in the name of its own roles, and has no place in that of a resource.
        name = role_name.removeprefix(self._args.names.of(""))
        entry = aws.eks.AccessEntry(
            name,
            cluster_name=self.name,
            principal_arn=f"arn:{place.partition}:iam::{place.account_id}:role/{role_name}",
            type="STANDARD",
            tags=self._tags,
            opts=pulumi.ResourceOptions(parent=self),
        )
        aws.eks.AccessPolicyAssociation(
            name,
            cluster_name=self.name,
            principal_arn=entry.principal_arn,
            policy_arn=f"arn:{place.partition}:eks::aws:cluster-access-policy/{policy}",
            access_scope={"type": "cluster"},
            opts=pulumi.ResourceOptions(parent=self),
        )


def _trust(place: Place, cluster: str) -> Statement:
    """EKS, for this cluster alone.

    Source: Amazon EKS User Guide, "Cross-service confused deputy prevention in Amazon EKS".
    """
    arn = f"arn:{place.partition}:eks:{place.region}:{place.account_id}:cluster/{cluster}"
    return {
        "Sid": "AssumedByTheControlPlane",
        "Effect": "Allow",
        "Principal": {"Service": "eks.amazonaws.com"},
        "Action": "sts:AssumeRole",
        "Condition": {
            "StringEquals": {"aws:SourceAccount": place.account_id},
            "ArnLike": {"aws:SourceArn": arn},
        },
    }
