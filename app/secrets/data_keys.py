"""The data keys of tenants: wrapped in PostgreSQL, open in memory for a while.

A tenant's keys are numbered by generation; the newest seals, all of them open. An open key is never written anywhere.
"""

import asyncio
from collections.abc import Callable, Coroutine, Hashable
from typing import Any, TypeVar
from uuid import UUID

import asyncpg

from app.secrets.errors import DamagedError, NotConfiguredError
from app.secrets.kms import Kms, Wrapped

#: How many open keys are remembered at most, the oldest forgotten first.
REMEMBERED = 10_000

_NEWEST = "select * from vanta.newest_data_key($1, $2)"
_FIND = "select * from vanta.find_data_key($1, $2)"
_ADD = "select vanta.add_data_key($1, $2, $3, $4)"

What = TypeVar("What", bound=Hashable)
Value = TypeVar("Value")


class DataKey:
    """An open data key."""

    __slots__ = ("generation", "key")

    def __init__(self, generation: int, key: bytes) -> None:
        self.generation = generation
        self.key = key

    def __repr__(self) -> str:
        return f"DataKey(generation={self.generation})"


class DataKeys:
    """Opens data keys with ``kms`` (None: this process can seal nothing), and remembers them for ``seconds``.

    A key of ``days`` or older seals no more: the next value gets a new one. Both methods raise a
    :class:`~app.secrets.errors.SealingError`, or what the database raises.
    """

    def __init__(self, pool: asyncpg.Pool, kms: Kms | None, *, seconds: float, days: int) -> None:
        self._pool = pool
        self._kms = kms
        self._seconds = seconds
        self._days = days
        self._open: dict[tuple[UUID, int], DataKey] = {}
        self._newest: dict[UUID, int] = {}
        self._under_way: dict[Hashable, asyncio.Task[DataKey]] = {}

    async def newest(self, tenant: UUID) -> DataKey:
        """The key that seals for ``tenant`` now; it is made if there is none, or none young enough."""
        generation = self._newest.get(tenant)
        if generation is not None:
            return await self.find(tenant, generation)
        return await self._once(tenant, lambda: self._look_up_newest(tenant))

    async def find(self, tenant: UUID, generation: int) -> DataKey:
        """The key of ``generation``; raises :class:`DamagedError` if there is none."""
        key = self._open.get((tenant, generation))
        if key is not None:
            return key
        return await self._once((tenant, generation), lambda: self._look_up(tenant, generation))

    async def _look_up_newest(self, tenant: UUID) -> DataKey:
        kms = self._usable()
        while (row := await self._pool.fetchrow(_NEWEST, tenant, self._days)) is None or not row["young"]:
            key, wrapped = await kms.generate(tenant)
            generation = row["generation"] + 1 if row else 1
            # Of two processes one adds its key, and the other finds that one.
            if await self._pool.fetchval(_ADD, tenant, generation, wrapped.kms_key, wrapped.blob):
                return self._remember_newest(tenant, DataKey(generation, key))
        return self._remember_newest(tenant, await self.find(tenant, row["generation"]))

    async def _look_up(self, tenant: UUID, generation: int) -> DataKey:
        kms = self._usable()
        row = await self._pool.fetchrow(_FIND, tenant, generation)
        if row is None:
            raise DamagedError("The data key of the sealed value is gone.")
        key = await kms.unwrap(tenant, Wrapped(kms_key=row["kms_key"], blob=row["wrapped"]))
        return self._remember(tenant, DataKey(generation, key))

    def _usable(self) -> Kms:
        if self._kms is None:
            raise NotConfiguredError("VANTA_KMS_KEY_ARN is not set.")
        return self._kms

    def _remember_newest(self, tenant: UUID, key: DataKey) -> DataKey:
        _keep(self._newest, tenant, key.generation, self._seconds)
        return self._remember(tenant, key)

    def _remember(self, tenant: UUID, key: DataKey) -> DataKey:
        _keep(self._open, (tenant, key.generation), key, self._seconds)
        return key

    async def _once(self, what: Hashable, make: Callable[[], Coroutine[Any, Any, DataKey]]) -> DataKey:
        """What ``make`` makes; whoever asks for the same meanwhile waits for the same."""
        task = self._under_way.get(what)
        if task is None:
            task = self._under_way[what] = asyncio.create_task(make())
            task.add_done_callback(lambda done: self._ended(what, done))
        # One that gives up must not take it away from the others.
        return await asyncio.shield(task)

    def _ended(self, what: Hashable, task: asyncio.Task[DataKey]) -> None:
        del self._under_way[what]
        if not task.cancelled():
            # Who waited has it; where all gave up, nobody need hear of it.
            task.exception()


def _keep(kept: dict[What, Value], what: What, value: Value, seconds: float) -> None:
    """Put ``value`` into ``kept`` for at most ``seconds``: by a timer, so that no key stays in memory because nobody asks for it."""
    kept[what] = value
    asyncio.get_running_loop().call_later(seconds, kept.pop, what, None)
    if len(kept) > REMEMBERED:
        del kept[next(iter(kept))]
