"""What may be asked for through each endpoint: so that nobody carries data out through it to another account.

An endpoint's policy grants nothing; it bounds what IAM and the policies of the resources allow.
"""

from collections.abc import Sequence
from typing import Any

from infra.aws.place import Place
from infra.aws.policy_document import Statement, document

PULL = [
    "ecr:BatchCheckLayerAvailability",
    "ecr:BatchGetImage",
    "ecr:BatchImportUpstreamImage",
    "ecr:GetAuthorizationToken",
    "ecr:GetDownloadUrlForLayer",
]
# AWS Managed Policy Reference, AmazonEKS_CNI_Policy and AmazonEBSCSIDriverPolicy: what the add-ons of those names change.
INTERFACES = [
    "ec2:AssignPrivateIpAddresses",
    "ec2:AttachNetworkInterface",
    "ec2:CreateNetworkInterface",
    "ec2:DeleteNetworkInterface",
    "ec2:DetachNetworkInterface",
    "ec2:ModifyNetworkInterfaceAttribute",
    "ec2:UnassignPrivateIpAddresses",
]
VOLUMES = [
    "ec2:AttachVolume",
    "ec2:CreateSnapshot",
    "ec2:CreateTags",
    "ec2:CreateVolume",
    "ec2:DeleteSnapshot",
    "ec2:DeleteTags",
    "ec2:DeleteVolume",
    "ec2:DetachVolume",
    "ec2:ModifyVolume",
]


def s3_policy(place: Place, prefix: str) -> dict[str, Any]:
    """The gateway of S3: the buckets that begin with ``prefix``, in this account, and the layers of images.

    Source: Amazon ECR User Guide, "Minimum Amazon S3 bucket permissions for Amazon ECR".
    """
    s3 = f"arn:{place.partition}:s3:::"
    own: Statement = {
        "Sid": "OwnBuckets",
        "Effect": "Allow",
        "Principal": "*",
        "Action": ["s3:AbortMultipartUpload", "s3:DeleteObject*", "s3:Get*", "s3:List*", "s3:PutObject*"],
        "Resource": f"{s3}{prefix}*",
        # A bucket's name proves nothing about whose it is.
        "Condition": {"StringEquals": {"aws:ResourceAccount": place.account_id}},
    }
    layers: Statement = {
        "Sid": "ImageLayers",
        "Effect": "Allow",
        "Principal": "*",
        "Action": "s3:GetObject",
        "Resource": f"{s3}prod-{place.region}-starport-layer-bucket/*",
    }
    return document(own, layers)


def interface_policies(place: Place, prefix: str) -> dict[str, dict[str, Any]]:
    """From service to policy: what nodes pull, and what the app calls on resources that begin with ``prefix``."""

    def arn(service: str, resource: str) -> str:
        return f"arn:{place.partition}:{service}:{place.region}:{place.account_id}:{resource}"

    def own(sid: str, actions: Sequence[str], resources: str | Sequence[str]) -> Statement:
        return {
            "Sid": sid,
            "Effect": "Allow",
            "Principal": "*",
            "Action": list(actions),
            "Resource": resources,
            "Condition": {"StringEquals": {"aws:PrincipalAccount": place.account_id}},
        }

    # Images of EKS itself come from accounts of AWS: the principal is bounded, the repository is not.
    pull = own("PullImages", PULL, "*")
    roles = f"arn:{place.partition}:iam::{place.account_id}:role/*"
    web_identity: Statement = {
        # Who asks has a token of the cluster and no account yet.
        "Sid": "AssumeOwnRolesByToken",
        "Effect": "Allow",
        "Principal": "*",
        "Action": "sts:AssumeRoleWithWebIdentity",
        "Resource": roles,
    }
    secrets = [arn("secretsmanager", f"secret:{prefix}*"), arn("secretsmanager", "secret:rds!cluster-*")]
    log_groups = arn("logs", "log-group:*")
    # The repository for what is cached is made by whoever asks for it first.
    fill_cache = own("FillTheCache", ["ecr:CreateRepository"], arn("ecr", f"repository/{prefix}*"))
    # What EC2, load balancing and scaling only describe cannot be limited to a resource.
    describe = own("DescribeNodes", ["ec2:Describe*", "ec2:GetInstanceTypesFromInstanceRequirements"], "*")
    # A snapshot's ARN names no account.
    changed = [arn("ec2", "*"), f"arn:{place.partition}:ec2:{place.region}::snapshot/*"]
    return {
        "ecr.api": document(pull, fill_cache),
        "ecr.dkr": document(pull, fill_cache),
        "ec2": document(describe, own("ChangeVolumesAndAddresses", INTERFACES + VOLUMES, changed)),
        "eks": document(own("DescribeCluster", ["eks:Describe*", "eks:List*"], arn("eks", f"*/{prefix}*"))),
        "eks-auth": document(
            own("GiveRolesToPods", ["eks-auth:AssumeRoleForPodIdentity"], arn("eks", f"cluster/{prefix}*"))
        ),
        "autoscaling": document(
            own("DescribeGroups", ["autoscaling:Describe*"], "*"),
            own(
                "ScaleNodes",
                ["autoscaling:SetDesiredCapacity", "autoscaling:TerminateInstanceInAutoScalingGroup"],
                arn("autoscaling", "autoScalingGroup:*:autoScalingGroupName/eks-*"),
            ),
        ),
        "elasticloadbalancing": document(
            own("DescribeTargets", ["elasticloadbalancing:Describe*"], "*"),
            own(
                "RegisterPods",
                ["elasticloadbalancing:DeregisterTargets", "elasticloadbalancing:RegisterTargets"],
                arn("elasticloadbalancing", "targetgroup/*"),
            ),
        ),
        "sts": document(
            own("AssumeOwnRoles", ["sts:AssumeRole", "sts:TagSession"], roles),
            own("SayWhoOneIs", ["sts:GetCallerIdentity"], "*"),
            web_identity,
        ),
        "secretsmanager": document(
            own("ReadSecrets", ["secretsmanager:DescribeSecret", "secretsmanager:GetSecretValue"], secrets)
        ),
        "kms": document(
            own(
                "UseKeys",
                ["kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey"],
                arn("kms", "key/*"),
            )
        ),
        "logs": document(
            own(
                "WriteLogs",
                [
                    "logs:CreateLogStream",
                    "logs:DescribeLogGroups",
                    "logs:DescribeLogStreams",
                    "logs:PutLogEvents",
                ],
                log_groups,
            )
        ),
        # CloudWatch knows no resource for metrics.
        "monitoring": document(own("WriteMetrics", ["cloudwatch:PutMetricData"], "*")),
    }
