"""Who a pod is to AWS: a service account of one cluster, and the role that it and nobody else takes."""

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from infra.aws.place import Place
from infra.aws.policy_document import Statement
from infra.aws.service_role import ServiceRole, ServiceRoleArgs
from infra.names import Names


@dataclass(frozen=True, kw_only=True)
class ServiceAccount:
    """A service account of Kubernetes."""

    namespace: str
    name: str


def trust(place: Place, cluster: str, account: ServiceAccount) -> Statement:
    """EKS itself, for pods of one service account of one cluster; it tags its sessions with all three.

    Source: Amazon EKS User Guide, "Create IAM role with trust policy required by EKS Pod Identity".
    """
    return {
        "Sid": "AssumedByPods",
        "Effect": "Allow",
        "Principal": {"Service": "pods.eks.amazonaws.com"},
        "Action": ["sts:AssumeRole", "sts:TagSession"],
        "Condition": {
            "StringEquals": {
                "aws:SourceAccount": place.account_id,
                "aws:RequestTag/eks-cluster-name": cluster,
                "aws:RequestTag/kubernetes-namespace": account.namespace,
                "aws:RequestTag/kubernetes-service-account": account.name,
            }
        },
    }


def pod_role(
    name: str,
    *,
    names: Names,
    place: Place,
    cluster_name: pulumi.Input[str],
    account: ServiceAccount,
    description: str,
    statements: Sequence[Statement],
    parent: pulumi.Resource,
) -> ServiceRole:
    """A role for the service account's pods of the stack's cluster; neither has to exist in the cluster yet."""
    role = ServiceRole(
        name,
        ServiceRoleArgs(
            names=names,
            description=description,
            trust=trust(place, names.of("cluster"), account),
            statements=statements,
        ),
        opts=pulumi.ResourceOptions(parent=parent),
    )
    aws.eks.PodIdentityAssociation(
        name,
        cluster_name=cluster_name,
        namespace=account.namespace,
        service_account=account.name,
        role_arn=role.arn,
        tags=names.tags(layer="foundation", classification="internal", name=name),
        opts=pulumi.ResourceOptions(parent=parent, depends_on=role.ready),
    )
    return role
