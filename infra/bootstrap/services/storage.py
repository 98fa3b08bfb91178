"""Buckets, and the keys of every class of data."""

from collections.abc import Mapping

from infra.bootstrap.services.grant import Grant, Service

_OF_THE_STACK = {"StringEquals": {"aws:ResourceTag/stack": "{stack}"}}
_KEYS = ("arn:{partition}:kms:*:{account}:key/*",)
_BUCKETS = ("arn:{partition}:s3:::vanta-{stack}-*",)

SERVICES: Mapping[str, Service] = {
    "s3": Service(
        reads=(
            "GetAccelerateConfiguration",
            "GetBucket*",
            "GetEncryptionConfiguration",
            "GetInventoryConfiguration",
            "GetLifecycleConfiguration",
            "GetMetricsConfiguration",
            "GetReplicationConfiguration",
            "ListBucket",
            "ListTagsForResource",
        ),
        read_from=_BUCKETS,
        changes=(
            Grant(
                sid="BucketsMade",
                need="archive, audit and their logs, as empty buckets and what is configured on them; no object",
                actions=(
                    "CreateBucket",
                    "DeleteBucket",
                    "DeleteBucketPolicy",
                    "PutBucketLogging",
                    "PutBucketObjectLockConfiguration",
                    "PutBucketOwnershipControls",
                    "PutBucketPolicy",
                    "PutBucketPublicAccessBlock",
                    "PutBucketTagging",
                    "PutBucketVersioning",
                    "PutEncryptionConfiguration",
                    "PutInventoryConfiguration",
                    "PutLifecycleConfiguration",
                    "PutMetricsConfiguration",
                    "PutReplicationConfiguration",
                    "TagResource",
                    "UntagResource",
                ),
                resources=_BUCKETS,
            ),
        ),
        emptying=(
            Grant(
                sid="BucketsEmptied",
                need="a throw-away stack takes its objects along",
                actions=("DeleteObject", "DeleteObjectVersion", "ListBucketVersions"),
                resources=_BUCKETS,
            ),
        ),
        passed_to=("s3.amazonaws.com",),
    ),
    "kms": Service(
        reads=("DescribeKey", "GetKeyPolicy", "GetKeyRotationStatus", "List*"),
        changes=(
            Grant(
                sid="KeysMade",
                need="each class of data has a key, which carries the stack's tag from its first moment",
                actions=("CreateKey", "TagResource"),
                condition={"StringEquals": {"aws:RequestTag/stack": "{stack}"}},
            ),
            Grant(
                sid="KeysKept",
                need="keys of the stack rotate, change and are scheduled for deletion",
                actions=(
                    "CreateAlias",
                    "DeleteAlias",
                    "DisableKey",
                    "DisableKeyRotation",
                    "EnableKey",
                    "EnableKeyRotation",
                    "PutKeyPolicy",
                    "ReplicateKey",
                    "ScheduleKeyDeletion",
                    "TagResource",
                    "UntagResource",
                    "UpdateAlias",
                    "UpdateKeyDescription",
                    "UpdatePrimaryRegion",
                ),
                resources=_KEYS,
                condition=_OF_THE_STACK,
            ),
            Grant(
                sid="KeysNamed",
                need="aliases are authorised besides the key that they name",
                actions=("CreateAlias", "DeleteAlias", "UpdateAlias"),
                resources=("arn:{partition}:kms:*:{account}:alias/vanta-{stack}-*",),
            ),
            Grant(
                sid="KeysUsedThroughServices",
                need="whoever makes an encrypted secret or database is asked for its key, by the service alone",
                actions=("Decrypt", "Encrypt", "GenerateDataKey*"),
                resources=_KEYS,
                condition={**_OF_THE_STACK, "Null": {"kms:ViaService": "false"}},
            ),
            Grant(
                sid="KeysLentToServices",
                need="a database and a cache keep their storage open with a grant",
                actions=("CreateGrant",),
                resources=_KEYS,
                condition={**_OF_THE_STACK, "Bool": {"kms:GrantIsForAWSResource": "true"}},
            ),
            Grant(
                sid="ClusterKeyLentToEks",
                # Amazon EKS User Guide, "Encrypt Kubernetes secrets with KMS": CreateCluster asks without that condition.
                need="a cluster encrypts its secrets with a grant that its maker gives it",
                actions=("CreateGrant",),
                resources=_KEYS,
                condition={
                    **_OF_THE_STACK,
                    "ForAnyValue:StringEquals": {"kms:ResourceAliases": "alias/vanta-{stack}-cluster"},
                },
            ),
        ),
    ),
}
