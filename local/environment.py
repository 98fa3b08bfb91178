"""The app's environment on this machine: the stack's outputs, and its secrets as the files that Kubernetes would mount."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from local import tls
from local.aws.client import client
from local.aws.emulator import ACCOUNT
from local.home import Home, write

#: What `make up` passes on from its own environment, because neither the stack nor this machine decides it.
PASSED_ON = (
    "VANTA_DATA_KEY_DAYS",
    "VANTA_DATA_KEY_SECONDS",
    "VANTA_EVENT_RETENTION_HOURS",
    "VANTA_LOG_LEVEL",
    "VANTA_STREAM_LENGTH",
    "VANTA_WATCHES",
    "VANTA_WATCHES_PER_TENANT",
    "VANTA_WEBHOOK_ATTEMPTS",
    "VANTA_WEBHOOK_PRIVATE",
    "VANTA_WORKERS",
)


def mount_secrets(home: Home, arns: Mapping[str, str], endpoint: str, region: str) -> Path:
    """Write each secret of ``arns`` (file name -> Secrets Manager ARN) to its file and return their folder."""
    folder = home.folder("secrets")
    manager = client("secretsmanager", endpoint, region)
    for name, arn in arns.items():
        value = manager.get_secret_value(SecretId=arn)["SecretString"]
        if not (folder / name).exists() or (folder / name).read_text() != value:
            write(folder / name, value)
    return folder


def app_environment(
    home: Home, outputs: Mapping[str, Any], endpoint: str, *, secrets: Path, port: int
) -> dict[str, str]:
    """The environment of ``python -m app``: what the stack says, where this machine keeps the rest, and :data:`PASSED_ON`."""
    ca = str(tls.ensure(home).ca)
    return {
        **{name: os.environ[name] for name in PASSED_ON if name in os.environ},
        **outputs["appEnvironment"],
        "VANTA_DATABASE_CA": ca,
        "VANTA_CACHE_CA": ca,
        "VANTA_SECRETS_DIR": str(secrets),
        "VANTA_LISTEN_HOST": "127.0.0.1",
        "VANTA_LISTEN_PORT": str(port),
        # No load balancer has to notice first, so `make down` need not wait for one.
        "VANTA_DRAIN_SECONDS": "0",
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_ACCESS_KEY_ID": ACCOUNT,
        "AWS_SECRET_ACCESS_KEY": "local",
    }
