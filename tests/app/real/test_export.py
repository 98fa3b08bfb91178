"""Everything of a tenant over HTTP: all of it, of one moment, and no secret."""

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import asyncpg
import httpx
import pytest

from app.tenancy import export

from .conftest import Database, Served, Tenant, eventually
from .operators import onboarded, rows_of, with_checkpoints


def exported(operator: httpx.Client, tenant: str) -> list[dict[str, Any]]:
    answer = operator.get(f"/v1/tenants/{tenant}/export")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/x-ndjson"
    return [json.loads(line) for line in answer.text.splitlines()]


def test_an_export_has_everything_of_one_tenant_and_no_secret(
    operator: httpx.Client, new_tenant: Callable[[], Tenant], database: Database
) -> None:
    made, headers = onboarded(operator)
    stranger = new_tenant()
    operator.put("/v1/state/a/b", json="a stranger's", headers=stranger.headers)
    for number in range(50):
        operator.put(f"/v1/state/a/{number}", json={"number": number}, headers=headers)
    with_checkpoints(operator, headers)
    last = {**headers, "vanta-concurrency": "last-write-wins"}
    operator.put(
        "/v1/state/a/0", content='{"number": 1.10}', headers={**last, "content-type": "application/json"}
    )
    lines = exported(operator, made["tenantId"])
    assert lines[0]["type"] == "tenant"
    assert lines[0]["data"]["name"] == made["name"]
    assert lines[-1] == {"type": "end", "data": len(lines) - 1}
    counts = rows_of(database, made["tenantId"])
    assert counts.keys() >= {"checkpoint", "checkpoint_part", "checkpoint_write"}
    for table in export.EXPORTED:
        assert len([line for line in lines if line["type"] == table]) == counts.get(table, 0), table
    values = [
        line["data"]["value"]
        for line in lines
        if line["type"] == "document_version" and line["data"]["key"] == "0"
    ]
    assert values == ['{"number":0}', '{"number": 1.10}']
    text = str(lines)
    assert "sha256" not in text
    assert "a stranger's" not in text
    assert str(stranger.id) not in text


def test_an_export_is_of_one_moment(operator: httpx.Client, api: Served) -> None:
    made, headers = onboarded(operator)
    stop = False

    def write() -> None:
        with httpx.Client(base_url=api.url, headers=headers) as client:
            number = 0
            while not stop:
                number += 1
                client.put(f"/v1/state/a/{number}", json=number)

    with ThreadPoolExecutor(1) as executor:
        writing = executor.submit(write)
        path = f"/v1/tenants/{made['tenantId']}"
        eventually(lambda: operator.get(path).json()["documents"] > 20)
        exports = [exported(operator, made["tenantId"]) for _ in range(5)]
        stop = True
        writing.result()
    for lines in exports:
        documents, versions, events = (
            {line["data"]["revision"] for line in lines if line["type"] == kind}
            for kind in ("document", "document_version", "outbox")
        )
        assert documents == versions
        # The first event is of the tenant itself.
        assert events == {1, *documents}


async def test_every_table_of_a_tenant_is_exported_or_left_out_on_purpose(pool: asyncpg.Pool) -> None:
    """A new table with tenant_id: decide in app/tenancy/export.py, and name the columns that must not leave."""
    rows = await pool.fetch(
        """
        select c.relname from pg_class c
        join pg_attribute a on a.attrelid = c.oid and a.attname = 'tenant_id' and not a.attisdropped
        where c.relnamespace = 'vanta'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition
        """
    )
    assert {row[0] for row in rows} == {*export.EXPORTED, *export.LEFT_OUT}
    assert not {*export.EXPORTED} & export.LEFT_OUT


async def test_no_column_of_bytes_leaves_unseen(pool: asyncpg.Pool) -> None:
    """Hashes and ciphertexts are bytea; each such column is left out, or known to be what a tenant put there."""
    rows = await pool.fetch(
        """
        select c.relname, a.attname from pg_class c
        join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
        where c.relnamespace = 'vanta'::regnamespace and c.relname = any($1) and a.atttypid = 'bytea'::regtype
        """,
        list(export.EXPORTED),
    )
    leaving = {f"{table}.{column}" for table, column in rows if column not in export.EXPORTED[table]}
    assert leaving <= export.TENANTS_OWN_BYTES


@pytest.mark.parametrize("table", export.EXPORTED)
async def test_no_table_is_scanned_for_an_export(pool: asyncpg.Pool, tenant: Tenant, table: str) -> None:
    async with pool.acquire() as connection, connection.transaction():
        # The price of a scan is put up, so that small tables have the plan of large ones.
        await connection.execute("set local enable_seqscan = off")
        await connection.execute("select set_config('vanta.tenant', $1, true)", str(tenant.id))
        plan = await connection.fetch(f"explain {export.statement(table)}", tenant.id, ())
    assert "Seq Scan" not in str(plan), plan
