"""The secrets of all tenants. They are never cached: each read is a transaction with its own event."""

import asyncio
import secrets
from uuid import UUID

import asyncpg

from app.secrets.envelope import Envelope
from app.secrets.secret import Added, Outcome, Put, Read, SealedPut, Value
from app.secrets.store import SecretStore, Stored
from app.state.batch import Batcher

_LANES = 2
_AT_ONCE = 64
#: How long a write tries on while others are faster (seconds).
_PUT_SECONDS = 8.0


class Vault:
    """Puts and gets values; raises a :class:`~app.secrets.errors.SealingError`, or what the database raises."""

    def __init__(self, store: SecretStore, envelope: Envelope) -> None:
        self._envelope = envelope
        self._reads = Batcher[Read, Stored | None](
            "secret-read", store.read, identity=id, lanes=_LANES, limit=_AT_ONCE
        )
        self._heads = Batcher[tuple[UUID, str], int](
            "secret-head", store.newest, identity=id, lanes=_LANES, limit=_AT_ONCE
        )
        self._writes = Batcher[SealedPut, tuple[Outcome, int | None]](
            "secret-write", store.put, identity=id, lanes=_LANES, limit=_AT_ONCE
        )

    async def put(self, put: Put) -> Added:
        """Add a version, durable when this returns. Its number is sealed into it, so whoever loses a race seals again."""
        tenant = put.caller.tenant
        tag = secrets.token_hex(8)
        async with asyncio.timeout(_PUT_SECONDS):
            while True:
                version = await self._heads.submit((tenant, put.path)) + 1
                try:
                    sealed = await self._envelope.encrypt(tenant, put.path, version, put.value)
                    outcome, expires_ms = await self._writes.submit(
                        SealedPut(put=put, version=version, tag=tag, sealed=sealed)
                    )
                except asyncpg.ForeignKeyViolationError:
                    # Erased meanwhile: there is no head to write an event under.
                    return Added(outcome="unknown_tenant", version=version, tag=tag, expires_ms=None)
                if outcome != "moved":
                    return Added(outcome=outcome, version=version, tag=tag, expires_ms=expires_ms)

    async def get(self, read: Read) -> Value | None:
        """The value, once the event of its being read is durable."""
        stored = await self._reads.submit(read)
        if stored is None:
            return None
        value = await self._envelope.decrypt(read.caller.tenant, read.path, stored.version, stored.sealed)
        return Value(
            version=stored.version,
            tag=stored.tag,
            value=value,
            created_ms=stored.created_ms,
            expires_ms=stored.expires_ms,
        )
