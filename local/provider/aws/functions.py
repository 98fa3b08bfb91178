"""The provider functions (invokes) that the program calls, and what ``forceDestroy`` does."""

from collections.abc import Callable

from local.provider.aws.api import Api
from local.provider.values import Properties


def _caller_identity(api: Api, region: str, _: Properties) -> Properties:
    identity = api.call("sts", region, "get_caller_identity", {})
    return {
        "id": identity["Account"],
        "accountId": identity["Account"],
        "arn": identity["Arn"],
        "userId": identity["UserId"],
    }


def _availability_zones(api: Api, region: str, args: Properties) -> Properties:
    wanted = args.get("state", "available")
    found = api.call(
        "ec2", region, "describe_availability_zones", {"Filters": [{"Name": "state", "Values": [wanted]}]}
    )
    zones = [zone for zone in found["AvailabilityZones"] if zone["State"] == wanted]
    return {
        **args,
        "id": region,
        "names": [zone["ZoneName"] for zone in zones],
        "zoneIds": [zone["ZoneId"] for zone in zones],
        "groupNames": sorted({zone.get("GroupName", region) for zone in zones}),
    }


def _region(_: Api, region: str, __: Properties) -> Properties:
    return {
        "id": region,
        "name": region,
        "region": region,
        "description": region,
        "endpoint": f"ec2.{region}.amazonaws.com",
    }


def _partition(_: Api, __: str, ___: Properties) -> Properties:
    return {
        "id": "aws",
        "partition": "aws",
        "dnsSuffix": "amazonaws.com",
        "reverseDnsPrefix": "com.amazonaws",
    }


FUNCTIONS: dict[str, Callable[[Api, str, Properties], Properties]] = {
    "aws:index/getCallerIdentity:getCallerIdentity": _caller_identity,
    "aws:index/getAvailabilityZones:getAvailabilityZones": _availability_zones,
    "aws:index/getRegion:getRegion": _region,
    "aws:index/getPartition:getPartition": _partition,
}


def empty_bucket(api: Api, region: str, bucket: str) -> None:
    """Delete every object version, past a governance lock but never past a compliance one, as the real provider does."""
    client = api.client("s3", region)
    for page in client.get_paginator("list_object_versions").paginate(Bucket=bucket):
        for version in [*page.get("Versions", []), *page.get("DeleteMarkers", [])]:
            params = {
                "Bucket": bucket,
                "Key": version["Key"],
                "VersionId": version["VersionId"],
                "BypassGovernanceRetention": True,
            }
            api.call("s3", region, "delete_object", params)
