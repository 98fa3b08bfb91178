"""How everything was doing at one moment."""

from datetime import datetime
from typing import Literal

import msgspec


class Database(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """The PostgreSQL that was asked."""

    version: str
    standby: bool
    connections: int
    max_connections: int
    oldest_transaction_seconds: float


class Cache(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """The Redis that was asked, and the epoch (docs/adr/0007-state-path.md); ``trusted`` if the epoch is open with this server."""

    status: Literal["up", "down"]
    epoch: Literal["open", "closing", "closed"]
    trusted: bool
    used_bytes: int | None
    clients: int | None


class Replica(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A replica of the database; None is what it does not tell."""

    name: str
    state: str
    lag_bytes: int | None
    lag_seconds: float | None


class Statement(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A slow statement: on average over ``calls``, or one that is running (``calls`` is None)."""

    text: str
    milliseconds: float
    calls: int | None


class Work(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Long work of PostgreSQL on a table; ``done`` of ``total`` blocks, as far as its phase counts them."""

    kind: str
    table: str
    phase: str
    done: int
    total: int


class Migrator(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A process that migrates, or that waits for one that does."""

    state: Literal["running", "waiting for another", "waiting for a lock"]
    seconds: float


class Migrations(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Where the schema stands; ``error`` if database and files disagree."""

    applied: int
    pending: list[str]
    error: str | None
    migrators: list[Migrator]
    work: list[Work]


class Outbox(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Events that are not in Redis Streams yet."""

    tenants: int
    events: int
    oldest_seconds: float


class Writer(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A tenant, and how many changes of its it made a second."""

    tenant_id: str
    name: str
    writes_per_second: float


class Picture(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """All of it; ``api`` is the status of /readyz, "down" if nobody answers."""

    at: datetime
    api: str
    database: Database
    cache: Cache
    replicas: list[Replica]
    statements: list[Statement]
    statements_from: Literal["pg_stat_statements", "pg_stat_activity"]
    migrations: Migrations
    outbox: Outbox
    writers: list[Writer]
