"""S3 buckets and the configurations that hang on them."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from local.provider.aws.types import Call, Params, ResourceType
from local.provider.values import Properties

_IDENTITY = {"Bucket": "bucket"}


def _location(state: Properties) -> Params:
    """S3 wants its oldest region left out and every other one named."""
    region = state.get("region", "us-east-1")
    return {} if region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": region}}


def _configuration(
    token: str,
    kind: str,
    names: Mapping[str, str],
    *,
    fixed: Params | None = None,
    reset: Params | None = None,
    unless: frozenset[str] = frozenset(),
    answer: str = "@",
) -> ResourceType:
    """What ``put_KIND`` sets and ``get_KIND`` tells; ``delete_KIND`` removes it, or ``reset`` puts it back where S3 has no deletion."""
    put = Call(operation=f"put_{kind}", whole=True, further=lambda _: fixed or {})
    back: dict[str, Any] = {"operation": f"delete_{kind}", "takes": frozenset[str](), "unless": unless}
    if reset is not None:
        back |= {"operation": f"put_{kind}", "further": lambda _: reset}
    return ResourceType(
        token=f"aws:s3/{token[0].lower()}{token[1:]}:{token}",
        service="s3",
        create=put,
        updates=(put,),
        read=Call(operation=f"get_{kind}"),
        answer=answer,
        delete=(Call(**back),),
        identity=_IDENTITY,
        id="input.bucket",
        names=names,
    )


def _public_access_block() -> ResourceType:
    entry = _configuration(
        "BucketPublicAccessBlock",
        "public_access_block",
        {
            name: f"PublicAccessBlockConfiguration.{name[0].upper()}{name[1:]}"
            for name in ("blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets")
        },
    )
    return replace(entry, unsent=frozenset({"skipDestroy"}))


_INVENTORY = Call(
    operation="put_bucket_inventory_configuration",
    whole=True,
    further=lambda state: {"InventoryConfiguration": {"IsEnabled": state.get("enabled", True)}},
)

TYPES = (
    ResourceType(
        token="aws:s3/bucket:Bucket",
        service="s3",
        create=Call(
            operation="create_bucket", takes=frozenset({"bucket", "objectLockEnabled"}), further=_location
        ),
        updates=(Call(operation="put_bucket_tagging", takes=frozenset({"tags"}), whole=True),),
        # HeadBucket answers with headers alone; that it answers is what it says.
        read=Call(operation="head_bucket"),
        answer="{Bucket: '$id'}",
        delete=(Call(operation="delete_bucket", takes=frozenset()),),
        identity=_IDENTITY,
        id="input.bucket",
        names={"objectLockEnabled": "ObjectLockEnabledForBucket", "tags": "Tagging.TagSet"},
        unsent=frozenset({"forceDestroy"}),
        emptied=True,
        computed=lambda s: {
            "arn": f"arn:aws:s3:::{s['bucket']}",
            "bucketDomainName": f"{s['bucket']}.s3.amazonaws.com",
            "bucketRegionalDomainName": f"{s['bucket']}.s3.{s['region']}.amazonaws.com",
            "bucketRegion": s["region"],
        },
    ),
    _configuration(
        "BucketVersioning",
        "bucket_versioning",
        {},
        reset={"VersioningConfiguration": {"Status": "Suspended"}},
        unless=frozenset({"InvalidBucketState"}),  # object lock holds versioning on until the bucket goes
        answer="[@][?Status] | [0]",
    ),
    _configuration(
        "BucketServerSideEncryptionConfiguration",
        "bucket_encryption",
        {"rules": "ServerSideEncryptionConfiguration.Rules"},
    ),
    _public_access_block(),
    _configuration(
        "BucketOwnershipControls", "bucket_ownership_controls", {"rule": "OwnershipControls.Rules[]"}
    ),
    replace(
        _configuration(
            "BucketLifecycleConfiguration",
            "bucket_lifecycle_configuration",
            {"rules": "LifecycleConfiguration.Rules"},
        ),
        delete=(Call(operation="delete_bucket_lifecycle", takes=frozenset()),),
    ),
    _configuration("BucketPolicy", "bucket_policy", {}),
    _configuration(
        "BucketLogging",
        "bucket_logging",
        {
            "targetBucket": "BucketLoggingStatus.LoggingEnabled.TargetBucket",
            "targetPrefix": "BucketLoggingStatus.LoggingEnabled.TargetPrefix",
            "targetObjectKeyFormat": "BucketLoggingStatus.LoggingEnabled.TargetObjectKeyFormat",
        },
        reset={"BucketLoggingStatus": {}},
        answer="LoggingEnabled",
    ),
    _configuration(
        "BucketObjectLockConfiguration",
        "object_lock_configuration",
        {"rule": "ObjectLockConfiguration.Rule"},
        fixed={"ObjectLockConfiguration": {"ObjectLockEnabled": "Enabled"}},
        reset={"ObjectLockConfiguration": {"ObjectLockEnabled": "Enabled"}},
        answer="ObjectLockConfiguration",
    ),
    _configuration(
        "BucketReplicationConfig",
        "bucket_replication",
        {"role": "ReplicationConfiguration.Role", "rules": "ReplicationConfiguration.Rules"},
        answer="ReplicationConfiguration",
    ),
    ResourceType(
        token="aws:s3/inventory:Inventory",
        service="s3",
        create=_INVENTORY,
        updates=(_INVENTORY,),
        delete=(Call(operation="delete_bucket_inventory_configuration", takes=frozenset()),),
        identity={"Bucket": "bucket", "Id": "name"},
        id="join(':', [input.bucket, input.name])",
        names={
            **{
                name: f"InventoryConfiguration.{name[0].upper()}{name[1:]}"
                for name in ("destination", "filter", "includedObjectVersions", "optionalFields", "schedule")
            },
            "name": "InventoryConfiguration.Id",
            "enabled": "InventoryConfiguration.IsEnabled",
            "destination.bucket": "S3BucketDestination",
            "destination.bucket.bucketArn": "Bucket",
        },
        emulated=False,
    ),
)
