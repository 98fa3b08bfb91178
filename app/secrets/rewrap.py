"""After the rotation of a key: data keys wrapped under the KMS key as it is now, old versions sealed under the newest data key.

What is still to do is what the tables say, so an interrupted run goes on where it was, and a second one finds nothing.
"""

from uuid import UUID

import asyncpg
import msgspec
import structlog

from app.secrets.data_keys import DataKeys
from app.secrets.envelope import Envelope, Sealed
from app.secrets.errors import DamagedError
from app.secrets.kms import Kms, Wrapped
from app.secrets.secret import ROOM

_AT_ONCE = 100

log = structlog.get_logger()


class Rewrapped(msgspec.Struct, kw_only=True, rename="camel"):
    """How many of each there were; ``damaged`` versions and keys cannot be opened and were left as they are."""

    tenants: int = 0
    data_keys: int = 0
    versions: int = 0
    damaged: int = 0


class Rewrap:
    """Rewraps all tenants; raises a :class:`~app.secrets.errors.SealingError`, or what the database raises.

    ``kms_key`` is the ARN of the key that ``kms`` wraps under, ``days`` how long ago a data key may have been wrapped.
    """

    def __init__(self, pool: asyncpg.Pool, kms: Kms, kms_key: str, keys: DataKeys, *, days: int) -> None:
        self._pool = pool
        self._kms = kms
        self._kms_key = kms_key
        self._keys = keys
        self._envelope = Envelope(keys, ROOM)
        self._days = days

    async def run(self) -> Rewrapped:
        """Do all there is to do."""
        done = Rewrapped()
        for (tenant,) in await self._pool.fetch("select tenant_id from vanta.tenant order by tenant_id"):
            done.tenants += 1
            try:
                await self._wrap(tenant, done)
                await self._seal(tenant, done)
            except asyncpg.ForeignKeyViolationError:
                log.warning("rewrap.erased", tenant=tenant)
        return done

    async def _wrap(self, tenant: UUID, done: Rewrapped) -> None:
        for generation, kms_key, blob in await self._pool.fetch(
            "select * from vanta.data_keys_to_wrap($1, $2, $3)", tenant, self._kms_key, self._days
        ):
            try:
                key = await self._kms.unwrap(tenant, Wrapped(kms_key=kms_key, blob=blob))
            except DamagedError:
                log.warning("rewrap.damaged_key", tenant=tenant, generation=generation)
                done.damaged += 1
                continue
            wrapped = await self._kms.wrap(tenant, key)
            await self._pool.execute(
                "select vanta.wrap_data_key($1, $2, $3, $4)",
                tenant,
                generation,
                wrapped.kms_key,
                wrapped.blob,
            )
            done.data_keys += 1

    async def _seal(self, tenant: UUID, done: Rewrapped) -> None:
        path, version = "", 0
        if not await self._pool.fetchval("select vanta.has_secrets($1)", tenant):
            return
        try:
            newest = (await self._keys.newest(tenant)).generation
        except DamagedError:
            log.warning("rewrap.damaged_newest_key", tenant=tenant)
            done.damaged += 1
            return
        while rows := await self._pool.fetch(
            "select * from vanta.secrets_to_seal($1, $2, $3, $4, $5)", tenant, newest, path, version, _AT_ONCE
        ):
            again: list[tuple[str, int, bytes, int, bytes]] = []
            for path, version, generation, before in rows:
                try:
                    value = await self._envelope.decrypt(
                        tenant, path, version, Sealed(generation=generation, ciphertext=before)
                    )
                except DamagedError:
                    log.warning(
                        "rewrap.damaged_version", tenant=tenant, version=version, generation=generation
                    )
                    done.damaged += 1
                    continue
                sealed = await self._envelope.encrypt(tenant, path, version, value)
                again.append((path, version, before, sealed.generation, sealed.ciphertext))
            if again:
                done.versions += await self._pool.fetchval(
                    "select vanta.seal_secrets($1, $2, $3, $4, $5, $6)",
                    tenant,
                    *map(list, zip(*again, strict=True)),
                )
