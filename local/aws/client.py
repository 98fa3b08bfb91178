"""What asks the emulator as any AWS SDK does."""

from typing import Any

from local.aws.emulator import ACCOUNT


def client(service: str, endpoint: str, region: str) -> Any:
    """The boto3 client of ``service`` in ``region`` of the emulator at URL ``endpoint``."""
    import boto3  # noqa: PLC0415 - it takes half a second, and who only shows or stops the platform needs it not

    return boto3.client(
        service,
        region_name=region,
        endpoint_url=endpoint,
        aws_access_key_id=ACCOUNT,
        aws_secret_access_key="local",  # noqa: S106 - the emulator checks no signature
    )
