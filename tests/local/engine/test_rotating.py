"""A rotation made by the real engine: its code is where AWS would run it, and its schedule on the secret."""

import base64
import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3
import pulumi
import pytest

from infra import settings
from infra.aws import place
from infra.aws.credential import Credential, CredentialArgs
from infra.aws.keys import Keys, KeysArgs
from infra.aws.rotation import Rotation, RotationArgs, code, in_cache
from infra.names import Names
from local.aws.emulator import ACCOUNT, Aws
from local.provider.aws.table.functions import zipped
from local.pulumi.stack import Stack


def part() -> None:
    """A secret of the program and its rotation."""
    chosen = settings.load("local")
    here = place.find(zones=1, account=chosen.account)
    names = Names(stack="local", owner=chosen.owner, account_id=here.account_id, region=here.region)
    keys = Keys(
        "keys",
        KeysArgs(names=names, place=here, lifetime=chosen.lifetime, deletion_days=7, rotation_days=365),
    )
    token = Credential(
        "cache-auth",
        CredentialArgs(
            names=names,
            lifetime=chosen.lifetime,
            kms_key_arn=keys.secrets,
            description="A token",
            length=64,
            document=lambda password: {"authToken": password},
        ),
    )
    Rotation(
        "cache-auth-rotation",
        RotationArgs(
            names=names,
            place=here,
            lifetime=chosen.lifetime,
            secret_arn=token.arn,
            secrets_key_arn=keys.secrets,
            logs_key_arn=keys.logs,
            kept=in_cache(here, names.of("cache")),
            days=chosen.secrets.rotation_days,
        ),
    )


@pytest.fixture
def client(module_aws: Aws) -> Callable[[str], Any]:
    """boto3 clients for the module's emulator."""
    return lambda service: boto3.client(
        service,
        region_name="eu-west-1",
        endpoint_url=module_aws.endpoint,
        aws_access_key_id=ACCOUNT,
        aws_secret_access_key="local",
    )


def test_a_rotation_is_made_changed_and_removed(
    engine: Path, module_aws: Aws, tmp_path: Path, client: Callable[[str], Any]
) -> None:
    def stack(days: int) -> Stack:
        config = {
            "vanta:secrets": {"rotationDays": days},
            "vanta:database": {"instanceClass": "db.r8g.large"},
        }
        return Stack(
            "local", folder=tmp_path, engine=engine, endpoint=module_aws.endpoint, config=config, declare=part
        )

    made = stack(30).up().operations["create"]
    assert stack(30).preview().operations == {"same": made}
    function = client("lambda").get_function(FunctionName="vanta-local-cache-auth-rotation")
    assert function["Configuration"]["Handler"] == "infra.rotation.handler.handle"
    texts = {n: {"text": a.text} for n, a in code().assets.items() if isinstance(a, pulumi.StringAsset)}
    sent = zipped({"assets": texts})
    digest = base64.b64encode(hashlib.sha256(sent).digest()).decode()
    assert function["Configuration"]["CodeSha256"] == digest
    assert stack(60).up().operations == {"same": made - 1, "update": 1}
    secret = client("secretsmanager").describe_secret(SecretId="vanta-local-cache-auth")
    assert secret["RotationRules"] == {"AutomaticallyAfterDays": 60}
    assert secret["RotationLambdaARN"] == function["Configuration"]["FunctionArn"]
    assert stack(60).destroy().operations == {"delete": made}
    assert not client("lambda").list_functions()["Functions"]
