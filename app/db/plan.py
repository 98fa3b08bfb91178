"""What pending migrations would do to those who use the database: the locks that they take, read and not guessed.

Each is rehearsed on an empty database beside the real one, on the same server, and what it has locked is read before its
transaction ends. Nothing of the real database is touched.
"""

import secrets
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager

import asyncpg
import msgspec

from app.db.migrate import Migration, MigrationError, pending

#: What each mode of a lock holds up, the weakest first. PostgreSQL 17 Documentation, 13.3 "Explicit Locking".
HOLDS_UP = {
    "RowShareLock": "nothing that requests do",
    "RowExclusiveLock": "nothing that requests do",
    "ShareUpdateExclusiveLock": "other migrations and vacuum",
    "ShareLock": "writes",
    "ShareRowExclusiveLock": "writes",
    "ExclusiveLock": "writes",
    "AccessExclusiveLock": "reads and writes",
}

Dial = Callable[[str], Awaitable[asyncpg.Connection]]


class Lock(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """The strongest lock on a table that was there before, what it holds up, and how big the real table is."""

    table: str
    mode: str
    holds_up: str
    rows: int
    size_bytes: int


class Planned(msgspec.Struct, frozen=True, kw_only=True):
    """A migration that would be applied."""

    name: str
    sha256: str
    lines: int
    locks: list[Lock]


async def plan(connection: asyncpg.Connection, dial: Dial, migrations: Sequence[Migration]) -> list[Planned]:
    """What is pending in the database of ``connection``; ``dial`` connects to another database of its server.

    Raises:
        MigrationError: history was edited, the database is ahead, or a migration fails already where there is no data.
        asyncpg.InsufficientPrivilegeError: the login may not create the database to rehearse on.
    """
    waiting = await pending(connection, migrations)
    if not waiting:
        return []
    async with _beside(connection, dial) as rehearsal:
        for migration in migrations:
            if migration not in waiting:
                await rehearsal.execute(migration.sql)
        return [
            Planned(
                name=migration.name,
                sha256=migration.sha256,
                lines=len(migration.sql.splitlines()),
                locks=[
                    await _described(connection, table, mode)
                    for table, mode in (await _locked(rehearsal, migration)).items()
                ],
            )
            for migration in waiting
        ]


@asynccontextmanager
async def _beside(connection: asyncpg.Connection, dial: Dial) -> AsyncGenerator[asyncpg.Connection]:
    """An empty database that is gone afterwards."""
    name = f"vanta_plan_{secrets.token_hex(6)}"
    await connection.execute(f"create database {name}")
    try:
        rehearsal = await dial(name)
        try:
            yield rehearsal
        finally:
            await rehearsal.close()
    finally:
        await connection.execute(f"drop database {name} with (force)")


async def _locked(rehearsal: asyncpg.Connection, migration: Migration) -> dict[str, str]:
    """Apply ``migration`` and return the strongest mode in which it holds each table that was there before."""
    tables = await rehearsal.fetch(
        """
        select oid, format('%I.%I', relnamespace::regnamespace, relname) as name from pg_class
        where relkind in ('r', 'p') and relnamespace = to_regnamespace('vanta')
        """
    )
    # By their names before, for one that is dropped has none any more.
    names = {row["oid"]: row["name"] for row in tables}
    try:
        async with rehearsal.transaction():
            await rehearsal.execute(migration.sql)
            held = await rehearsal.fetch(
                """
                select relation, mode from pg_locks
                where pid = pg_backend_pid() and locktype = 'relation' and relation = any($1) and mode = any($2)
                order by array_position($2, mode)
                """,
                list(names),
                list(HOLDS_UP),
            )
    except asyncpg.PostgresError as error:
        raise MigrationError(
            f"Migration {migration.name} fails on an empty database already ({error}): mend it first."
        ) from error
    return {names[row["relation"]]: row["mode"] for row in held}


async def _described(connection: asyncpg.Connection, table: str, mode: str) -> Lock:
    """A table that only an earlier pending migration makes is empty."""
    size = await connection.fetchrow(
        "select greatest(reltuples, 0)::bigint as rows, pg_total_relation_size(oid) as bytes from pg_class where oid = to_regclass($1)",
        table,
    )
    return Lock(
        table=table,
        mode=mode,
        holds_up=HOLDS_UP[mode],
        rows=size["rows"] if size else 0,
        size_bytes=size["bytes"] if size else 0,
    )
