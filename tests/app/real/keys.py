"""KMS keys of the emulator, and the environment of an API that uses one."""

from typing import Any

import boto3

from local.aws.emulator import ACCOUNT, Aws

REGION = "eu-west-1"


def kms(aws: Aws) -> Any:
    """A client of the emulator's KMS."""
    return boto3.client(
        "kms",
        region_name=REGION,
        endpoint_url=aws.endpoint,
        aws_access_key_id=ACCOUNT,
        aws_secret_access_key="local",
    )


def make_key(aws: Aws) -> str:
    """A new key; its ARN."""
    return kms(aws).create_key()["KeyMetadata"]["Arn"]


def environment(endpoint: str, key: str) -> dict[str, str]:
    """What an API needs to seal with ``key``."""
    return {
        "VANTA_KMS_KEY_ARN": key,
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_ACCESS_KEY_ID": ACCOUNT,
        "AWS_SECRET_ACCESS_KEY": "local",
    }
