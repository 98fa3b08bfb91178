"""Limits of a tenant, and the counters they are compared with."""

import json
from collections.abc import Sequence
from typing import Any

import asyncpg
import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.api.limits import Limits
from app.api.problems import TYPE_PREFIX
from app.db import postgres as app_postgres
from app.state.document import Name, Write, digest
from app.state.store import Store

from .conftest import Database, Served, Tenant

ANY = {"vanta-concurrency": "last-write-wins"}


def counters(database: Database, tenant: Tenant) -> tuple[int, int]:
    return tuple(
        database.query("select documents, bytes from vanta.tenant_head where tenant_id = $1", tenant.id)[0]
    )


def counted(database: Database, tenant: Tenant) -> tuple[int, int]:
    return tuple(
        database.query(
            """
            select (select count(*) from vanta.document where tenant_id = $1),
                   (select coalesce(sum(octet_length(value)), 0)::bigint from vanta.document_version where tenant_id = $1)
            """,
            tenant.id,
        )[0]
    )


def limit(
    database: Database, tenant: Tenant, *, documents: int | None = None, size: int | None = None
) -> None:
    """So many more than there are now."""
    database.query(
        "update vanta.tenant_head set max_documents = documents + $2, max_bytes = bytes + $3 where tenant_id = $1",
        tenant.id,
        documents,
        size,
    )


def refused(response: httpx.Response) -> bool:
    return response.status_code == 403 and response.json()["type"] == f"{TYPE_PREFIX}quota-exceeded"


def test_over_the_limit_of_documents_none_is_created_and_all_else_works(
    client: httpx.Client, database: Database, tenant: Tenant
) -> None:
    limit(database, tenant, documents=2)
    assert client.put("/v1/state/c/1", json=1).status_code == 201
    assert client.put("/v1/state/c/2", json=1).status_code == 201
    before = database.trace(tenant.id)
    assert refused(client.put("/v1/state/c/3", json=1))
    assert refused(client.put("/v1/state/c/3", json=1, headers={"idempotency-key": "k"}))
    assert refused(
        client.patch("/v1/state/c/3", content="{}", headers={"content-type": "application/merge-patch+json"})
    )
    assert database.trace(tenant.id) == before
    assert client.put("/v1/state/c/2", json=2, headers=ANY).status_code == 200
    assert client.delete("/v1/state/c/2", headers=ANY).status_code == 204
    assert client.put("/v1/state/c/3", json=1).status_code == 201


def test_over_the_limit_of_bytes_nothing_is_written_and_a_deletion_works(
    client: httpx.Client, database: Database, tenant: Tenant
) -> None:
    limit(database, tenant, size=10)
    assert client.put("/v1/state/c/1", json="12345678").status_code == 201
    before = database.trace(tenant.id)
    assert refused(client.put("/v1/state/c/2", json=1))
    assert refused(client.put("/v1/state/c/1", json=1, headers=ANY))
    assert database.trace(tenant.id) == before
    assert client.delete("/v1/state/c/1", headers=ANY).status_code == 204


def test_the_refusal_names_the_limits_and_what_is_used_of_them(
    client: httpx.Client, database: Database, tenant: Tenant, api: Served
) -> None:
    limit(database, tenant, documents=1, size=10)
    scopes = [{"collection": "c", "verbs": ["read", "write"]}]
    made = client.post("/v1/keys", json={"name": "c", "role": "writer", "scopes": scopes}).json()
    assert client.put("/v1/state/c/1", json="1234").status_code == 201
    refusal = client.put("/v1/state/c/2", json=1)
    assert refused(refusal)
    assert refusal.json()["detail"].startswith("The tenant has 1 of 1 documents and 6 of 10 bytes. Delete ")
    # Held to its scopes, a key is not told what there is beside them.
    scoped = httpx.put(f"{api.url}/v1/state/c/2", json=1, headers={"authorization": f"Bearer {made['key']}"})
    assert refused(scoped)
    assert scoped.json()["detail"].startswith("Delete documents")


async def test_a_limit_that_cannot_be_read_leaves_the_refusal_as_it_is(
    database: Database, tenant: Tenant
) -> None:
    pool = await app_postgres.pool(database.settings, 1)
    assert await Limits(pool).sentence(tenant.id) == ""
    limit(database, tenant, documents=7)
    assert await Limits(pool).sentence(tenant.id) == "The tenant has 0 of 7 documents. "
    pool.terminate()
    assert await Limits(pool).sentence(tenant.id) == ""


def test_a_transaction_over_a_limit_is_refused_as_a_whole(
    client: httpx.Client, database: Database, tenant: Tenant
) -> None:
    client.put("/v1/state/c/old", json=1)
    limit(database, tenant, documents=1)
    before = database.trace(tenant.id)
    put = [{"op": "put", "collection": "c", "key": str(number), "value": 1} for number in range(2)]
    assert refused(client.post("/v1/transactions", json={"operations": put}))
    assert database.trace(tenant.id) == before
    delete = {"op": "delete", "collection": "c", "key": "old", "concurrency": "last-write-wins"}
    assert client.post("/v1/transactions", json={"operations": [*put, delete]}).status_code == 200


def test_a_limit_moved_below_what_is_there_lets_only_deletions_through(
    client: httpx.Client, database: Database, tenant: Tenant
) -> None:
    client.put("/v1/state/c/1", json=1)
    client.put("/v1/state/c/2", json=1)
    limit(database, tenant, documents=-1)
    assert refused(client.put("/v1/state/c/3", json=1))
    operations = [
        {"op": "delete", "collection": "c", "key": key, "concurrency": "last-write-wins"} for key in "12"
    ]
    assert client.post("/v1/transactions", json={"operations": operations}).status_code == 200


@pytest.mark.parametrize("room", range(7))
async def test_in_a_batch_close_to_the_limit_each_row_is_decided_by_itself(
    pool: asyncpg.Pool, database: Database, tenant: Tenant, room: int
) -> None:
    limit(database, tenant, size=room * 3)
    writes = [
        Write(name=Name(tenant.id, "c", f"{number}"), value="123", digest=digest(b"123"))
        for number in range(6)
    ]
    epoch = database.query("select epoch from vanta.cache_epoch")[0][0]
    results = await Store(pool).write(writes, epoch)
    outcomes = [getattr(result, "outcome", result) for result in results]
    assert outcomes == ["created"] * min(room, 6) + ["quota_exceeded"] * max(6 - room, 0)
    assert counters(database, tenant) == counted(database, tenant)


_operation = st.one_of(
    st.tuples(
        st.just("put"), st.sampled_from("abc"), st.text("xé", max_size=6), st.sampled_from([None, 3600])
    ),
    st.tuples(st.just("delete"), st.sampled_from("abc")),
    st.tuples(st.just("expire"), st.sampled_from("abc")),
    st.tuples(st.just("sweep")),
    st.tuples(st.just("age")),
    st.tuples(st.just("prune")),
    st.tuples(st.just("keep"), st.sampled_from([1, 2, None]), st.sampled_from([0, None])),
    st.tuples(st.just("limit"), st.sampled_from([0, 1, None]), st.sampled_from([0, 20, None])),
    st.tuples(st.just("transact"), st.lists(st.sampled_from("abcd"), min_size=1, max_size=4, unique=True)),
)


def do(client: httpx.Client, database: Database, tenant: Tenant, operation: Sequence[Any]) -> None:
    match operation:
        case ("put", key, value, ttl):
            headers = {**ANY, **({"vanta-ttl": str(ttl)} if ttl else {})}
            client.put(f"/v1/state/c/{key}", json=value, headers=headers)
        case ("delete", key):
            client.delete(f"/v1/state/c/{key}", headers=ANY)
        case ("expire", key):
            database.query(
                "update vanta.document set expires_at = now() where tenant_id = $1 and key = $2",
                tenant.id,
                key,
            )
        case ("sweep",):
            database.query("select vanta.sweep_expired($1, 10)", tenant.id)
        case ("age",):
            database.query(
                "update vanta.document_version set written_at = written_at - interval '40 days' where tenant_id = $1",
                tenant.id,
            )
        case ("prune",):
            database.query("select vanta.prune_versions($1, '', '', 0, 3)", tenant.id)
        case ("keep", versions, days):
            client.put(
                "/v1/collections/c", json={"maxVersions": versions, "keepVersionsDays": days}, headers=ANY
            )
        case ("limit", documents, size):
            limit(database, tenant, documents=documents, size=size)
        case ("transact", keys):
            operations = [
                {"op": "put", "collection": "c", "key": key, "value": [key], "concurrency": "last-write-wins"}
                for key in keys
            ]
            client.post(
                "/v1/transactions",
                content=json.dumps({"operations": operations}),
                headers={"content-type": "application/json"},
            )


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(history=st.lists(_operation, min_size=3, max_size=14))
def test_after_any_history_the_counters_are_what_a_count_finds(
    client: httpx.Client, database: Database, tenant: Tenant, history: list[Any]
) -> None:
    for operation in history:
        do(client, database, tenant, operation)
    assert counters(database, tenant) == counted(database, tenant)
    ((wrong,),) = database.query(
        """
        select count(*) from vanta.document d
        where d.tenant_id = $1 and d.versions <> (
            select count(*) from vanta.document_version v
            where v.tenant_id = $1 and v.collection = d.collection and v.key = d.key)
        """,
        tenant.id,
    )
    assert wrong == 0
