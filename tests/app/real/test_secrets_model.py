"""Secrets against a model: whatever is done in whatever order, what can be read is what the model says."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import asyncpg
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.db import postgres
from app.secrets.data_keys import DataKey, DataKeys
from app.secrets.envelope import Envelope
from app.secrets.secret import ROOM, Caller, Change, Put, Read
from app.secrets.store import SecretStore
from app.secrets.vault import Vault
from app.state.document import Condition

from .conftest import Database, Tenant, run


class OneKey(DataKeys):
    """An open key that no KMS made; its row is there for the reference to it."""

    async def newest(self, tenant: UUID) -> DataKey:
        """Generation 1."""
        await self._pool.execute("select vanta.add_data_key($1, 1, 'none', '\\x00')", tenant)
        return DataKey(1, bytes(32))

    async def find(self, tenant: UUID, generation: int) -> DataKey:  # noqa: ARG002 - there is one
        """The same."""
        return DataKey(generation, bytes(32))


@dataclass
class Kept:
    """A version of the model."""

    value: bytes | None
    deleted: bool = False

    @property
    def lives(self) -> bool:
        return self.value is not None and not self.deleted


class Model:
    """One secret, as the reference describes it."""

    def __init__(self) -> None:
        self.newest = 0
        self.max_versions = 10
        self.versions: dict[int, Kept] = {}

    @property
    def live(self) -> bool:
        return self.newest in self.versions and self.versions[self.newest].lives

    def refusal(self, condition: Condition, *, matches: bool) -> str | None:
        if (condition == "absent" and self.live) or (condition == "exists" and not self.live):
            return "precondition_failed"
        if condition == "match" and not (self.live and matches):
            return "precondition_failed"
        return "precondition_required" if condition == "none" and self.live else None

    def put(self, value: bytes, max_versions: int | None) -> str:
        outcome = "replaced" if self.live else "created"
        self.newest += 1
        self.max_versions = max_versions or self.max_versions
        self.versions[self.newest] = Kept(value)
        self.versions = {n: kept for n, kept in self.versions.items() if n > self.newest - self.max_versions}
        return outcome

    def change(self, versions: list[int], change: Change) -> bool:
        changed = False
        for kept in [self.versions[n] for n in versions if n in self.versions]:
            match change:
                case "deleted" if kept.lives:
                    kept.deleted = changed = True
                case "undeleted" if kept.deleted and kept.value is not None:
                    kept.deleted, changed = False, True
                case "destroyed" if kept.value is not None:
                    kept.value, changed = None, True
        return changed


_CONDITIONS = st.sampled_from(["none", "absent", "exists", "match", "unconditional"])
_STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("put"), _CONDITIONS, st.booleans(), st.none() | st.integers(1, 4)),
        st.tuples(st.just("delete"), _CONDITIONS, st.booleans()),
        st.tuples(
            st.just("change"),
            st.lists(st.integers(1, 8), min_size=1, max_size=3),
            st.sampled_from(["deleted", "undeleted", "destroyed"]),
        ),
    ),
    min_size=4,
    max_size=20,
)


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(_STEPS)
def test_what_can_be_read_is_what_the_model_says(
    database: Database, new_tenant: Callable[[], Tenant], steps: list[tuple[Any, ...]]
) -> None:
    tenant = new_tenant()
    run(_follow(database, tenant, steps))


async def _follow(database: Database, tenant: Tenant, steps: list[tuple[Any, ...]]) -> None:
    pool = await postgres.pool(database.settings, 2)
    try:
        async with asyncio.timeout(60):
            await _compare(pool, tenant, steps)
    finally:
        pool.terminate()


async def _compare(pool: asyncpg.Pool, tenant: Tenant, steps: list[tuple[Any, ...]]) -> None:
    store = SecretStore(pool)
    vault = Vault(store, Envelope(OneKey(pool, None, seconds=1, days=1), ROOM))
    model, caller, tag = Model(), Caller(tenant=tenant.id, by="test", traceparent=None), "0-none"
    for number, (step, *arguments) in enumerate(steps):
        if step == "change":
            versions, change = arguments
            assert await store.change(caller, "p", versions, change) == model.change(versions, change)
        else:
            condition, matches, *limit = arguments
            refusal = model.refusal(condition, matches=matches)
            etags = (tag,) if matches else ("1-other",)
            if step == "delete":
                outcome = await store.delete(caller, "p", condition, etags)
                gone = refusal is None and model.change([model.newest], "deleted")
                assert outcome == (refusal or ("deleted" if gone else "not_found"))
            else:
                value = str(number).encode()
                put = Put(
                    caller=caller,
                    path="p",
                    value=value,
                    ttl=None,
                    metadata=None,
                    max_versions=limit[0],
                    condition=condition,
                    etags=etags,
                )
                added = await vault.put(put)
                assert added.outcome == (refusal or model.put(value, limit[0]))
        newest = await vault.get(Read(caller=caller, path="p", version=None))
        assert (newest and newest.value) == (model.versions[model.newest].value if model.live else None)
        tag = f"{newest.version}-{newest.tag}" if newest else "0-none"
        for version in range(1, model.newest + 2):
            kept = model.versions.get(version)
            read = await vault.get(Read(caller=caller, path="p", version=version))
            assert (read and read.value) == (kept.value if kept and kept.lives else None)
        described = await store.describe(tenant.id, "p")
        kept_numbers = [version.version for version in described.versions] if described else []
        assert kept_numbers == sorted(model.versions, reverse=True)
