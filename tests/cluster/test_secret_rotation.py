"""A rotated login reaches the pods as a file: nothing is rolled, no request fails, and the new login is used."""

import asyncio
import json
import secrets
from collections.abc import Callable
from contextlib import AbstractContextManager

import boto3

from app.db import postgres, roles
from app.settings import Login, Settings
from bench.clients import Clients
from bench.released import NAMESPACE, Released
from local.aws.emulator import ACCOUNT, Aws
from local.environment import app_environment, mount_secrets

NEW = "vanta_app_2"
READ = "print(open('/var/run/vanta/secrets/database-app').read())"


def test_a_rotated_login_reaches_the_pods_without_a_rollout(
    released: Released, unnoticed: Callable[[], AbstractContextManager[Clients]], until: Callable[..., None]
) -> None:
    endpoint = Aws(released.home).endpoint
    arns, region = released.outputs["appSecrets"], released.outputs["region"]
    manager = boto3.client(
        "secretsmanager",
        region_name=region,
        endpoint_url=endpoint,
        aws_access_key_id=ACCOUNT,
        aws_secret_access_key="local",
    )
    folder = mount_secrets(released.home, arns, endpoint, region)
    settings = Settings.from_environment(
        app_environment(released.home, released.outputs, endpoint, secrets=folder, port=1)
    )
    before = {pod["metadata"]["name"] for pod in released.pods()}
    login = Login(username=NEW, password=secrets.token_urlsafe(24))

    def arrived(pod: str) -> bool:
        return NEW in released.kubectl("exec", pod, "--namespace", NAMESPACE, "--", "python", "-c", READ)

    with unnoticed():
        asyncio.run(_ensure(settings, login))
        text = json.dumps({"username": login.username, "password": login.password})
        manager.put_secret_value(SecretId=arns["database-app"], SecretString=text)
        until(lambda: all(arrived(pod) for pod in before), deadline=180)
    assert {pod["metadata"]["name"] for pod in released.pods()} >= before
    # Connections that were open stay; whoever connects anew does it with the new login.
    asyncio.run(_disconnect_others(settings))
    until(lambda: asyncio.run(_connected(settings)) > 0, deadline=60)


async def _ensure(settings: Settings, login: Login) -> None:
    connection = await postgres.connect(settings, "database-master")
    try:
        await roles.ensure_login(connection, login)
    finally:
        await connection.close()


async def _disconnect_others(settings: Settings) -> None:
    connection = await postgres.connect(settings, "database-master")
    try:
        await connection.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity where usename ~ '^vanta_app' and usename <> $1",
            NEW,
        )
    finally:
        await connection.close()


async def _connected(settings: Settings) -> int:
    """How many connections the new login has."""
    connection = await postgres.connect(settings, "database-master")
    try:
        return await connection.fetchval("select count(*) from pg_stat_activity where usename = $1", NEW)
    finally:
        await connection.close()
