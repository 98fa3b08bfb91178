"""SQL migrations: numbered files, each applied once, and files of functions, each applied again when it has changed.

Each in its own transaction, by one process at a time. A function stands in one place that way, and its history in Git; a file of
functions must be such that it can be applied over any earlier version of itself.
"""

import hashlib
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import asyncpg

FOLDER = Path(__file__).parent / "migrations"

# Behind a table that long transactions hold, a migration gives up instead of queueing everybody behind itself.
LOCK_TIMEOUT = "5s"
STATEMENT_TIMEOUT = "15min"

_FUNCTIONS = "functions/"

_LEDGER = """
create table if not exists public.vanta_migration (
    name       text primary key,
    sha256     text not null,
    applied_at timestamptz not null default now()
)
"""


class MigrationError(Exception):
    """The database and the files disagree, or a file cannot be applied; nothing of that file was."""


@dataclass(frozen=True, kw_only=True)
class Migration:
    """One SQL file; ``name`` is its file name without ``.sql`` and orders it, after ``functions/`` where it is repeatable."""

    name: str
    sql: str

    @property
    def repeatable(self) -> bool:
        """Whether a changed file is applied again."""
        return self.name.startswith(_FUNCTIONS)

    @property
    def sha256(self) -> str:
        """What the ledger remembers of the content."""
        return hashlib.sha256(self.sql.encode()).hexdigest()


def load(folder: Path = FOLDER) -> list[Migration]:
    """The migrations of ``folder`` in order, functions last: they use the tables."""
    numbered = [(file.stem, file) for file in sorted(folder.glob("[0-9]*.sql"))]
    functions = [(_FUNCTIONS + file.stem, file) for file in sorted((folder / _FUNCTIONS).glob("*.sql"))]
    return [Migration(name=name, sql=file.read_text("utf-8")) for name, file in numbered + functions]


async def pending(connection: asyncpg.Connection, migrations: Sequence[Migration]) -> list[Migration]:
    """Those not applied yet; raises :class:`MigrationError` when history was edited or the database is ahead."""
    if await connection.fetchval("select to_regclass('public.vanta_migration')") is None:
        return list(migrations)
    applied = dict(await connection.fetch("select name, sha256 from public.vanta_migration"))
    known = {migration.name: migration for migration in migrations}
    for name, sha256 in sorted(applied.items()):
        if name not in known:
            raise MigrationError(
                f"The database has migration {name}, which this version lacks: run a newer version."
            )
        if known[name].sha256 != sha256 and not known[name].repeatable:
            raise MigrationError(
                f"Migration {name} was changed after it had been applied: restore its file and add a new migration."
            )
    return [migration for migration in migrations if applied.get(migration.name) != migration.sha256]


async def apply(connection: asyncpg.Connection, migrations: Sequence[Migration]) -> AsyncIterator[Migration]:
    """Apply what is pending, yielding each migration once it is committed.

    A session advisory lock lets a second process wait here and then find nothing to do. Raises
    :class:`MigrationError`; what was yielded before stays applied.
    """
    await connection.execute("select pg_advisory_lock(hashtext('vanta_migration'))")
    try:
        await connection.execute(_LEDGER)
        for migration in await pending(connection, migrations):
            try:
                await _apply_one(connection, migration)
            except asyncpg.PostgresError as error:
                raise MigrationError(
                    f"Migration {migration.name} failed and was rolled back ({error}): "
                    "mend the cause and run migrate again."
                ) from error
            yield migration
    finally:
        await connection.execute("select pg_advisory_unlock(hashtext('vanta_migration'))")


async def _apply_one(connection: asyncpg.Connection, migration: Migration) -> None:
    async with connection.transaction():
        await connection.execute(
            "select set_config('lock_timeout', $1, true), set_config('statement_timeout', $2, true)",
            LOCK_TIMEOUT,
            STATEMENT_TIMEOUT,
        )
        await connection.execute(migration.sql)
        await connection.execute(
            """
            insert into public.vanta_migration (name, sha256) values ($1, $2)
            on conflict (name) do update set sha256 = excluded.sha256, applied_at = now()
            """,
            migration.name,
            migration.sha256,
        )
