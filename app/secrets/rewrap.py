"""After the rotation of a key: data keys wrapped under the KMS key as it is now, what older data keys sealed under the newest,
and those that nothing needs any more removed.

What is still to do is what the tables say, so an interrupted run goes on where it was, and a second one finds nothing.
"""

from uuid import UUID

import asyncpg
import msgspec
import structlog

from app.events.webhooks import ROOM as WEBHOOKS
from app.secrets.data_keys import DataKeys
from app.secrets.envelope import Envelope, Sealed
from app.secrets.errors import DamagedError
from app.secrets.kms import Kms, Wrapped
from app.secrets.secret import ROOM

_AT_ONCE = 100
# How long a write may be under way that has looked up the newest data key just before it was forgotten.
_UNDER_WAY_SECONDS = 60

log = structlog.get_logger()


class Rewrapped(msgspec.Struct, kw_only=True, rename="camel"):
    """How many of each there were; what is ``damaged`` cannot be opened and was left as it is."""

    tenants: int = 0
    data_keys: int = 0
    versions: int = 0
    webhooks: int = 0
    removed_keys: int = 0
    damaged: int = 0


class _Place(msgspec.Struct, frozen=True, kw_only=True):
    """Where sealed values are: the room of their envelope, and the functions that find them and put them back."""

    room: str
    find: str
    put: str


_SECRETS = _Place(
    room=ROOM,
    find="select * from vanta.secrets_to_seal($1, $2, $3, $4, $5)",
    put="select vanta.seal_secrets($1, $2, $3, $4, $5, $6)",
)
_WEBHOOKS = _Place(
    room=WEBHOOKS,
    find="select * from vanta.webhooks_to_seal($1, $2, $3, $4, $5)",
    put="select vanta.seal_webhooks($1, $2, $3, $4, $5, $6)",
)


class Rewrap:
    """Rewraps all tenants; raises a :class:`~app.secrets.errors.SealingError`, or what the database raises.

    ``kms_key`` is the ARN of the key that ``kms`` wraps under, ``days`` how long ago a data key may have been wrapped,
    ``seconds`` for how long processes remember the newest data key.
    """

    def __init__(
        self, pool: asyncpg.Pool, kms: Kms, kms_key: str, keys: DataKeys, *, days: int, seconds: float
    ) -> None:
        self._pool = pool
        self._kms = kms
        self._kms_key = kms_key
        self._keys = keys
        self._days = days
        self._seconds = seconds

    async def run(self) -> Rewrapped:
        """Do all there is to do."""
        done = Rewrapped()
        for (tenant,) in await self._pool.fetch("select tenant_id from vanta.tenant order by tenant_id"):
            done.tenants += 1
            try:
                await self._wrap(tenant, done)
                newest = await self._newest(tenant, done)
                if newest is not None:
                    done.versions += await self._seal(tenant, newest, _SECRETS, done)
                    done.webhooks += await self._seal(tenant, newest, _WEBHOOKS, done)
                    done.removed_keys += await self._pool.fetchval(
                        "select vanta.remove_data_keys($1, $2)", tenant, self._seconds + _UNDER_WAY_SECONDS
                    )
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

    async def _newest(self, tenant: UUID, done: Rewrapped) -> int | None:
        """The generation to seal with, None for a tenant that has nothing sealed, or whose newest key is damaged."""
        if not await self._pool.fetchval("select vanta.has_sealed($1)", tenant):
            return None
        try:
            return (await self._keys.newest(tenant)).generation
        except DamagedError:
            log.warning("rewrap.damaged_newest_key", tenant=tenant)
            done.damaged += 1
            return None

    async def _seal(self, tenant: UUID, newest: int, place: _Place, done: Rewrapped) -> int:
        envelope = Envelope(self._keys, place.room)
        path, version, count = "", 0, 0
        while rows := await self._pool.fetch(place.find, tenant, newest, path, version, _AT_ONCE):
            again: list[tuple[str, int, bytes, int, bytes]] = []
            for path, version, generation, before in rows:
                try:
                    value = await envelope.decrypt(
                        tenant, path, version, Sealed(generation=generation, ciphertext=before)
                    )
                except DamagedError:
                    log.warning(
                        "rewrap.damaged_version",
                        tenant=tenant,
                        room=place.room,
                        version=version,
                        generation=generation,
                    )
                    done.damaged += 1
                    continue
                sealed = await envelope.encrypt(tenant, path, version, value)
                again.append((path, version, before, sealed.generation, sealed.ciphertext))
            if again:
                count += await self._pool.fetchval(place.put, tenant, *map(list, zip(*again, strict=True)))
        return count
