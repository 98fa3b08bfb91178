"""What the buckets of the state refuse, whatever a role's own policy says."""

from typing import Any

from infra.aws.policy_document import document
from infra.bootstrap.plan import Plan
from infra.names import PROJECT

# What would take the state, its past or its protection away.
PROTECTED = [
    "s3:BypassGovernanceRetention",
    "s3:DeleteBucket",
    "s3:DeleteBucketPolicy",
    "s3:DeleteObjectVersion",
    "s3:PutBucketLogging",
    "s3:PutBucketOwnershipControls",
    "s3:PutBucketPolicy",
    "s3:PutBucketPublicAccessBlock",
    "s3:PutBucketVersioning",
    "s3:PutEncryptionConfiguration",
    "s3:PutLifecycleConfiguration",
    "s3:PutReplicationConfiguration",
]


def state(plan: Plan, region: str, key_arn: str) -> dict[str, Any]:
    """The policy of the state's bucket in ``region``.

    Source: Amazon S3 User Guide, "Examples of Amazon S3 bucket policies".
    """
    arn = plan.bucket_arn(region)
    return document(
        _tls_only(arn),
        # Its key's policy says for which stack a secret may be decrypted; another key's would not.
        _only(arn, "EncryptedByKms", "s3:x-amz-server-side-encryption", "aws:kms"),
        _only(arn, "EncryptedByItsKey", "s3:x-amz-server-side-encryption-aws-kms-key-id", key_arn),
        _of_the_account(plan, arn),
        _kept_from_deployments(plan, arn),
    )


def logs(plan: Plan, region: str) -> dict[str, Any]:
    """The policy of the log's bucket in ``region``: S3 writes there, for the state's bucket alone."""
    arn = f"arn:{plan.partition}:s3:::{plan.logs(region)}"
    return document(
        _tls_only(arn),
        {
            "Sid": "WrittenByLogDelivery",
            "Effect": "Allow",
            "Principal": {"Service": "logging.s3.amazonaws.com"},
            "Action": "s3:PutObject",
            "Resource": f"{arn}/{plan.bucket(region)}/*",
            "Condition": {
                "ArnLike": {"aws:SourceArn": plan.bucket_arn(region)},
                "StringEquals": {"aws:SourceAccount": plan.account},
            },
        },
        _kept_from_deployments(plan, arn),
    )


def _tls_only(arn: str) -> dict[str, Any]:
    return {
        "Sid": "ReachedByTlsAlone",
        "Effect": "Deny",
        "Principal": {"AWS": "*"},
        "Action": "s3:*",
        "Resource": [arn, f"{arn}/*"],
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }


def _only(arn: str, sid: str, header: str, value: str) -> dict[str, Any]:
    """A write may leave a header to the bucket's default, but not name another value."""
    return {
        "Sid": sid,
        "Effect": "Deny",
        "Principal": {"AWS": "*"},
        "Action": "s3:PutObject",
        "Resource": f"{arn}/*",
        "Condition": {"Null": {header: "false"}, "StringNotEquals": {header: value}},
    }


def _of_the_account(plan: Plan, arn: str) -> dict[str, Any]:
    return {
        "Sid": "UsedByTheAccountAlone",
        "Effect": "Deny",
        "Principal": {"AWS": "*"},
        "Action": "s3:*",
        "Resource": [arn, f"{arn}/*"],
        "Condition": {
            "StringNotEquals": {"aws:PrincipalAccount": plan.account},
            "Bool": {"aws:PrincipalIsAWSService": "false"},
        },
    }


def _kept_from_deployments(plan: Plan, arn: str) -> dict[str, Any]:
    """Whatever a deployment grants itself, the past of the state stays."""
    return {
        "Sid": "KeptFromDeployments",
        "Effect": "Deny",
        "Principal": {"AWS": "*"},
        "Action": PROTECTED,
        "Resource": [arn, f"{arn}/*"],
        "Condition": {"ArnLike": {"aws:PrincipalArn": plan.iam(f"role/{PROJECT}-*")}},
    }
