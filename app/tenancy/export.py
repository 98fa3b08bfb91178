"""Everything of a tenant as lines of JSON, as it was at one moment."""

from collections.abc import AsyncIterator, Mapping

import asyncpg
import msgspec

from app.tenancy.tenants import Tenant

#: The tables of an export, each with the columns that are left out of it: hashes, ciphertexts, and what serves only us.
EXPORTED: Mapping[str, tuple[str, ...]] = {
    "agent_retention": (),
    "agent_thread": (),
    "api_key": ("secret_sha256", "previous_sha256"),
    "checkpoint": (),
    "checkpoint_part": ("digest",),
    "checkpoint_write": (),
    "collection": (),
    "dead_letter": (),
    "document": (),
    "document_version": (),
    "issuer": (),
    "outbox": (),
    "secret": (),
    "secret_version": ("sealed", "generation"),
    "session": ("token_sha256",),
    "webhook": ("sealed", "generation", "holder", "held_until"),
}
#: Those that hang on threads: they have no index by tenant, for which every write would pay, and are reached through their threads.
_OF_THREADS = frozenset({"checkpoint", "checkpoint_part", "checkpoint_write"})
#: The tables that hold nothing to take along: counters, wrapped keys, answers that are remembered for a day.
LEFT_OUT = frozenset({"tenant", "tenant_head", "event_cursor", "data_key", "idempotent_answer"})
#: Columns of bytes that a tenant put there itself, so that they may leave.
TENANTS_OWN_BYTES = frozenset({"checkpoint.data", "checkpoint_part.data", "checkpoint_write.data"})

#: How many exports a process makes at a time; the others wait.
CONNECTIONS = 2
# Each up to a few MiB: the memory that an export takes.
_ROWS_AT_ONCE = 16
# How long finding the next of them may take.
_STATEMENT_SECONDS = 60
# A reader that takes nothing for so long would hold back the cleaning of every table.
_IDLE_SECONDS = 60


async def lines(pool: asyncpg.Pool, tenant: Tenant) -> AsyncIterator[bytes]:
    """One line a row, from one snapshot; the first is the tenant, the last says how many lines stand before it.

    Raises what the database raises; without the last line an export is not whole.
    """
    count = 1
    yield _line("tenant", msgspec.json.encode(tenant).decode())
    async with (
        pool.acquire() as connection,
        connection.transaction(isolation="repeatable_read", readonly=True),
    ):
        await connection.execute(
            """
            select set_config('vanta.tenant', $1, true), set_config('statement_timeout', $2, true),
                   set_config('idle_in_transaction_session_timeout', $3, true)
            """,
            str(tenant.tenant_id),
            f"{_STATEMENT_SECONDS}s",
            f"{_IDLE_SECONDS}s",
        )
        for table, omitted in EXPORTED.items():
            async for row in connection.cursor(
                statement(table),
                tenant.tenant_id,
                omitted,
                prefetch=_ROWS_AT_ONCE,
                timeout=_STATEMENT_SECONDS,
            ):
                count += 1
                yield _line(table, row[0])
    yield _line("end", str(count))


def statement(table: str) -> str:
    """What finds the rows of ``table``, one of :data:`EXPORTED`: by an index in any case."""
    row = "select (to_jsonb(t) - $2::text[])::text from"
    if table not in _OF_THREADS:
        return f"{row} vanta.{table} t where t.tenant_id = $1"
    # The offset keeps the planner from turning the threads' rows into a scan of all rows.
    rows = f"(select * from vanta.{table} c where c.thread_no = a.thread_no offset 0)"  # noqa: S608 - of the table above
    return f"{row} vanta.agent_thread a cross join lateral {rows} t where a.tenant_id = $1"


def _line(kind: str, content: str) -> bytes:
    return f'{{"type":"{kind}","data":{content}}}\n'.encode()
