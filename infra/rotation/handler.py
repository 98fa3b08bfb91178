"""The four steps in which Secrets Manager rotates a secret; each may be repeated, or cut off between any two calls.

Whoever reads the current version can log in at every moment, and whoever read it before, until the next rotation begins. A
rotation that failed has to be repeated, not abandoned by removing its label: a cache would then forget the current token.
Source: AWS Secrets Manager User Guide, "Rotation by Lambda function" and "Lambda function rotation strategies".
"""

import json
import os
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Protocol

import boto3

from infra.rotation.cache import Cache
from infra.rotation.database import Database
from infra.rotation.secret import Document, RotationError

CURRENT, PENDING = "AWSCURRENT", "AWSPENDING"


class Keeper(Protocol):
    """Whatever lets its users in by what a secret holds."""

    def successor(self, current: Document, /) -> Document:
        """What takes the place of ``current``."""
        ...

    def accept(self, current: Document, pending: Document, written: datetime, /) -> None:
        """Let in whoever has ``pending``, written then, and still whoever has ``current``; repeating it changes nothing."""
        ...

    def check(self, pending: Document, /) -> None:
        """Raise :class:`RotationError` unless ``pending`` is accepted."""
        ...


def handle(event: Mapping[str, str], _: object) -> None:
    """What AWS Lambda calls with the step, the secret and the version that Secrets Manager asks for."""
    rotate(event, boto3.client("secretsmanager"), keeper())


def keeper() -> Keeper:
    """The keeper that the function's environment names."""
    if os.environ["KEEPER"] == "database":
        return Database(
            boto3.client("rds-data"),
            cluster_arn=os.environ["CLUSTER_ARN"],
            master_secret_arn=os.environ["MASTER_SECRET_ARN"],
            database=os.environ["DATABASE"],
            group=os.environ["ROLE_GROUP"],
        )
    return Cache(boto3.client("elasticache"), group=os.environ["REPLICATION_GROUP"])


def rotate(event: Mapping[str, str], manager: Any, keeper: Keeper) -> None:
    """Do one step.

    Raises:
        RotationError: the version is not one to rotate to.
    """
    secret, version = event["SecretId"], event["ClientRequestToken"]
    stages = manager.describe_secret(SecretId=secret)["VersionIdsToStages"]
    if version not in stages:
        raise RotationError(f"{version} is no version of {secret}: start the rotation with RotateSecret.")
    if CURRENT in stages[version]:
        return
    if PENDING not in stages[version]:
        raise RotationError(f"{version} of {secret} is not pending: start the rotation again.")
    match event["Step"]:
        case "createSecret":
            _create(manager, secret, version, keeper)
        case "setSecret":
            current, _ = _read(manager, secret)
            pending, written = _read(manager, secret, version)
            keeper.accept(current, pending, written)
        case "testSecret":
            keeper.check(_read(manager, secret, version)[0])
        case "finishSecret":
            (former,) = (known for known, labels in stages.items() if CURRENT in labels)
            manager.update_secret_version_stage(
                SecretId=secret,
                VersionStage=CURRENT,
                MoveToVersionId=version,
                RemoveFromVersionId=former,
            )
        case step:
            raise RotationError(f"{step} is no step of a rotation.")


def _create(manager: Any, secret: str, version: str, keeper: Keeper) -> None:
    """Write the pending version unless an earlier attempt did: its password may have been accepted already."""
    try:
        _read(manager, secret, version)
    except manager.exceptions.ResourceNotFoundException:
        manager.put_secret_value(
            SecretId=secret,
            ClientRequestToken=version,
            SecretString=json.dumps(keeper.successor(_read(manager, secret)[0])),
            VersionStages=[PENDING],
        )


def _read(manager: Any, secret: str, version: str | None = None) -> tuple[Document, datetime]:
    """The current version, or the pending one by its id, and when it was written."""
    asked = {"VersionStage": CURRENT} if version is None else {"VersionId": version, "VersionStage": PENDING}
    answer = manager.get_secret_value(SecretId=secret, **asked)
    return json.loads(answer["SecretString"]), answer["CreatedDate"]
