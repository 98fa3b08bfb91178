"""Secrets that many write at once: one transaction, in which each is judged for itself."""

import asyncio
from collections.abc import Sequence
from uuid import UUID, uuid4

import asyncpg

from app.secrets.envelope import Sealed
from app.secrets.secret import Caller, Outcome, Put, SealedPut
from app.secrets.store import SecretStore
from tests.app.real.conftest import Database, Tenant


def sealed(
    tenant: UUID, path: str, version: int = 1, *, generation: int = 1, condition: str = "none"
) -> SealedPut:
    put = Put(
        caller=Caller(tenant=tenant, by="k", traceparent=None),
        path=path,
        value=b"",
        ttl=None,
        metadata=None,
        max_versions=None,
        condition=condition,  # ty: ignore[invalid-argument-type] - a test's shorthand
        etags=(),
    )
    return SealedPut(put=put, version=version, tag="t", sealed=Sealed(generation=generation, ciphertext=b"c"))


async def test_each_of_a_batch_is_judged_for_itself_in_one_transaction(
    pool: asyncpg.Pool, database: Database, tenant: Tenant
) -> None:
    await asyncio.to_thread(keyed, database, tenant)
    store = SecretStore(pool)
    assert outcomes(await store.put([sealed(tenant.id, "a")])) == ["created"]
    gone = uuid4()
    done = await store.put(
        [
            sealed(tenant.id, "b"),
            sealed(gone, "b"),
            sealed(tenant.id, "a", 2),
            sealed(tenant.id, "b"),
            sealed(tenant.id, "a", 2, condition="unconditional"),
            sealed(tenant.id, "c", condition="exists"),
        ]
    )
    assert outcomes(done) == [
        "created", "unknown_tenant", "precondition_required", "precondition_required", "replaced", "precondition_failed",
    ]  # fmt: skip
    names = [(tenant.id, "b"), (gone, "b"), (tenant.id, "a"), (tenant.id, "c")]
    assert await store.newest(names) == [1, 0, 2, 0]
    counted = "select count(*), count(distinct xmin::text) from vanta.outbox where tenant_id = $1 and type like 'vanta.secret.%'"
    assert tuple((await asyncio.to_thread(database.query, counted, tenant.id))[0]) == (3, 2)


async def test_one_that_cannot_be_stored_fails_alone(
    pool: asyncpg.Pool, database: Database, tenant: Tenant
) -> None:
    await asyncio.to_thread(keyed, database, tenant)
    store = SecretStore(pool)
    good, bad = await store.put([sealed(tenant.id, "a"), sealed(tenant.id, "b", generation=9)])
    assert good == ("created", None)
    assert isinstance(bad, asyncpg.ForeignKeyViolationError)
    assert await store.newest([(tenant.id, "a"), (tenant.id, "b")]) == [1, 0]


def outcomes(done: Sequence[tuple[Outcome, int | None] | Exception]) -> list[Outcome]:
    """Of a batch in which nothing failed."""
    found = [one[0] for one in done if not isinstance(one, Exception)]
    assert len(found) == len(done)
    return found


def keyed(database: Database, tenant: Tenant) -> None:
    """Give the tenant a data key, which nothing here opens."""
    database.query(
        "insert into vanta.data_key (tenant_id, generation, kms_key, wrapped) values ($1, 1, 'k', 'x')",
        tenant.id,
    )
