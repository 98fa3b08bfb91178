"""Rewrapping after the rotation of a key: everything stays readable, under the newest keys alone, and a broken run goes on."""

import json
import subprocess
from collections.abc import AsyncIterator, Callable, Iterator
from uuid import UUID

import asyncpg
import pytest

from app import metrics
from app.db.sweep import Sweep
from app.events.webhooks import ROOM as WEBHOOKS
from app.events.webhooks import Webhooks
from app.secrets.data_keys import DataKeys
from app.secrets.envelope import Envelope
from app.secrets.errors import KmsUnavailableError
from app.secrets.kms import Kms, Wrapped
from app.secrets.rewrap import Rewrap, Rewrapped
from app.secrets.secret import ROOM, Caller, Put, Read
from app.secrets.store import SecretStore
from app.secrets.vault import Vault
from local.aws.emulator import Aws
from tests.conftest import PostgresServer, RedisServer

from . import keys as kms_keys
from .conftest import Database, Tenant, command, create_database


@pytest.fixture(scope="module")
def own(
    postgres: PostgresServer, redis_server: RedisServer, tmp_path_factory: pytest.TempPathFactory
) -> Database:
    """A database of these tests alone: rewrapping goes over all tenants."""
    made = create_database(postgres, tmp_path_factory.mktemp("rewrap"), redis_server)
    assert command(made, "migrate").returncode == 0
    return made


@pytest.fixture(scope="module")
def database(own: Database) -> Database:
    """What the tenants of these tests are made in."""
    return own


class Two:
    """The world under one KMS key, and then under another."""

    def __init__(self, pool: asyncpg.Pool, before: Kms, after: Kms, after_arn: str) -> None:
        self.pool = pool
        self.before = before
        self.after = after
        self.after_arn = after_arn

    def vault(self, kms: Kms) -> Vault:
        """A process that has just started."""
        keys = DataKeys(self.pool, kms, seconds=60, days=30)
        return Vault(SecretStore(self.pool), Envelope(keys, ROOM))

    async def rewrap(self, kms: Kms | None = None) -> Rewrapped:
        """A run of the command's work."""
        kms = kms or self.after
        keys = DataKeys(self.pool, kms, seconds=60, days=30)
        return await Rewrap(self.pool, kms, self.after_arn, keys, days=30, seconds=60).run()

    def webhooks(self, kms: Kms) -> Webhooks:
        """The webhooks of a process that has just started."""
        return Webhooks(self.pool, Envelope(DataKeys(self.pool, kms, seconds=60, days=30), WEBHOOKS))


@pytest.fixture
async def two(pool: asyncpg.Pool, aws: Aws, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Two]:
    """Two keys."""
    before, after = kms_keys.make_key(aws), kms_keys.make_key(aws)
    for name, value in kms_keys.environment(aws.endpoint, before).items():
        monkeypatch.setenv(name, value)
    two = Two(pool, Kms(before), Kms(after), after)
    yield two
    two.before.close()
    two.after.close()


@pytest.fixture(autouse=True)
def cleared(database: Database) -> Iterator[None]:
    """No tenant is left to the next test."""
    yield
    database.query("delete from vanta.secret")
    database.query("delete from vanta.webhook")
    database.query("delete from vanta.tenant")


async def fill(vault: Vault, tenant: Tenant, count: int) -> None:
    """Secrets ``s0`` and so on, two versions each."""
    caller = Caller(tenant=tenant.id, by="test", traceparent=None)
    for number in range(count):
        for version in (1, 2):
            await vault.put(
                Put(
                    caller=caller,
                    path=f"s{number}",
                    value=f'"{number}-{version}"'.encode(),
                    ttl=None,
                    metadata=None,
                    max_versions=None,
                    condition="unconditional",
                    etags=(),
                )
            )


async def check(vault: Vault, tenant: Tenant, count: int) -> None:
    """Each of them is still what it was."""
    caller = Caller(tenant=tenant.id, by="test", traceparent=None)
    for number in range(count):
        for version in (1, 2):
            value = await vault.get(Read(caller=caller, path=f"s{number}", version=version))
            assert value
            assert value.value == f'"{number}-{version}"'.encode()


def age(database: Database) -> None:
    """31 days pass for the data keys."""
    database.query("update vanta.data_key set created_at = created_at - interval '31 days'")


def generations(database: Database) -> list[tuple[UUID, int, int]]:
    """Which data keys the versions are sealed with, and how many with each."""
    rows = database.query(
        "select tenant_id, generation, count(*) from vanta.secret_version group by 1, 2 order by 1, 2"
    )
    return [tuple(row) for row in rows]


async def test_under_another_kms_key_all_data_keys_are_wrapped_again_and_the_old_one_is_not_needed(
    two: Two, aws: Aws, new_tenant: Callable[[], Tenant], database: Database
) -> None:
    tenants = [new_tenant() for _ in range(3)]
    for tenant in tenants:
        await fill(two.vault(two.before), tenant, 2)
    done = await two.rewrap()
    assert (done.tenants, done.data_keys, done.versions, done.damaged) == (3, 3, 0, 0)
    ((before,),) = database.query("select distinct kms_key from vanta.data_key")
    assert before == two.after_arn
    kms_keys.kms(aws).disable_key(KeyId=(await two.before.generate(UUID(int=1)))[1].kms_key)
    for tenant in tenants:
        await check(two.vault(two.after), tenant, 2)
    assert (await two.rewrap()).data_keys == 0


async def test_versions_move_to_the_newest_data_key_while_they_stay_what_they_are(
    two: Two, tenant: Tenant, database: Database
) -> None:
    await fill(two.vault(two.after), tenant, 120)
    before = database.query("select path, version, tag, created_at from vanta.secret_version order by 1, 2")
    age(database)
    done = await two.rewrap()
    assert (done.versions, done.damaged) == (240, 0)
    assert generations(database) == [(tenant.id, 2, 240)]
    await check(two.vault(two.after), tenant, 120)
    assert (
        database.query("select path, version, tag, created_at from vanta.secret_version order by 1, 2")
        == before
    )
    assert (await two.rewrap()).versions == 0


class Ailing(Kms):
    """A KMS that stops answering after some calls."""

    def __init__(self, arn: str, calls: int) -> None:
        super().__init__(arn)
        self.calls = calls

    async def unwrap(self, tenant: UUID, wrapped: Wrapped) -> bytes:
        """As ever, while it lasts."""
        self.calls -= 1
        if self.calls < 0:
            raise KmsUnavailableError("KMS cannot be used now (test).")
        return await super().unwrap(tenant, wrapped)


@pytest.mark.parametrize("calls", range(1, 8))
async def test_a_run_that_broke_off_goes_on_where_it_was(
    two: Two, new_tenant: Callable[[], Tenant], database: Database, calls: int
) -> None:
    tenants = [new_tenant() for _ in range(3)]
    for tenant in tenants:
        await fill(two.vault(two.before), tenant, 2)
    age(database)
    ailing = Ailing(two.after_arn, calls)
    try:
        broken = (await two.rewrap(ailing)).versions
    except KmsUnavailableError:
        broken = sum(count for _, generation, count in generations(database) if generation == 2)
    finally:
        ailing.close()
    done = await two.rewrap()
    assert (broken + done.versions, done.damaged) == (12, 0)
    assert [(generation, count) for _, generation, count in generations(database)] == [(2, 4)] * 3
    for tenant in tenants:
        await check(two.vault(two.after), tenant, 2)


async def test_the_secrets_of_webhooks_move_too_and_sign_as_before(
    two: Two, tenant: Tenant, database: Database
) -> None:
    made, secret = await two.webhooks(two.before).create(tenant.id, "https://a.example/", [], [], None)
    age(database)
    done = await two.rewrap()
    assert (done.data_keys, done.webhooks, done.versions, done.damaged) == (1, 1, 0, 0)
    moved = await two.webhooks(two.after).find(tenant.id, made.id)
    assert moved
    assert moved.generation == 2
    assert await two.webhooks(two.after).secret(moved) == secret
    assert (await two.rewrap()).webhooks == 0


async def test_a_data_key_that_nothing_needs_is_removed_once_no_process_can_seal_with_it(
    two: Two, tenant: Tenant, database: Database
) -> None:
    def kept() -> list[int]:
        return [row[0] for row in database.query("select generation from vanta.data_key order by 1")]

    await fill(two.vault(two.after), tenant, 1)
    await two.webhooks(two.after).create(tenant.id, "https://a.example/", [], [], None)
    age(database)
    assert (await two.rewrap()).removed_keys == 0
    # The key that seals now is too young: somebody may have looked up the one before it just now.
    assert kept() == [1, 2]
    database.query(
        "update vanta.data_key set created_at = created_at - interval '3 minutes' where generation = 2"
    )
    database.query("update vanta.webhook set generation = 1")
    assert (await two.rewrap()).removed_keys == 0, "it is in use"
    database.query("update vanta.webhook set generation = 2")
    assert (await two.rewrap()).removed_keys == 1
    assert kept() == [2]
    await check(two.vault(two.after), tenant, 1)
    events = database.query("select subject from vanta.outbox where type = 'vanta.datakey.removed'")
    assert [tuple(row) for row in events] == [("datakeys/1",)]


async def test_what_is_damaged_is_left_counted_and_holds_nothing_up(
    two: Two, tenant: Tenant, new_tenant: Callable[[], Tenant], database: Database
) -> None:
    other = new_tenant()
    for who in (tenant, other):
        await fill(two.vault(two.before), who, 3)
    age(database)
    database.query(
        "update vanta.secret_version set sealed = sealed || '\\x00' where tenant_id = $1 and path = 's0'",
        tenant.id,
    )
    damaged = database.query(
        "select sealed from vanta.secret_version where tenant_id = $1 and path = 's0'", tenant.id
    )
    done = await two.rewrap()
    assert (done.versions, done.damaged) == (10, 2)
    assert (
        database.query(
            "select sealed from vanta.secret_version where tenant_id = $1 and path = 's0'", tenant.id
        )
        == damaged
    )
    await check(two.vault(two.after), other, 3)


async def test_a_version_destroyed_meanwhile_stays_destroyed(
    two: Two, tenant: Tenant, database: Database
) -> None:
    await fill(two.vault(two.after), tenant, 1)
    ((sealed,),) = database.query("select sealed from vanta.secret_version where version = 1")
    database.query(
        "select vanta.change_secret_versions($1, 's0', array[1], 'destroyed', 'test', null)", tenant.id
    )
    again = database.query(
        "select vanta.seal_secrets($1, array['s0'], array[1], array[$2::bytea], array[1], array[$2::bytea])",
        tenant.id,
        sealed,
    )
    assert again == [(0,)]
    assert database.query("select sealed from vanta.secret_version where version = 1") == [(None,)]


async def test_tenants_that_are_being_erased_hold_up_neither_the_run_nor_the_sweep(
    two: Two, new_tenant: Callable[[], Tenant], database: Database
) -> None:
    tenants = [new_tenant() for _ in range(3)]
    for tenant in tenants:
        await fill(two.vault(two.before), tenant, 1)
    age(database)
    database.query("delete from vanta.tenant_head where tenant_id = $1", tenants[1].id)
    await two.rewrap()
    for tenant in (tenants[0], tenants[2]):
        await check(two.vault(two.after), tenant, 1)
    database.query("update vanta.secret_version set expires_at = now()")
    database.query(
        "insert into vanta.session select tenant_id, repeat('0', 64), gen_random_uuid(), 's', 1, '{}', now() from vanta.tenant"
    )
    swept = [
        await Sweep(two.pool, function, counter).sweep()
        for function, counter in (
            ("vanta.sweep_secrets", metrics.SECRETS_EXPIRED),
            ("vanta.sweep_sessions", metrics.SESSIONS_EXPIRED),
        )
    ]
    assert swept == [4, 2]


async def test_the_command_says_what_it_did(two: Two, tenant: Tenant, database: Database, aws: Aws) -> None:
    await fill(two.vault(two.before), tenant, 1)

    def run(*arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
        environment = {**database.environment, **kms_keys.environment(aws.endpoint, two.after_arn), **more}
        return command(Database(environment=environment, settings=database.settings), "rewrap", *arguments)

    done = run("--json")
    assert (done.returncode, json.loads(done.stdout)) == (
        0,
        {"tenants": 1, "dataKeys": 1, "versions": 0, "webhooks": 0, "removedKeys": 0, "damaged": 0},
    )
    assert "1 tenants: 0 data keys" in run().stdout
    away = run(AWS_ENDPOINT_URL="http://127.0.0.1:1", VANTA_KMS_KEY_ARN=kms_keys.make_key(aws))
    assert (away.returncode, "Run it again" in away.stderr) == (3, True)
    unset = run(VANTA_KMS_KEY_ARN="")
    assert (unset.returncode, "VANTA_KMS_KEY_ARN" in unset.stderr) == (4, True)
    wrong = run(VANTA_KMS_KEY_ARN="alias/x")
    assert (wrong.returncode, "VANTA_KMS_KEY_ARN" in wrong.stderr) == (4, True)
    database.query("update vanta.data_key set wrapped = '\\x00', kms_key = ''")
    broken = run()
    assert (broken.returncode, "do not open" in broken.stderr) == (1, True)
