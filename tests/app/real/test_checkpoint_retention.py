"""No more is kept of a thread than is asked for, and what is deleted leaves nothing."""

import httpx

from app import metrics
from app.db import postgres as app_postgres
from app.db.sweep import Sweep

from .checkpoints import THREAD, names, page, put, put_write, stored, values, writes
from .conftest import Database, Tenant, run


def test_an_agent_keeps_as_many_checkpoints_as_it_says(
    client: httpx.Client, database: Database, tenant: Tenant
) -> None:
    assert client.put("/v1/agents/planner/retention", json={"keepCheckpoints": 3}).status_code == 200
    for number in range(10):
        put(client, f"{number}", {"n": str(number), "same": "s"}, parent=str(number - 1) if number else None)
        put_write(client, f"{number}", "task", {0: "w"})
    found = page(client)
    assert names(found) == ["9", "8", "7"]
    assert [values(found, at)["n"] for at in range(3)] == ["9", "8", "7"]
    # What is no longer there is nobody's parent.
    assert [one.get("parent") for one in found["checkpoints"]] == ["8", "7", None]
    kept = stored(database, tenant)
    assert (kept["checkpoints"], kept["parts"], kept["writes"]) == (3, 4, 3)
    assert kept["bytes"] == kept["counted"] == kept["counted_for_tenant"]


def test_a_hundred_are_kept_where_nothing_is_said(client: httpx.Client) -> None:
    for number in range(105):
        put(client, f"{number:03}")
    assert len(names(page(client, limit=100))) == 100
    assert client.get(f"{THREAD}").json()["namespaces"][0]["checkpoints"] == 100


def test_what_a_kept_checkpoint_needs_is_kept(client: httpx.Client) -> None:
    for number in range(6):
        put(client, f"{number}", parent=str(number - 1) if number else None, needsParent=number in {3, 4, 5})
    pruned = client.post("/v1/agents/planner/prune", json={"threads": ["t"], "keep": 1}).json()
    assert pruned == {"removed": 2}
    assert names(page(client)) == ["5", "4", "3", "2"]


def test_the_checkpoints_of_a_subgraph_go_with_those_it_ran_for(
    client: httpx.Client, database: Database, tenant: Tenant
) -> None:
    client.put("/v1/agents/planner/retention", json={"keepCheckpoints": 2})
    for number in range(5):
        put(client, f"{number}")
        put(client, "inner", {"a": str(number)}, namespace=f"node:{number}", root=str(number))
        put_write(client, "late", "task", {0: "w"}, namespace=f"node:{number}")
    put(client, "lasting", namespace="node")
    listed = client.get(THREAD).json()["namespaces"]
    assert [one["namespace"] for one in listed] == ["", "node", "node:3", "node:4"]
    assert stored(database, tenant)["writes"] == 2


def test_runs_are_deleted_in_all_threads(client: httpx.Client, database: Database, tenant: Tenant) -> None:
    for thread in ("t", "u"):
        put(client, "1", {"a": "one"}, thread=f"/v1/agents/planner/threads/{thread}", run="r1")
        put(client, "2", {"a": "two"}, thread=f"/v1/agents/planner/threads/{thread}", run="r2", parent="1")
    answer = client.post("/v1/agents/planner/delete-runs", json={"runs": ["r1", "none"]})
    assert answer.json() == {"removed": 2}
    assert names(page(client)) == ["2"]
    assert stored(database, tenant)["parts"] == 2


def test_a_copy_is_whole_and_its_own(client: httpx.Client, database: Database, tenant: Tenant) -> None:
    put(client, "1", {"a": ["x"]})
    put(client, "2", {"a": ["x", "y"]}, parent="1", namespace="sub")
    put_write(client, "1", "task", {0: "w"})
    copied = "/v1/agents/planner/threads/copy"
    assert client.post(f"{THREAD}/copy", json={"target": "copy"}).status_code == 201
    assert client.post(f"{THREAD}/copy", json={"target": "copy"}).status_code == 409
    assert client.delete(THREAD).status_code == 204
    assert values(page(client, thread=copied)) == {"a": ["x"]}
    assert writes(page(client, thread=copied)) == [("task", 0, "w")]
    assert values(page(client, thread=copied, namespace="sub")) == {"a": ["x", "y"]}
    kept = stored(database, tenant)
    assert kept["bytes"] == kept["counted"] == kept["counted_for_tenant"] == 3


def test_a_deleted_thread_leaves_nothing(client: httpx.Client, database: Database, tenant: Tenant) -> None:
    put(client, "1", {"a": "x"})
    put_write(client, "1", "task", {0: "w"})
    assert client.delete(THREAD).status_code == 204
    assert set(stored(database, tenant).values()) == {0}
    assert client.delete(THREAD).status_code == client.get(THREAD).status_code == 404
    assert client.get(f"{THREAD}/checkpoints/1").status_code == 404


def test_a_thread_nobody_writes_to_is_kept_as_long_as_its_agent_says(
    client: httpx.Client, database: Database, tenant: Tenant
) -> None:
    for agent in ("planner", "other"):
        for thread in ("old", "young"):
            put(client, "1", thread=f"/v1/agents/{agent}/threads/{thread}")
    client.put("/v1/agents/planner/retention", json={"keepDays": 30})
    database.query(
        "update vanta.agent_thread set written_on = current_date - 31 where tenant_id = $1 and thread = 'old'",
        tenant.id,
    )
    run(_sweep(database))
    left = {
        agent: [one["thread"] for one in client.get(f"/v1/agents/{agent}/threads").json()["threads"]]
        for agent in ("planner", "other")
    }
    assert left == {"planner": ["young"], "other": ["old", "young"]}


async def _sweep(database: Database) -> None:
    pool = await app_postgres.pool(database.settings, 1)
    try:
        await Sweep(pool, "vanta.sweep_threads", metrics.THREADS_SWEPT).sweep()
    finally:
        await pool.close()


def test_over_the_limit_nothing_is_written_and_deleting_works(
    client: httpx.Client, database: Database, tenant: Tenant
) -> None:
    put(client, "1", {"a": "x" * 60})
    database.query("update vanta.tenant_head set max_bytes = 100 where tenant_id = $1", tenant.id)
    before = stored(database, tenant)
    refused = [
        put(client, "2", {"a": "y" * 60}),
        put_write(client, "1", "task", {0: "w" * 60}),
        client.post(f"{THREAD}/copy", json={"target": "u"}),
    ]
    assert [(one.status_code, one.json()["type"]) for one in refused] == [
        (403, "urn:vanta:problem:quota-exceeded")
    ] * 3
    assert stored(database, tenant) == before
    # What is there already takes no room.
    assert put(client, "2", {"a": "x" * 60}).status_code == 201
    assert client.delete(THREAD).status_code == 204
