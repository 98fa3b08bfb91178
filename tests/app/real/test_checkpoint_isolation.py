"""Checkpoints of tenants are apart, in the API and below it."""

from collections.abc import Callable

import asyncpg
import httpx
import pytest

from .checkpoints import THREAD, page, put, put_write, stored, values, writes
from .conftest import Database, Served, Tenant

TABLES = ["agent_retention", "agent_thread", "checkpoint", "checkpoint_part", "checkpoint_write"]


@pytest.fixture
def two(api: Served, new_tenant: Callable[[], Tenant]) -> tuple[Tenant, Tenant]:
    """Two tenants, each with an agent, a thread and a checkpoint of the same names."""
    one, other = new_tenant(), new_tenant()
    for tenant in (one, other):
        with httpx.Client(base_url=api.url, headers=tenant.headers) as client:
            put(client, "1", {"a": str(tenant.id)}, run="r")
            put_write(client, "1", "task", {0: str(tenant.id)})
            client.put("/v1/agents/planner", json=str(tenant.id))
            client.put("/v1/agents/planner/retention", json={"keepDays": 1})
    return one, other


def test_whatever_a_tenant_does_the_other_has_what_it_had(
    api: Served, database: Database, two: tuple[Tenant, Tenant]
) -> None:
    one, other = two
    before = stored(database, other), database.trace(other.id)
    with httpx.Client(base_url=api.url, headers=one.headers) as client:
        found = page(client)
        assert values(found) == {"a": str(one.id)}
        assert writes(found) == [("task", 0, str(one.id))]
        assert client.get("/v1/agents/planner").json() == str(one.id)
        put(client, "1", {"a": "x"})
        put(client, "2", {"a": None}, parent="1")
        put_write(client, "1", "task", {0: "x"}, replace=True)
        client.post("/v1/agents/planner/prune", json={"threads": ["t"]})
        client.post("/v1/agents/planner/delete-runs", json={"runs": ["r"]})
        client.post(f"{THREAD}/copy", json={"target": "u"})
        client.delete(THREAD)
        client.delete("/v1/agents/planner", headers={"if-match": "*"})
        listed = client.get("/v1/agents/planner/threads").json()["threads"]
        assert [one["thread"] for one in listed] == ["u"]
    assert (stored(database, other), database.trace(other.id)) == before
    with httpx.Client(base_url=api.url, headers=other.headers) as client:
        assert values(page(client)) == {"a": str(other.id)}
        assert client.get("/v1/agents/planner").json() == str(other.id)


@pytest.mark.parametrize("table", TABLES)
async def test_plain_sql_sees_and_changes_one_tenant_only(
    pool: asyncpg.Pool, two: tuple[Tenant, Tenant], database: Database, table: str
) -> None:
    assert await pool.fetchval(f"select count(*) from vanta.{table}") == 0  # noqa: S608 - a constant
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute("select set_config('vanta.tenant', $1, true)", str(two[0].id))
        seen = await connection.fetch(f"select distinct tenant_id from vanta.{table}")  # noqa: S608 - a constant
        assert [row["tenant_id"] for row in seen] == [two[0].id]
        if table != "agent_retention":
            await connection.execute(f"delete from vanta.{table}")  # noqa: S608 - a constant
    left = database.query(f"select from vanta.{table} where tenant_id = $1", two[1].id)
    assert len(left) == 1


async def test_plain_sql_cannot_hang_a_row_on_the_thread_of_another_tenant(
    pool: asyncpg.Pool, two: tuple[Tenant, Tenant], database: Database
) -> None:
    ((theirs,),) = database.query("select thread_no from vanta.agent_thread where tenant_id = $1", two[1].id)
    statement = """
        insert into vanta.checkpoint_part (tenant_id, thread_no, no, digest, type, data)
        values ($1, $2, 9, decode(repeat('00', 16), 'hex'), 't', '')
    """
    for tenant, refusal in (
        (two[0], asyncpg.ForeignKeyViolationError),
        (two[1], asyncpg.InsufficientPrivilegeError),
    ):
        async with pool.acquire() as connection, connection.transaction():
            await connection.execute("select set_config('vanta.tenant', $1, true)", str(two[0].id))
            with pytest.raises(refusal):
                await connection.execute(statement, tenant.id, theirs)


def test_a_key_with_scopes_needs_one_for_agents(api: Served, client: httpx.Client) -> None:
    put(client, "1")
    statuses: dict[str, list[int]] = {}
    for scope, verb in (("agents", "write"), ("*", "write"), ("_agents", "read"), ("_agents", "write")):
        scopes = [{"collection": scope, "verbs": sorted({"read", verb})}]
        key = client.post("/v1/keys", json={"name": "k", "role": "writer", "scopes": scopes}).json()["key"]
        with httpx.Client(base_url=api.url, headers={"authorization": f"Bearer {key}"}) as scoped:
            reads = [scoped.get(path).status_code for path in (THREAD, f"{THREAD}/checkpoints", "/v1/agents")]
            written = [
                put(scoped, "2").status_code,
                scoped.put("/v1/agents/a/retention", json={}).status_code,
            ]
        statuses[f"{scope} {verb}"] = [*reads, *written]
    assert statuses == {
        "agents write": [403] * 5,
        "* write": [403] * 5,
        "_agents read": [200, 200, 200, 403, 403],
        "_agents write": [200, 200, 200, 201, 200],
    }
