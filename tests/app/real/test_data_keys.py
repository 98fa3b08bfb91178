"""Data keys: made once, opened once for many, forgotten again; without KMS nothing is sealed or opened."""

import asyncio
from collections.abc import Iterator
from uuid import UUID

import asyncpg
import pytest

from app import metrics
from app.secrets.data_keys import DataKeys
from app.secrets.envelope import Envelope
from app.secrets.errors import DamagedError, KmsUnavailableError
from app.secrets.kms import Kms, Wrapped
from local.aws.emulator import Aws

from . import keys as kms_keys
from .conftest import Database, Tenant


@pytest.fixture(scope="module")
def key(aws: Aws) -> str:
    """A KMS key."""
    return kms_keys.make_key(aws)


@pytest.fixture
def kms(aws: Aws, key: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Kms]:
    """KMS as the application uses it."""
    for name, value in kms_keys.environment(aws.endpoint, key).items():
        monkeypatch.setenv(name, value)
    kms = Kms(key)
    yield kms
    kms.close()


def calls(operation: str) -> float:
    """How many calls of KMS this process has made."""
    return metrics.KMS_CALLS.labels(operation, "ok")._value.get()  # noqa: SLF001 - no other way to ask


async def test_many_that_wait_cost_one_call_and_one_key(
    pool: asyncpg.Pool, kms: Kms, tenant: Tenant, database: Database
) -> None:
    before = calls("generate_data_key")
    keys = DataKeys(pool, kms, seconds=60, days=30)
    made = await asyncio.gather(*(keys.newest(tenant.id) for _ in range(50)))
    assert {key.generation for key in made} == {1}
    assert calls("generate_data_key") == before + 1
    other = DataKeys(pool, kms, seconds=60, days=30)
    before = calls("decrypt")
    opened = await asyncio.gather(*(other.find(tenant.id, 1) for _ in range(50)))
    assert {key.key for key in opened} == {made[0].key}
    assert calls("decrypt") == before + 1
    assert database.query("select count(*) from vanta.data_key where tenant_id = $1", tenant.id)[0][0] == 1


async def test_of_two_processes_one_makes_the_key_and_both_use_it(
    pool: asyncpg.Pool, kms: Kms, tenant: Tenant
) -> None:
    processes = [DataKeys(pool, kms, seconds=60, days=30) for _ in range(4)]
    made = await asyncio.gather(*(keys.newest(tenant.id) for keys in processes))
    assert len({(key.generation, key.key) for key in made}) == 1


async def test_one_that_gives_up_does_not_take_the_key_from_the_others(
    pool: asyncpg.Pool, kms: Kms, tenant: Tenant
) -> None:
    keys = DataKeys(pool, kms, seconds=60, days=30)
    first = asyncio.create_task(keys.newest(tenant.id))
    second = asyncio.create_task(keys.newest(tenant.id))
    await asyncio.sleep(0)
    first.cancel()
    assert (await second).generation == 1


async def test_an_old_key_seals_no_more_but_still_opens(
    pool: asyncpg.Pool, kms: Kms, tenant: Tenant, database: Database
) -> None:
    envelope = Envelope(DataKeys(pool, kms, seconds=60, days=30), "secrets")
    old = await envelope.encrypt(tenant.id, "a", 1, b"value")
    database.query(
        "update vanta.data_key set created_at = created_at - interval '31 days' where tenant_id = $1",
        tenant.id,
    )
    later = Envelope(DataKeys(pool, kms, seconds=60, days=30), "secrets")
    new = await later.encrypt(tenant.id, "a", 2, b"value")
    assert (old.generation, new.generation) == (1, 2)
    assert await later.decrypt(tenant.id, "a", 1, old) == b"value"


async def test_an_open_key_is_forgotten_in_time(pool: asyncpg.Pool, kms: Kms, tenant: Tenant) -> None:
    keys = DataKeys(pool, kms, seconds=0.01, days=30)
    await keys.newest(tenant.id)
    async with asyncio.timeout(20):
        while keys._open or keys._newest:  # noqa: ASYNC110, SLF001 - a timer sets no event, and what must be gone is in no public place
            await asyncio.sleep(0.005)
    before = calls("decrypt")
    await keys.find(tenant.id, 1)
    assert calls("decrypt") == before + 1


async def test_a_data_key_of_one_tenant_is_nothing_to_another(kms: Kms) -> None:
    _, wrapped = await kms.generate(UUID(int=2))
    with pytest.raises(DamagedError):
        await kms.unwrap(UUID(int=1), wrapped)


async def test_a_generation_that_is_not_there_opens_nothing(
    pool: asyncpg.Pool, kms: Kms, tenant: Tenant
) -> None:
    with pytest.raises(DamagedError):
        await DataKeys(pool, kms, seconds=60, days=30).find(tenant.id, 7)


async def test_without_kms_nothing_is_sealed_and_nothing_left_behind(
    pool: asyncpg.Pool, key: str, tenant: Tenant, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in kms_keys.environment("http://127.0.0.1:1", key).items():
        monkeypatch.setenv(name, value)
    kms = Kms(key)
    with pytest.raises(KmsUnavailableError):
        await Envelope(DataKeys(pool, kms, seconds=60, days=30), "secrets").encrypt(
            tenant.id, "a", 1, b"value"
        )
    assert database.query("select from vanta.data_key where tenant_id = $1", tenant.id) == []
    kms.close()


@pytest.mark.usefixtures("kms")
async def test_a_disabled_key_is_kms_unavailable_and_no_damage(aws: Aws) -> None:
    disabled = kms_keys.make_key(aws)
    other = Kms(disabled)
    _, wrapped = await other.generate(UUID(int=1))
    kms_keys.kms(aws).disable_key(KeyId=disabled)
    for ask in (other.generate(UUID(int=1)), other.unwrap(UUID(int=1), wrapped)):
        with pytest.raises(KmsUnavailableError):
            await ask
    other.close()


async def test_kms_finds_the_key_of_a_data_key_itself(aws: Aws, kms: Kms) -> None:
    former = Kms(kms_keys.make_key(aws))
    key, wrapped = await former.generate(UUID(int=1))
    assert await kms.unwrap(UUID(int=1), wrapped) == key
    again = await kms.wrap(UUID(int=1), key)
    assert again.kms_key != wrapped.kms_key
    assert await former.unwrap(UUID(int=1), again) == key
    former.close()


async def test_a_changed_wrapped_key_opens_nothing(kms: Kms) -> None:
    _, wrapped = await kms.generate(UUID(int=1))
    cut = Wrapped(kms_key=wrapped.kms_key, blob=wrapped.blob[:60])
    with pytest.raises(DamagedError):
        await kms.unwrap(UUID(int=1), cut)
