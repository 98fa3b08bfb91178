"""The add-ons: what makes a cluster of Kubernetes one of AWS, in the versions pinned for it."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_aws as aws

from infra.aws.place import Place
from infra.aws.pod_identity import ServiceAccount, trust
from infra.aws.policy_document import Statement
from infra.aws.service_role import ServiceRole, ServiceRoleArgs
from infra.names import Names

# Nodes are not ready before these run on them; the others need nodes to run on.
ON_EVERY_NODE = ("vpc-cni", "kube-proxy", "eks-pod-identity-agent")
ON_ANY_NODE = ("coredns", "aws-ebs-csi-driver", "metrics-server")
# Amazon EKS User Guide, "Assign more IP addresses to Amazon EKS nodes with prefixes" and "Limit Pod traffic with
# Kubernetes network policies".
_CONFIGURATION: dict[str, dict[str, Any]] = {
    "vpc-cni": {
        "env": {"ENABLE_PREFIX_DELEGATION": "true", "WARM_PREFIX_TARGET": "1"},
        "enableNetworkPolicy": "true",
    },
}
# Amazon EKS User Guide, "AWS add-ons": the service account of each that calls AWS, and the policy it needs.
_ACCOUNTS = {"vpc-cni": "aws-node", "aws-ebs-csi-driver": "ebs-csi-controller-sa"}
_POLICIES = {
    "vpc-cni": "AmazonEKS_CNI_Policy",
    "aws-ebs-csi-driver": "service-role/AmazonEBSCSIDriverPolicy",
}
_NAMESPACE = "kube-system"


@dataclass(frozen=True, kw_only=True)
class AddonsArgs:
    """Inputs of :class:`Addons`; ``versions`` by name of the add-on, all that it makes."""

    names: Names
    place: Place
    cluster: str
    cluster_name: pulumi.Input[str]
    cluster_key_arn: pulumi.Input[str]
    versions: Mapping[str, str]
    depends_on: Sequence[pulumi.Resource] = ()


class Addons(pulumi.ComponentResource):
    """Add-ons that EKS installs and keeps as configured.

    Produces an ``Addon`` each, and for those that call AWS a :class:`ServiceRole` that only their own pods can take, so
    that nodes need no rights of theirs.

    Source: Amazon EKS User Guide, "Amazon EKS add-ons" and "Use Pod Identities to assign an IAM role to an Amazon EKS
    add-on".
    """

    installed: Sequence[aws.eks.Addon]

    def __init__(self, name: str, args: AddonsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("vanta:aws:Addons", name, None, opts)
        self._args = args
        self.installed = [self._addon(addon, version) for addon, version in args.versions.items()]
        self.register_outputs({})

    def _addon(self, addon: str, version: str) -> aws.eks.Addon:
        args = self._args
        configuration = _CONFIGURATION.get(addon)
        role = self._role(addon, _ACCOUNTS[addon]) if addon in _ACCOUNTS else None
        return aws.eks.Addon(
            addon,
            cluster_name=args.cluster_name,
            addon_name=addon,
            addon_version=version,
            configuration_values=json.dumps(configuration) if configuration else None,
            pod_identity_associations=[{"role_arn": role.arn, "service_account": _ACCOUNTS[addon]}]
            if role
            else None,
            # What somebody changed inside the cluster behind the program's back goes back to what is reviewed.
            resolve_conflicts_on_create="OVERWRITE",
            resolve_conflicts_on_update="OVERWRITE",
            tags=args.names.tags(layer="foundation", classification="internal", name=addon),
            opts=pulumi.ResourceOptions(
                parent=self, depends_on=[*(role.ready if role else ()), *args.depends_on]
            ),
        )

    def _role(self, addon: str, account: str) -> ServiceRole:
        args = self._args
        return ServiceRole(
            addon,
            ServiceRoleArgs(
                names=args.names,
                description=f"What the add-on {addon} calls of AWS",
                trust=trust(args.place, args.cluster, ServiceAccount(namespace=_NAMESPACE, name=account)),
                managed=[f"arn:{args.place.partition}:iam::aws:policy/{_POLICIES[addon]}"],
                statements=_volumes(args.cluster_key_arn) if addon == "aws-ebs-csi-driver" else (),
            ),
            opts=pulumi.ResourceOptions(parent=self),
        )


def _volumes(key_arn: pulumi.Input[str]) -> list[Statement]:
    """The use of the key of volumes, which is none that AWS manages.

    Source: Amazon EKS User Guide, "Store Kubernetes volumes with Amazon EBS".
    """
    return [
        {
            "Sid": "EncryptVolumes",
            "Effect": "Allow",
            "Action": [
                "kms:Decrypt",
                "kms:DescribeKey",
                "kms:Encrypt",
                "kms:GenerateDataKey*",
                "kms:ReEncrypt*",
            ],
            "Resource": key_arn,
        },
        {
            "Sid": "KeepVolumesOpen",
            "Effect": "Allow",
            "Action": "kms:CreateGrant",
            "Resource": key_arn,
            "Condition": {"Bool": {"kms:GrantIsForAWSResource": "true"}},
        },
    ]
