"""What may be asked for through each endpoint: so that nobody carries data out through it to another account.

An endpoint's policy grants nothing; it bounds what IAM and the policies of the resources allow.
"""

from collections.abc import Sequence
from typing import Any

from infra.aws.place import Place

Statement = dict[str, Any]

PULL = [
    "ecr:BatchCheckLayerAvailability",
    "ecr:BatchGetImage",
    "ecr:BatchImportUpstreamImage",
    "ecr:GetAuthorizationToken",
    "ecr:GetDownloadUrlForLayer",
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
    return _policy(own, layers)


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
    return {
        "ecr.api": _policy(pull),
        "ecr.dkr": _policy(pull),
        "sts": _policy(
            own("AssumeOwnRoles", ["sts:AssumeRole", "sts:TagSession"], roles),
            own("SayWhoOneIs", ["sts:GetCallerIdentity"], "*"),
            web_identity,
        ),
        "secretsmanager": _policy(
            own("ReadSecrets", ["secretsmanager:DescribeSecret", "secretsmanager:GetSecretValue"], secrets)
        ),
        "kms": _policy(
            own("UseKeys", ["kms:Decrypt", "kms:DescribeKey", "kms:GenerateDataKey"], arn("kms", "key/*"))
        ),
        "logs": _policy(
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
        "monitoring": _policy(own("WriteMetrics", ["cloudwatch:PutMetricData"], "*")),
    }


def _policy(*statements: Statement) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": list(statements)}
