"""What PostgreSQL tells of itself, asked as the schema's owner.

Source: PostgreSQL documentation, "Monitoring Database Activity"; Amazon Aurora User Guide, "aurora_replica_status".
"""

from collections.abc import Mapping
from uuid import UUID

import asyncpg

from app.db import migrate
from app.monitor.picture import Database, Migrations, Migrator, Outbox, Replica, Statement, Work

_SLOWEST = 5

_SERVER = """
select current_setting('server_version') as version, pg_is_in_recovery() as standby,
       count(*) as connections, current_setting('max_connections')::int as max_connections,
       coalesce(max(extract(epoch from clock_timestamp() - xact_start)) filter (where pid <> pg_backend_pid()), 0)::float
           as oldest_transaction_seconds
from pg_stat_activity
where backend_type = 'client backend'
"""
_REPLICAS = """
select application_name as name, state, extract(epoch from replay_lag)::float as lag_seconds,
       pg_wal_lsn_diff(case when pg_is_in_recovery() then pg_last_wal_receive_lsn() else pg_current_wal_lsn() end,
                       replay_lsn)::bigint as lag_bytes
from pg_stat_replication
order by 1
"""
# Aurora's readers share the writer's storage and are no replicas to PostgreSQL.
_READERS = """
select server_id as name, 'reader' as state, replica_lag_in_msec::float / 1000 as lag_seconds, null::bigint as lag_bytes
from aurora_replica_status()
where session_id <> 'MASTER_SESSION_ID'
order by 1
"""
_HAS_READERS = "select to_regproc('aurora_replica_status') is not null"
# Where the view was made and its library is not loaded, asking it fails; only a loaded one has settings.
_HAS_STATISTICS = """
select to_regclass('pg_stat_statements') is not null
       and exists (select from pg_settings where name = 'pg_stat_statements.max')
"""
# Utility statements are not shown: unlike the others they stand there with what they were given, even a password's verifier.
_SLOW = """
select query as text, mean_exec_time as milliseconds, calls
from pg_stat_statements
where dbid = (select oid from pg_database where datname = current_database())
    and query ~* '^\\s*(select|with|insert|update|delete|merge)\\M'
order by mean_exec_time desc
limit $1
"""
# The application sends values beside its statements; what other programs write into theirs is nobody's business here.
_RUNNING = """
select case when application_name = 'vanta-api' then query else '(of another program)' end as text,
       extract(epoch from clock_timestamp() - query_start)::float * 1000 as milliseconds, null::bigint as calls
from pg_stat_activity
where state = 'active' and backend_type = 'client backend' and pid <> pg_backend_pid() and datname = current_database()
order by query_start
limit $1
"""
# The lock that migrations take, as pg_locks shows one of 64 bits: in two halves.
_MIGRATORS = """
select case when not l.granted then 'waiting for another'
            when a.wait_event_type = 'Lock' then 'waiting for a lock'
            else 'running' end as state,
       extract(epoch from clock_timestamp() - a.query_start)::float as seconds
from pg_locks l
join pg_stat_activity a using (pid)
where l.locktype = 'advisory' and l.objsubid = 1 and l.database = (select oid from pg_database where datname = current_database())
    and (l.classid::bigint << 32 | l.objid::bigint) = hashtext('vanta_migration')
order by l.granted desc, a.query_start
"""
_WORK = """
select 'create index' as kind, relid::regclass::text as table, phase, blocks_done as done, blocks_total as total
from pg_stat_progress_create_index where datname = current_database()
union all
select 'cluster', relid::regclass::text, phase, heap_blks_scanned, heap_blks_total
from pg_stat_progress_cluster where datname = current_database()
union all
select 'vacuum', relid::regclass::text, phase, heap_blks_scanned, heap_blks_total
from pg_stat_progress_vacuum where datname = current_database()
"""
_APPLIED = "select count(*) from public.vanta_migration"
_TENANTS = "select tenant_id, name from vanta.tenant"
_HEADS = "select tenant_id, head from vanta.read_events($1, array_fill(0::bigint, array[cardinality($1::uuid[])]), 0)"
_LAG = "select * from vanta.relay_lag($1)"


async def server(connection: asyncpg.Connection) -> Database:
    """The server itself."""
    return Database(**await connection.fetchrow(_SERVER))


async def replicas(connection: asyncpg.Connection) -> list[Replica]:
    """Those that stream from it, or Aurora's readers."""
    query = _READERS if await connection.fetchval(_HAS_READERS) else _REPLICAS
    return [Replica(**row) for row in await connection.fetch(query)]


async def statements(connection: asyncpg.Connection) -> tuple[bool, list[Statement]]:
    """Whether there are statistics, and the slowest: of all since these were reset, or of what runs now."""
    kept = await connection.fetchval(_HAS_STATISTICS)
    rows = await connection.fetch(_SLOW if kept else _RUNNING, _SLOWEST)
    return kept, [Statement(**{**row, "text": " ".join(row["text"].split())}) for row in rows]


async def migrations(connection: asyncpg.Connection) -> Migrations:
    """Where the schema stands, and who is at it."""
    applied, pending, error = 0, [], None
    try:
        pending = [migration.name for migration in await migrate.pending(connection, migrate.load())]
        applied = await connection.fetchval(_APPLIED)
    except migrate.MigrationError as disagreement:
        error = str(disagreement)
    except asyncpg.UndefinedTableError:
        pass
    return Migrations(
        applied=applied,
        pending=pending,
        error=error,
        migrators=[Migrator(**row) for row in await connection.fetch(_MIGRATORS)],
        work=[Work(**row) for row in await connection.fetch(_WORK)],
    )


async def names(connection: asyncpg.Connection) -> Mapping[UUID, str]:
    """Every tenant with its name."""
    return dict(await connection.fetch(_TENANTS))


async def heads(connection: asyncpg.Connection, tenants: list[UUID]) -> Mapping[UUID, int]:
    """The revision of each tenant."""
    return dict(await connection.fetch(_HEADS, tenants))


async def outbox(connection: asyncpg.Connection, tenants: list[UUID]) -> Outbox:
    """How much is still to be relayed."""
    rows = await connection.fetch(_LAG, tenants)
    return Outbox(
        tenants=len(rows),
        events=sum(row["events"] for row in rows),
        oldest_seconds=max((row["seconds"] for row in rows), default=0.0),
    )


async def epoch(connection: asyncpg.Connection) -> tuple[str, str]:
    """The state of the cache's epoch, and which server it is with."""
    return tuple(await connection.fetchrow("select state, cache_id from vanta.cache_epoch"))
