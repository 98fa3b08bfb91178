"""The buckets of the state, one a region: private, encrypted, versioned, and each the other's copy."""

import json
from collections.abc import Callable
from typing import Any

from botocore.exceptions import ClientError

from infra.bootstrap import bucket_policies
from infra.bootstrap.clients import Clients
from infra.bootstrap.ledger import Ledger, canonical
from infra.bootstrap.plan import NONCURRENT_DAYS, REPLICATION_ROLE, Plan
from infra.bootstrap.refusal import BootstrapError, code, found
from infra.bootstrap.tags import LISTED

_PRIVATE = {
    "BlockPublicAcls": True,
    "IgnorePublicAcls": True,
    "BlockPublicPolicy": True,
    "RestrictPublicBuckets": True,
}
# With these S3 says that a configuration was never set.
_UNSET = (
    "NoSuchBucket",
    "NoSuchPublicAccessBlockConfiguration",
    "OwnershipControlsNotFoundError",
    "ServerSideEncryptionConfigurationNotFoundError",
    "NoSuchLifecycleConfiguration",
    "ReplicationConfigurationNotFoundError",
)
_OWNED = {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}


def ensure(clients: Clients, plan: Plan, ledger: Ledger, *, key_id: str) -> None:
    """Make or mend the state's bucket and its log's in both regions.

    Source: Amazon S3 User Guide, "Security best practices for Amazon S3" and "Enabling Amazon S3 server access logging".

    Raises:
        BootstrapError: a bucket's name is taken by another account.
    """
    for region, key_arn in zip(plan.regions, plan.key_arns(key_id), strict=True):
        logs, state = (
            Bucket(clients, plan, ledger, name, region) for name in (plan.logs(region), plan.bucket(region))
        )
        logs.begin()
        # Log delivery writes only where S3's own keys encrypt.
        logs.private({"SSEAlgorithm": "AES256"}, bucket_policies.logs(plan, region))
        logs.forget({"Expiration": {"Days": NONCURRENT_DAYS}})
        state.begin()
        state.private(
            {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key_arn},
            bucket_policies.state(plan, region, key_arn),
        )
        state.versioned()
        state.forget(
            {
                "NoncurrentVersionExpiration": {"NoncurrentDays": NONCURRENT_DAYS},
                # A lock's marker says nothing once the versions under it are gone.
                "Expiration": {"ExpiredObjectDeleteMarker": True},
            }
        )
        state.logged(plan.logs(region))


def ensure_replication(clients: Clients, plan: Plan, ledger: Ledger, *, key_id: str) -> None:
    """Let each of the two buckets copy to the other, deletions of locks included; both have to be versioned already.

    Source: Amazon S3 User Guide, "Replicating encrypted objects" and "Replicating metadata changes with replica
    modification sync".
    """
    arns = dict(zip(plan.regions, plan.key_arns(key_id), strict=True))
    for region in plan.regions:
        other = plan.other(region)
        bucket = Bucket(clients, plan, ledger, plan.bucket(region), region)
        ledger.begin(f"copies from {region} to {other}")
        bucket.copied(_replication(plan, to=other, key_arn=arns[other]))


def _replication(plan: Plan, *, to: str, key_arn: str) -> dict[str, Any]:
    fifteen = {"Minutes": 15}  # the only value that S3 takes
    return {
        "Role": plan.iam(f"role/{REPLICATION_ROLE}"),
        "Rules": [
            {
                "ID": f"to-{to}",
                "Priority": 1,
                "Status": "Enabled",
                "Filter": {"Prefix": ""},
                # A lock that is gone here must not hold the stack there.
                "DeleteMarkerReplication": {"Status": "Enabled"},
                "SourceSelectionCriteria": {
                    "SseKmsEncryptedObjects": {"Status": "Enabled"},
                    "ReplicaModifications": {"Status": "Enabled"},
                },
                "Destination": {
                    "Bucket": plan.bucket_arn(to),
                    "EncryptionConfiguration": {"ReplicaKmsKeyID": key_arn},
                    "ReplicationTime": {"Status": "Enabled", "Time": fifteen},
                    "Metrics": {"Status": "Enabled", "EventThreshold": fifteen},
                },
            }
        ],
    }


class Bucket:
    """One bucket and what hangs on it; each method reads, compares, and writes what differs."""

    def __init__(self, clients: Clients, plan: Plan, ledger: Ledger, name: str, region: str) -> None:
        self._client: Any = clients("s3", region)
        self._plan, self._ledger, self._name, self._region = plan, ledger, name, region
        # Every call names the owner, so that a bucket of the same name in a stranger's hands gets nothing of ours.
        self._whose = {"Bucket": name, "ExpectedBucketOwner": plan.account}

    def begin(self) -> None:
        """Make the bucket if there is none."""
        self._ledger.begin(f"bucket {self._name} in {self._region}")
        try:
            present = found(lambda: self._client.head_bucket(**self._whose), "404", "NoSuchBucket")
        except ClientError as error:
            if code(error) == "403":
                raise self._taken() from None
            raise
        if present is None:
            self._ledger.change("make the bucket", self._make)

    def private(self, encryption: dict[str, str], policy: dict[str, Any]) -> None:
        """Nobody's but the owner's, encrypted, and reached by TLS alone."""
        self._settle(
            "the public access block", "public_access_block", "PublicAccessBlockConfiguration", _PRIVATE
        )
        self._settle("object ownership", "bucket_ownership_controls", "OwnershipControls", _OWNED)
        rules = [{"ApplyServerSideEncryptionByDefault": encryption, "BucketKeyEnabled": True}]
        self._settle(
            "the encryption", "bucket_encryption", "ServerSideEncryptionConfiguration", {"Rules": rules}
        )
        now = found(lambda: self._client.get_bucket_policy(**self._whose), "NoSuchBucketPolicy", *_UNSET)
        self._ledger.settle(
            "the bucket policy",
            current=canonical(now["Policy"]) if now else None,
            wanted=canonical(policy),
            write=lambda: self._client.put_bucket_policy(**self._whose, Policy=json.dumps(policy)),
        )
        tags = found(lambda: self._client.get_bucket_tagging(**self._whose), "NoSuchTagSet", *_UNSET)
        self._ledger.settle(
            "the tags",
            current=sorted(tags["TagSet"], key=str) if tags else None,
            wanted=sorted(LISTED, key=str),
            write=lambda: self._client.put_bucket_tagging(**self._whose, Tagging={"TagSet": LISTED}),
        )

    def versioned(self) -> None:
        """What is overwritten or deleted stays behind as a version."""
        now = found(lambda: self._client.get_bucket_versioning(**self._whose), *_UNSET)
        self._ledger.settle(
            "versioning",
            current=now.get("Status") if now else None,
            wanted="Enabled",
            write=lambda: self._client.put_bucket_versioning(
                **self._whose, VersioningConfiguration={"Status": "Enabled"}
            ),
        )

    def forget(self, expiry: dict[str, Any]) -> None:
        """When old versions, or old logs, go; and what an upload left unfinished."""
        rule = {
            "ID": "forget",
            "Status": "Enabled",
            "Filter": {"Prefix": ""},
            **expiry,
            "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 7},
        }
        self._settle(
            "the lifecycle",
            "bucket_lifecycle_configuration",
            "LifecycleConfiguration",
            {"Rules": [rule]},
            answered=lambda answer: {"Rules": answer["Rules"]},
        )

    def logged(self, target: str) -> None:
        """Where requests to it are written down."""
        wanted = {"LoggingEnabled": {"TargetBucket": target, "TargetPrefix": f"{self._name}/"}}
        now = found(lambda: self._client.get_bucket_logging(**self._whose), *_UNSET)
        self._ledger.settle(
            "access logging",
            current=now if now and "LoggingEnabled" in now else None,
            wanted=wanted,
            write=lambda: self._client.put_bucket_logging(**self._whose, BucketLoggingStatus=wanted),
        )

    def copied(self, replication: dict[str, Any]) -> None:
        """Where its objects are copied to."""
        self._settle("replication", "bucket_replication", "ReplicationConfiguration", replication)

    def _settle(
        self,
        what: str,
        kind: str,
        member: str,
        wanted: dict[str, Any],
        answered: Callable[[dict[str, Any]], Any] | None = None,
    ) -> None:
        """One configuration that ``get_KIND`` answers and ``put_KIND`` takes as ``member``."""
        get, put = (getattr(self._client, f"{verb}_{kind}") for verb in ("get", "put"))
        now = found(lambda: get(**self._whose), *_UNSET)
        pick = answered or (lambda answer: answer[member])
        self._ledger.settle(
            what,
            current=pick(now) if now else None,
            wanted=wanted,
            write=lambda: put(**self._whose, **{member: wanted}),
        )

    def _make(self) -> object:
        # S3 wants its oldest region left out and every other one named.
        where = (
            {}
            if self._region == "us-east-1"
            else {"CreateBucketConfiguration": {"LocationConstraint": self._region}}
        )
        try:
            return self._client.create_bucket(Bucket=self._name, **where)
        except ClientError as error:
            if code(error) == "BucketAlreadyExists":
                raise self._taken() from None
            raise

    def _taken(self) -> BootstrapError:
        return BootstrapError(
            f"The bucket {self._name} is not account {self._plan.account}'s, or these credentials may not see it: names of "
            "buckets are the world's. Use credentials with s3:ListBucket on it; if it is another account's, report that to AWS."
        )
