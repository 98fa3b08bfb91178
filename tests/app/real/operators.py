"""What operators do over HTTP, and what a tenant then has."""

import secrets
from typing import Any
from uuid import UUID

import httpx

from . import checkpoints
from .conftest import Database


def problem(answer: httpx.Response) -> str:
    return answer.json()["type"].removeprefix("urn:vanta:problem:")


def name() -> str:
    return f"t-{secrets.token_hex(8)}"


def onboarded(operator: httpx.Client, **new: Any) -> tuple[dict[str, Any], dict[str, str]]:
    """A tenant made over HTTP, and the headers of its first key."""
    answer = operator.post("/v1/tenants", json={"name": name(), **new})
    assert answer.status_code == 201, answer.text
    made = answer.json()
    return made, {"authorization": f"Bearer {made['key']}"}


def rows_of(database: Database, tenant: str) -> dict[str, int]:
    """How many rows of each table with a tenant are this one's; tables without any are left out."""
    tables = database.query(
        """
        select c.relname from pg_class c
        join pg_attribute a on a.attrelid = c.oid and a.attname = 'tenant_id' and not a.attisdropped
        where c.relnamespace = 'vanta'::regnamespace and c.relkind in ('r', 'p')
        """
    )
    counts: dict[str, int] = {}
    for (table,) in tables:
        sql = f"select count(*) from vanta.{table} where tenant_id = $1"  # noqa: S608 - of the catalogue
        if count := database.query(sql, UUID(tenant))[0][0]:
            counts[table] = count
    return counts


def with_checkpoints(operator: httpx.Client, headers: dict[str, str]) -> None:
    """Let the tenant of ``headers`` have a thread with checkpoints, and what a task wrote after one."""
    with httpx.Client(base_url=operator.base_url, headers=headers) as client:
        for number in range(3):
            assert checkpoints.put(client, f"c{number}", {"a": "x", "b": ["y", "z"]}).is_success
        assert checkpoints.put_write(client, "c2", "task", {0: "w"}).is_success
