"""The webhooks of all tenants, kept in PostgreSQL, each with its secret sealed."""

import secrets
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID, uuid4

import asyncpg

from app.events.webhook import DeadLetter, Webhook
from app.secrets.envelope import Envelope, Sealed

#: The room of the envelope.
ROOM = "webhooks"
#: How many webhooks a tenant has at most.
LIMIT = 20
_SECRET_BYTES = 32
_VERSION = 1

_CREATE = "select vanta.create_webhook($1, $2, $3, $4, $5, $6, $7, $8, $9)"


class TooManyError(Exception):
    """The tenant has :data:`LIMIT` webhooks."""


class Webhooks:
    """Makes, finds and removes; raises what the database raises, and a :class:`~app.secrets.errors.SealingError`."""

    def __init__(self, pool: asyncpg.Pool, envelope: Envelope) -> None:
        self._pool = pool
        self._envelope = envelope

    async def create(
        self, tenant: UUID, url: str, types: Sequence[str], prefixes: Sequence[str], traceparent: str | None
    ) -> tuple[Webhook, bytes]:
        """A new webhook, told of what happens from now on, and its secret; raises :class:`TooManyError`."""
        made, secret = uuid4(), secrets.token_bytes(_SECRET_BYTES)
        sealed = await self._envelope.encrypt(tenant, str(made), _VERSION, secret)
        created_at = await self._pool.fetchval(
            _CREATE,
            tenant,
            made,
            url,
            types,
            prefixes,
            sealed.generation,
            sealed.ciphertext,
            traceparent,
            LIMIT,
        )
        if created_at is None:
            raise TooManyError
        found = await self.find(tenant, made)
        assert found is not None  # noqa: S101 - it has just been made, and nobody else knows its id
        return found, secret

    async def of(self, tenant: UUID) -> list[Webhook]:
        """All webhooks of ``tenant``, the oldest first."""
        rows = await self._pool.fetch("select * from vanta.list_webhooks($1, null)", tenant)
        return [webhook(row) for row in rows]

    async def find(self, tenant: UUID, webhook_id: UUID) -> Webhook | None:
        """The webhook of that id."""
        row = await self._pool.fetchrow("select * from vanta.list_webhooks($1, $2)", tenant, webhook_id)
        return None if row is None else webhook(row)

    async def delete(self, tenant: UUID, webhook_id: UUID, traceparent: str | None) -> bool:
        """Remove it; whether there was one."""
        return await self._pool.fetchval(
            "select vanta.delete_webhook($1, $2, $3)", tenant, webhook_id, traceparent
        )

    async def enable(self, tenant: UUID, webhook_id: UUID, traceparent: str | None) -> bool:
        """Let it go on if it was disabled; whether it was."""
        return await self._pool.fetchval(
            "select vanta.enable_webhook($1, $2, $3)", tenant, webhook_id, traceparent
        )

    async def secret(self, of: Webhook) -> bytes:
        """The key of the signatures."""
        sealed = Sealed(generation=of.generation, ciphertext=of.sealed)
        return await self._envelope.decrypt(of.tenant, str(of.id), _VERSION, sealed)

    async def dead_letters(self, of: Webhook, after: int, limit: int) -> list[DeadLetter]:
        """What was given up, in order, after a revision."""
        rows = await self._pool.fetch(
            "select * from vanta.list_dead_letters($1, $2, $3, $4)", of.tenant, of.id, after, limit
        )
        return [
            DeadLetter(
                revision=row["revision"], event=row["event"], reason=row["reason"], died_at=row["died_at"]
            )
            for row in rows
        ]

    async def remove_dead_letter(self, of: Webhook, revision: int) -> None:
        """It has been delivered after all."""
        await self._pool.execute("select vanta.remove_dead_letter($1, $2, $3)", of.tenant, of.id, revision)


def webhook(row: Mapping[str, Any] | asyncpg.Record) -> Webhook:
    """The webhook that a row of ``vanta.webhook`` holds."""
    return Webhook(
        tenant=row["tenant_id"],
        id=row["webhook_id"],
        url=row["url"],
        types=tuple(row["types"]),
        subject_prefixes=tuple(row["subject_prefixes"]),
        created_at=row["created_at"],
        delivered=row["delivered"],
        attempts=row["attempts"],
        disabled_at=row["disabled_at"],
        generation=row["generation"],
        sealed=row["sealed"],
    )
