"""Calls of the emulator, and how it refuses one."""

from collections.abc import Callable
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from local.aws.emulator import ACCOUNT, Aws

HERE = "eu-west-1"


def client(aws: Aws, service: str, region: str = HERE) -> Any:
    """Asks the emulator, once."""
    return boto3.client(
        service,
        endpoint_url=aws.endpoint,
        region_name=region,
        aws_access_key_id=ACCOUNT,
        aws_secret_access_key="any",
        config=Config(retries={"total_max_attempts": 1}),
    )


def refused(call: Callable[..., object], **arguments: object) -> str:
    """``Code: message`` with which ``call`` is refused."""
    with pytest.raises(ClientError) as error:
        call(**arguments)
    details = error.value.response["Error"]
    return f"{details['Code']}: {details['Message']}"
