"""Operators' keys: they make and end tenants, and read nothing of theirs."""

from datetime import datetime

import asyncpg
import msgspec

from app.tenancy import keys


class OperatorKey(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What is known of an operator's key."""

    id: str
    name: str
    created_at: datetime
    expires_at: datetime | None


async def create(connection: asyncpg.Connection, name: str, days: int | None) -> keys.ApiKey:
    """A new key, which ends after ``days``; ``connection`` is the owner's, the application cannot make one."""
    key = keys.generate()
    await connection.execute(
        """
        insert into vanta.operator_key (key_id, name, secret_sha256, expires_at)
        values ($1, $2, $3, now() + make_interval(days => $4))
        """,
        key.id,
        name,
        key.secret_sha256,
        days,
    )
    return key


async def listed(connection: asyncpg.Connection) -> list[OperatorKey]:
    """All keys, oldest first."""
    rows = await connection.fetch(
        "select key_id, name, created_at, expires_at from vanta.operator_key order by created_at, key_id"
    )
    return [OperatorKey(id=row[0], name=row[1], created_at=row[2], expires_at=row[3]) for row in rows]


async def revoke(connection: asyncpg.Connection, key_id: str) -> bool:
    """Whether there was such a key; processes that remember it refuse it soon (``REMEMBER_SECONDS``)."""
    return await connection.execute("delete from vanta.operator_key where key_id = $1", key_id) == "DELETE 1"
