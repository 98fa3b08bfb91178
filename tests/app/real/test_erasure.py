"""The end of a tenant over HTTP: nothing of it stays."""

import asyncio
from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from uuid import UUID

import httpx
import psutil
import pytest

from app.db import postgres
from tests.conftest import RedisServer

from .conftest import Database, Tenant, eventually, serving
from .operators import onboarded, problem, rows_of, with_checkpoints


@pytest.fixture
def new_tables(database: Database) -> Generator[list[tuple[str, str]]]:
    """Tables nobody has heard of; rows of the one lean on rows of the other, which is there first."""
    tables = [
        ("new_room", "tenant_id uuid, number int, primary key (tenant_id, number)"),
        (
            "newer_room",
            "tenant_id uuid, number int, foreign key (tenant_id, number) references vanta.new_room",
        ),
    ]
    for table, columns in tables:
        database.query(f"create table vanta.{table} ({columns})")
    yield tables
    for table, _ in reversed(tables):
        database.query(f"drop table vanta.{table}")


def test_an_erased_tenant_leaves_nothing_but_that_it_was(
    operator: httpx.Client,
    database: Database,
    redis_server: RedisServer,
    new_tenant: Callable[[], Tenant],
    new_tables: list[tuple[str, str]],
) -> None:
    made, headers = onboarded(operator)
    tenant = made["tenantId"]
    neighbour = new_tenant()
    operator.put("/v1/state/a/b", json="kept", headers=neighbour.headers)
    before = rows_of(database, str(neighbour.id))
    for number in range(3):
        operator.put(f"/v1/state/a/{number}", json=number, headers=headers)
        assert operator.get(f"/v1/state/a/{number}", headers=headers).json() == number
    operator.post("/v1/keys", json={"name": "x", "role": "reader"}, headers=headers)
    with_checkpoints(operator, headers)
    for table, _ in new_tables:
        database.query(f"insert into vanta.{table} values ($1, 1)", UUID(tenant))  # noqa: S608 - of the fixture
    assert rows_of(database, tenant).keys() >= {
        "document",
        "outbox",
        "api_key",
        "checkpoint",
        *dict(new_tables),
    }

    path = f"/v1/tenants/{tenant}"
    assert problem(operator.delete(path, params={"name": "another"})) == "name-mismatch"
    assert problem(operator.delete(path)) == "invalid-query"
    assert operator.get("/v1/state/a/0", headers=headers).status_code == 200

    with ThreadPoolExecutor(1) as executor:
        erasing = executor.submit(operator.delete, path, params={"name": made["name"]})
        eventually(lambda: operator.get("/v1/state/a/0", headers=headers).status_code in {401, 403})
        assert erasing.result().status_code == 204
    assert rows_of(database, tenant) == {}
    assert operator.get("/v1/state/a/0", headers=headers).status_code == 401
    assert problem(operator.get(path)) == "tenant-not-found"
    assert problem(operator.delete(path, params={"name": made["name"]})) == "tenant-not-found"
    for text in (tenant, tenant.replace("-", "")):
        assert text not in redis_server.server.query("KEYS", "*")
    (stone,) = database.query("select * from vanta.tombstone where tenant::text = $1", tenant)
    assert made["name"] not in str(stone)
    assert rows_of(database, str(neighbour.id)) == before
    assert operator.get("/v1/state/a/b", headers=neighbour.headers).json() == "kept"


async def test_an_erasure_that_was_interrupted_goes_on_when_it_is_sent_again(
    operator: httpx.Client, operator_key: str, database: Database, tmp_path: Path
) -> None:
    made, headers = await asyncio.to_thread(onboarded, operator)
    path = f"/v1/tenants/{made['tenantId']}"
    send = {"params": {"name": made["name"]}, "headers": {"authorization": f"Bearer {operator_key}"}}

    def interrupt() -> None:
        with serving(database, tmp_path) as doomed, ThreadPoolExecutor(1) as executor:
            sent = executor.submit(httpx.delete, doomed.url + path, timeout=60, **send)  # ty: ignore[invalid-argument-type] - keyword arguments of two types
            eventually(lambda: operator.get(path).json()["erasing"])
            for process in [*psutil.Process(doomed.process.pid).children(recursive=True), doomed.process]:
                process.kill()
            doomed.process.wait()
            assert isinstance(sent.exception(), httpx.TransportError)

    connection = await postgres.connect(database.settings, "database-master")
    async with connection.transaction():
        # Whatever the machine does meanwhile, the erasure does not end before it is interrupted.
        await connection.execute(
            "select from vanta.api_key where tenant_id = $1 for update", UUID(made["tenantId"])
        )
        await asyncio.to_thread(interrupt)
    await connection.close()

    def go_on() -> None:
        assert problem(operator.get(made["welcome"], headers=headers)) == "suspended"
        assert problem(operator.patch(path, json={"suspended": False})) == "tenant-not-found"
        assert operator.delete(path, params={"name": made["name"]}).status_code == 204
        assert rows_of(database, made["tenantId"]) == {}

    await asyncio.to_thread(go_on)


def test_a_thread_goes_after_what_hangs_on_it_so_that_no_statement_takes_more_than_its_share(
    operator: httpx.Client, database: Database
) -> None:
    made, headers = onboarded(operator)
    with_checkpoints(operator, headers)
    tenant = UUID(made["tenantId"])
    database.query("select vanta.begin_erasure($1, $2, 'test', null)", tenant, made["name"])

    def erased(table: str, limit: int = 2) -> int | None:
        return database.query("select vanta.erase_some($1, $2, $3)", tenant, table, limit)[0][0]

    assert erased("agent_thread") is None
    assert [erased("checkpoint") for _ in range(3)] == [2, 1, 0]
    assert erased("agent_thread") is None
    assert erased("checkpoint_part", 100)
    assert erased("checkpoint_write", 100) == 1
    assert erased("agent_thread") == 1
