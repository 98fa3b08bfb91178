"""The scaling of nodes: the role of the autoscaler, which adds nodes for pods that wait and takes away idle ones."""

from infra.aws.place import Place
from infra.aws.pod_identity import ServiceAccount
from infra.aws.policy_document import Statement

AUTOSCALER = ServiceAccount(namespace="kube-system", name="cluster-autoscaler")
# Amazon EKS User Guide, "Managed node groups concepts": the tags that EKS gives the groups behind its node groups.
_TAG = "aws:ResourceTag/k8s.io/cluster-autoscaler"


def scale_nodes(place: Place, cluster: str) -> list[Statement]:
    """What the autoscaler looks at, and the groups of this cluster that it changes.

    Source: Kubernetes autoscaler, "Cluster Autoscaler on AWS", full features policy.
    """

    def arn(service: str, resource: str) -> str:
        return f"arn:{place.partition}:{service}:{place.region}:{place.account_id}:{resource}"

    return [
        {
            # Neither service can limit what it only describes to one resource.
            "Sid": "LookAtNodes",
            "Effect": "Allow",
            "Action": [
                "autoscaling:DescribeAutoScalingGroups",
                "autoscaling:DescribeAutoScalingInstances",
                "autoscaling:DescribeLaunchConfigurations",
                "autoscaling:DescribeScalingActivities",
                "ec2:DescribeImages",
                "ec2:DescribeInstanceTypes",
                "ec2:DescribeLaunchTemplateVersions",
                "ec2:GetInstanceTypesFromInstanceRequirements",
            ],
            "Resource": "*",
        },
        {
            "Sid": "LookAtNodeGroups",
            "Effect": "Allow",
            "Action": "eks:DescribeNodegroup",
            "Resource": arn("eks", f"nodegroup/{cluster}/*"),
        },
        {
            "Sid": "ScaleItsOwnNodes",
            "Effect": "Allow",
            "Action": [
                "autoscaling:SetDesiredCapacity",
                "autoscaling:TerminateInstanceInAutoScalingGroup",
            ],
            "Resource": arn("autoscaling", "autoScalingGroup:*:autoScalingGroupName/eks-*"),
            "Condition": {"StringEquals": {f"{_TAG}/enabled": "true", f"{_TAG}/{cluster}": "owned"}},
        },
    ]
