"""A database that was exchanged for what it was before: Pulumi takes it for the one that it made, for it has all its names."""

import asyncio
import datetime as dt
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3
import pytest

from app.recovery.exchange import exchange
from app.recovery.restore import Restore
from local.aws.emulator import ACCOUNT, Aws
from local.pulumi.stack import Stack
from tests.app.unit.recovery import stacks

from .test_global_database import ask, part

HERE = "eu-west-1"


@pytest.fixture
def stack(engine: Path, module_aws: Aws, tmp_path: Path) -> Stack:
    """A stack of a database that shares it with no other region."""
    return Stack(
        "local",
        folder=tmp_path,
        engine=engine,
        endpoint=module_aws.endpoint,
        config={},
        declare=lambda: part("here"),
    )


@pytest.fixture
def client(module_aws: Aws, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Any]:
    """What asks AWS, as an operator does."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", module_aws.endpoint)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", ACCOUNT)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "any")
    return lambda service: boto3.client(service, region_name=HERE)


async def test_after_an_exchange_the_state_says_what_is_and_nothing_is_undone(
    stack: Stack, module_aws: Aws, client: Callable[[str], Any]
) -> None:
    made = stack.up().outputs
    seen = stacks.stack("local", HERE, account=ACCOUNT, database=made["identifier"])
    for bucket in (seen.archive_bucket, seen.audit_bucket):
        client("s3").create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": HERE})
    await ask(module_aws, made, "CREATE TABLE good AS SELECT 1 AS x")
    second = dt.datetime.now(dt.UTC).replace(microsecond=0) + dt.timedelta(seconds=1)
    while dt.datetime.now(dt.UTC) <= second:  # noqa: ASYNC110 - the clock sets no event
        await asyncio.sleep(0.05)
    await ask(module_aws, made, "DROP TABLE good")
    restore = Restore(seen, second)
    restore.make()
    done = exchange(restore, lambda _: None, api_stopped=True)
    kept = client("s3").get_object(Bucket=seen.audit_bucket, Key=f"recovery/{done.id}.json")
    assert json.loads(kept["Body"].read())["ended"] == "done"
    stack.refresh()
    assert not stack.preview().changed
    change = stack.up()
    assert not change.changed
    # RDS keeps the master user's password as before, but another one.
    assert change.outputs["master_secret_arn"] != made["master_secret_arn"]
    assert change.outputs["endpoint"] == made["endpoint"]
    assert await ask(module_aws, change.outputs, "SELECT count(*) FROM good") == 1
