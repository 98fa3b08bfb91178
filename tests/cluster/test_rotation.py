"""The secrets of a running platform are rotated as on AWS: pods read the new ones as they are, and no request fails."""

import asyncio
import json
import secrets
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import asyncpg
import boto3
import pytest

from app.db import postgres
from app.settings import Settings
from bench.clients import Clients
from bench.released import API, NAMESPACE, Released
from infra.rotation.cache import Cache
from infra.rotation.database import Database
from infra.rotation.handler import PENDING, Keeper, rotate
from local.aws.emulator import ACCOUNT, Aws
from local.environment import app_environment, mount_secrets

Unnoticed = Callable[[], AbstractContextManager[Clients]]
FILE = "/var/run/vanta/secrets/{}"
READ = "import hashlib, sys; print(hashlib.sha256(open(sys.argv[1], 'rb').read()).hexdigest())"
USERS = "select distinct usename::text from pg_stat_activity where application_name = 'vanta-api'"


class DataApi:
    """The RDS Data API, which the emulator does not have: one statement as the database's master."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def execute_statement(
        self, *, sql: str, parameters: list[dict[str, Any]], **_: str
    ) -> dict[str, list[Any]]:
        for number, parameter in enumerate(parameters, start=1):
            sql = sql.replace(f":{parameter['name']}", f"${number}")
        values = [parameter["value"]["stringValue"] for parameter in parameters]
        return {"records": [list(row) for row in asyncio.run(self.fetch(sql, *values))]}

    async def fetch(self, sql: str, *values: str) -> list[asyncpg.Record]:
        connection = await postgres.connect(self._settings, "database-master")
        try:
            return await connection.fetch(sql, *values)
        finally:
            await connection.close()


@pytest.fixture
def aws(released: Released) -> Callable[[str], Any]:
    """A client of the emulator for a service."""
    endpoint, region = Aws(released.home).endpoint, released.outputs["region"]

    def client(service: str) -> Any:
        return boto3.client(
            service,
            region_name=region,
            endpoint_url=endpoint,
            aws_access_key_id=ACCOUNT,
            aws_secret_access_key="local",
        )

    return client


@pytest.fixture
def data_api(released: Released) -> DataApi:
    outputs, endpoint = released.outputs, Aws(released.home).endpoint
    folder = mount_secrets(released.home, outputs["appSecrets"], endpoint, outputs["region"])
    environment = app_environment(released.home, outputs, endpoint, secrets=folder, port=1)
    return DataApi(Settings.from_environment(environment))


def rotated(manager: Any, secret: str, keeper: Keeper) -> dict[str, str]:
    """Take the four steps, in the first of which Secrets Manager itself makes the version; what the secret holds then."""
    version = secrets.token_hex(16)
    current = json.loads(manager.get_secret_value(SecretId=secret)["SecretString"])
    pending = json.dumps(keeper.successor(current))
    manager.put_secret_value(
        SecretId=secret, ClientRequestToken=version, SecretString=pending, VersionStages=[PENDING]
    )
    for step in ("createSecret", "setSecret", "testSecret", "finishSecret"):
        rotate({"SecretId": secret, "ClientRequestToken": version, "Step": step}, manager, keeper)
    found = json.loads(manager.get_secret_value(SecretId=secret)["SecretString"])
    assert found != current
    return found


def seen_by(released: Released, pod: str, file: str) -> str:
    """The digest of a secret file as it is in a pod."""
    inside = ("exec", pod, "--namespace", NAMESPACE, "--", "python", "-c", READ, FILE.format(file))
    return released.kubectl(*inside).strip()


def test_rotated_secrets_reach_running_pods_and_cost_no_request(
    released: Released,
    aws: Callable[[str], Any],
    data_api: DataApi,
    unnoticed: Unnoticed,
    until: Callable[..., None],
) -> None:
    where, names = released.outputs["appSecrets"], [pod["metadata"]["name"] for pod in released.pods()]
    database = Database(
        data_api, cluster_arn="one", master_secret_arn="its", database="vanta", group="vanta_api"
    )
    (group,) = aws("elasticache").describe_replication_groups()["ReplicationGroups"]
    cache = Cache(aws("elasticache"), group=group["ReplicationGroupId"])
    before = {file: seen_by(released, names[0], file) for file in ("database-app", "cache")}
    with unnoticed():
        login = rotated(aws("secretsmanager"), where["database-app"], database)
        rotated(aws("secretsmanager"), where["cache"], cache)

        def read() -> bool:
            found = {(file, seen_by(released, name, file)) for file in before for name in names}
            return len(found) == len(before) and not found & set(before.items())

        until(read, deadline=90)
        assert [pod["metadata"]["name"] for pod in released.pods()] == names
        # Sessions that are open stay: who connects from here on is the other user.
        released.kubectl("rollout", "restart", f"deployment/{API}", "--namespace", NAMESPACE)
        released.kubectl("rollout", "status", f"deployment/{API}", "--namespace", NAMESPACE, "--timeout=120s")
        until(lambda: {row[0] for row in asyncio.run(data_api.fetch(USERS))} == {login["username"]})
    assert released.restarts() == 0
