"""The replication of one bucket into another region's, and the alarms that say when it falls behind."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_aws as aws

from infra.aws.alarms import Alarm
from infra.aws.bucket import PrivateBucket
from infra.aws.policy_document import Statement
from infra.aws.service_role import ServiceRole, ServiceRoleArgs

# Amazon S3 User Guide, "Meeting compliance requirements with S3 Replication Time Control": the only value it offers.
MINUTES = 15
# Ours: what a thousand writes a second leave behind in ten seconds; replication takes seconds.
PENDING_OPERATIONS = 10_000


@dataclass(frozen=True, kw_only=True)
class ReplicationArgs:
    """Inputs of :class:`Replication`; ``ready`` is what has to be in place before anything is copied.

    With ``deletions`` a delete marker is copied too, and hides the copy; the deletion of a version never is.
    """

    source: PrivateBucket
    destination: PrivateBucket
    deletions: bool
    ready: Sequence[pulumi.Resource] = ()


class Replication(pulumi.ComponentResource):
    """Every new object of a bucket, with its tags and locks, in the bucket of another region within 15 minutes.

    Objects are decrypted with the key of their own region and encrypted with that of the other: S3 treats multi-Region
    keys as if they were of one region. What was written before replication began is not copied (S3 Batch Replication
    can). Lifecycle rules work in each bucket for itself.

    Produces the :class:`ServiceRole` of S3 and ``BucketReplicationConfig``.

    Source: Amazon S3 User Guide, "Setting up permissions for live replication", "Replicating encrypted objects",
    "Object Lock considerations" and "Replicating metadata changes with replica modification sync".
    """

    def __init__(self, name: str, args: ReplicationArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("vanta:aws:Replication", name, None, opts)
        source, destination = args.source, args.destination
        names = source.args.names

        role = ServiceRole(
            name,
            ServiceRoleArgs(
                names=names,
                description=f"S3 copies {source.physical_name} to {destination.physical_name}",
                trust=_ASSUMED_BY_S3,
                statements=permissions(args),
            ),
            opts=pulumi.ResourceOptions(parent=self),
        )
        aws.s3.BucketReplicationConfig(
            name,
            region=names.region,
            bucket=source.name,
            role=role.arn,
            rules=[
                {
                    "id": rule_id(destination),
                    "status": "Enabled",
                    "priority": 1,
                    "filter": {"prefix": ""},
                    "delete_marker_replication": {"status": "Enabled" if args.deletions else "Disabled"},
                    "source_selection_criteria": {
                        "sse_kms_encrypted_objects": {"status": "Enabled"},
                        # A tag or a longer lock that is set on a copy reaches its original: either may be written to.
                        "replica_modifications": {"status": "Enabled"},
                    },
                    "destination": {
                        "bucket": destination.arn,
                        "encryption_configuration": {"replica_kms_key_id": _key(destination)},
                        "replication_time": {"status": "Enabled", "time": {"minutes": MINUTES}},
                        "metrics": {"status": "Enabled", "event_threshold": {"minutes": MINUTES}},
                    },
                }
            ],
            # S3 refuses to copy between buckets that are not versioned, and fails what it may not read.
            opts=pulumi.ResourceOptions(
                parent=self, depends_on=[source.versioning, destination.versioning, *role.ready, *args.ready]
            ),
        )
        self.register_outputs({})


# Only the account that owns the role can give it to a bucket, so that nobody else's bucket can use it.
_ASSUMED_BY_S3: Statement = {
    "Sid": "AssumedByS3",
    "Effect": "Allow",
    "Principal": {"Service": "s3.amazonaws.com"},
    "Action": "sts:AssumeRole",
}


def permissions(args: ReplicationArgs) -> list[Statement]:
    """What S3 needs to copy from the one bucket to the other, and nothing in any other bucket.

    The encryption context is the bucket where a bucket key is used, and the object where not.
    """
    source, destination = args.source, args.destination
    locks = ["s3:GetObjectRetention", "s3:GetObjectLegalHold"] if source.args.object_lock else []
    deletions = ["s3:ReplicateDelete"] if args.deletions else []
    statements: list[tuple[str, list[str], Any]] = [
        ("ReadTheRules", ["s3:GetReplicationConfiguration", "s3:ListBucket"], source.arn),
        (
            "ReadTheOriginals",
            [
                "s3:GetObjectVersionAcl",
                "s3:GetObjectVersionForReplication",
                "s3:GetObjectVersionTagging",
                *locks,
            ],
            _objects(source),
        ),
        ("WriteTheCopies", ["s3:ReplicateObject", "s3:ReplicateTags", *deletions], _objects(destination)),
    ]
    return [
        {"Sid": sid, "Effect": "Allow", "Action": actions, "Resource": resource}
        for sid, actions, resource in statements
    ] + [
        _cryptography("DecryptTheOriginals", ["kms:Decrypt"], source),
        # Decrypt is how S3 checks its bucket key before it uses it.
        _cryptography("EncryptTheCopies", ["kms:Decrypt", "kms:Encrypt"], destination),
    ]


def alarms_at_source(source: PrivateBucket, destination: PrivateBucket) -> list[Alarm]:
    """The alarms on what S3 tells in the region of the source: that something was not copied at all.

    Source: Amazon S3 User Guide, "Using S3 Replication metrics", as for those of the destination.
    """
    return [
        Alarm(
            noun=f"{_noun(source, destination)}-failed",
            description="Objects were not copied to the other region, and will not be by themselves",
            namespace="AWS/S3",
            metric="OperationsFailedReplication",
            unit="count",
            dimensions=_dimensions(source, destination),
            above=0,
            minutes=1,
        )
    ]


def alarms_at_destination(source: PrivateBucket, destination: PrivateBucket) -> list[Alarm]:
    """The alarms on what S3 tells in the region of the destination: that copies are late."""
    noun, dimensions = _noun(source, destination), _dimensions(source, destination)
    return [
        Alarm(
            noun=f"{noun}-latency",
            description="The copies in this region are older than replication promises",
            namespace="AWS/S3",
            metric="ReplicationLatency",
            unit="s",
            dimensions=dimensions,
            above=MINUTES * 60,
        ),
        Alarm(
            noun=f"{noun}-pending",
            description="More is written than is copied to this region",
            namespace="AWS/S3",
            metric="OperationsPendingReplication",
            unit="count",
            dimensions=dimensions,
            above=PENDING_OPERATIONS,
        ),
    ]


def rule_id(destination: PrivateBucket) -> str:
    """What the only rule of a source is called, in its configuration and in its metrics."""
    return f"to-{destination.args.names.region}"


def _noun(source: PrivateBucket, destination: PrivateBucket) -> str:
    return f"{source.noun}-{rule_id(destination)}"


def _dimensions(source: PrivateBucket, destination: PrivateBucket) -> dict[str, str]:
    return {
        "SourceBucket": source.physical_name,
        "DestinationBucket": destination.physical_name,
        "RuleId": rule_id(destination),
    }


def _key(bucket: PrivateBucket) -> pulumi.Input[str]:
    if bucket.args.kms_key_arn is None:
        raise ValueError(f"{bucket.label} has no key of its own")
    return bucket.args.kms_key_arn


def _objects(bucket: PrivateBucket) -> pulumi.Output[str]:
    return bucket.arn.apply(lambda arn: f"{arn}/*")


def _cryptography(sid: str, actions: list[str], bucket: PrivateBucket) -> Statement:
    return {
        "Sid": sid,
        "Effect": "Allow",
        "Action": actions,
        "Resource": _key(bucket),
        "Condition": {
            "StringEquals": {"kms:ViaService": f"s3.{bucket.args.names.region}.amazonaws.com"},
            "StringLike": {"kms:EncryptionContext:aws:s3:arn": [bucket.arn, _objects(bucket)]},
        },
    }
