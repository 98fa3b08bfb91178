"""What the emulator's replication leaves out: a copy is encrypted with the key that its rule names, and locked as its original is."""

from collections.abc import Callable
from typing import Any

from local.aws.internals import S3Answer, buckets, replication_rule, s3

WRITERS = ("_put_object", "_copy_object", "_complete_multipart_upload")
LOCKS = ("_object_retention", "_object_legal_hold")
_ENCRYPTION = "x-amz-server-side-encryption"


def install() -> None:
    """Stand between the emulator's writes and its copies; locks have their stores already."""
    inside = vars(s3)
    inside["_maybe_replicate"] = _encrypting(inside["_maybe_replicate"])
    for name in WRITERS:
        inside[name] = _locking(inside[name])


def _encrypting(handler: Callable[..., None]) -> Callable[..., None]:
    """The copy is made from the original's record, which for so long names the key of the copy."""

    def replicate(
        bucket: str, key: str, record: dict[str, Any], data: Any, tags: dict[str, str] | None = None
    ) -> None:
        rule, _ = replication_rule(bucket, key, tags)
        kms_key = _kms_key(rule)
        own = record["preserved_headers"]
        if kms_key:
            named = {_ENCRYPTION: "aws:kms", f"{_ENCRYPTION}-aws-kms-key-id": kms_key}
            record["preserved_headers"] = {**own, **named}
        try:
            handler(bucket, key, record, data, tags)
        finally:
            record["preserved_headers"] = own

    return replicate


def _kms_key(rule: dict[str, Any] | None) -> str | None:
    """The key that a rule names for copies, if any."""
    destination = (rule or {}).get("Destination", {})
    return destination.get("EncryptionConfiguration", {}).get("ReplicaKmsKeyID")


def _locking(handler: Callable[..., S3Answer]) -> Callable[..., S3Answer]:
    """The original's lock is known only after it was copied."""

    def write_object(bucket: str, key: str, *request: Any) -> S3Answer:
        answer = handler(bucket, key, *request)
        written = (buckets.get(bucket) or {}).get("objects", {}).get(key)
        if answer[0] == 200 and written and "_replica" in written:
            copy_bucket, copy_version, _ = written["_replica"]
            for name in LOCKS:
                store = vars(s3)[name]
                if lock := store.get((bucket, key, written.get("version_id"))):
                    store[copy_bucket, key, copy_version] = lock
        return answer

    return write_object
