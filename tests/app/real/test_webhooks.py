"""Webhooks: what a receiver gets, and what happens when it does not take it."""

import asyncio
import json
import secrets
import threading
import time
from collections.abc import Callable, Generator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import httpx
import pytest

from app.api.problems import TYPE_PREFIX
from app.events import deliveries as module
from app.events.deliveries import Deliveries
from app.events.outbox import Outbox
from app.events.post import Poster
from app.events.retention import Retention
from app.events.webhook import Webhook, secret_text, signature
from app.events.webhooks import ROOM, TooManyError, Webhooks
from app.secrets.data_keys import DataKeys
from app.secrets.envelope import Envelope
from app.secrets.kms import Kms, Wrapped
from local.aws.emulator import Aws
from tests.conftest import PostgresServer, RedisServer

from . import keys
from .conftest import Database, Served, Tenant, command, create_database, eventually, serving
from .past import Past

ATTEMPTS = 3


@dataclass(frozen=True, kw_only=True)
class Got:
    """A request that a receiver got."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def event(self) -> dict[str, Any]:
        return json.loads(self.body)


class Receiver:
    """Takes POSTs; answers with ``status``, which a test may change at any time."""

    def __init__(self) -> None:
        self.got: list[Got] = []
        self.status = 200
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                headers = {name.lower(): value for name, value in self.headers.items()}
                receiver.got.append(Got(path=self.path, headers=headers, body=body))
                self.send_response(receiver.status)
                self.send_header("location", "/elsewhere")
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - http.server's name
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/hook?a=b"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    @property
    def numbers(self) -> list[int]:
        return [got.event["data"]["n"] for got in self.got]


@pytest.fixture
def receiver() -> Generator[Receiver]:
    receiver = Receiver()
    yield receiver
    receiver.close()


class FakeKms(Kms):
    """Wraps nothing: what KMS does is tested with secrets."""

    def __init__(self) -> None:
        pass

    async def generate(self, tenant: UUID) -> tuple[bytes, Wrapped]:  # noqa: ARG002 - as its base
        key = secrets.token_bytes(32)
        return key, Wrapped(kms_key="fake", blob=key)

    async def unwrap(self, tenant: UUID, wrapped: Wrapped) -> bytes:  # noqa: ARG002 - as its base
        return wrapped.blob


@pytest.fixture(scope="module")
def database(
    postgres: PostgresServer, redis_server: RedisServer, tmp_path_factory: pytest.TempPathFactory
) -> Database:
    """A database of this module: nobody else delivers its events."""
    made = create_database(postgres, tmp_path_factory.mktemp("webhooks"), redis_server)
    assert command(made, "migrate").returncode == 0
    return made


@dataclass(frozen=True, kw_only=True)
class Process:
    """What delivers in one process, without its loop: tests say when it looks."""

    webhooks: Webhooks
    deliveries: Deliveries

    async def make(self, tenant: Tenant, url: str, *types: str) -> Webhook:
        webhook, _ = await self.webhooks.create(tenant.id, url, types, (), None)
        self.deliveries.added(tenant.id)
        return webhook

    async def deliver(self) -> None:
        """Look, and wait until what was begun has ended."""
        await self.deliveries.deliver()
        await asyncio.gather(*self.deliveries._under_way)  # noqa: SLF001 - nobody else knows when it ends

    async def state(self, webhook: Webhook) -> Webhook:
        found = await self.webhooks.find(webhook.tenant, webhook.id)
        assert found
        return found


@pytest.fixture
def process(pool: asyncpg.Pool, monkeypatch: pytest.MonkeyPatch) -> Process:
    monkeypatch.setattr(module, "FIRST_WAIT_SECONDS", 0)
    webhooks = Webhooks(pool, Envelope(DataKeys(pool, FakeKms(), seconds=1, days=30), ROOM))
    return Process(
        webhooks=webhooks,
        deliveries=Deliveries(pool, Outbox(pool), webhooks, Poster(private=True), attempts=ATTEMPTS),
    )


def emit(database: Database, tenant: Tenant, first: int, last: int, type_: str = "t") -> None:
    database.query(
        "select vanta.emit($1, $4, 's', null, jsonb_build_object('n', n)) from generate_series($2::int, $3::int) n",
        tenant.id,
        first,
        last,
        type_,
    )


async def test_events_arrive_in_order_and_signed(
    process: Process, receiver: Receiver, database: Database, tenant: Tenant
) -> None:
    webhook = await process.make(tenant, receiver.url, "t")
    emit(database, tenant, 1, 60)
    emit(database, tenant, 0, 0, "other")
    emit(database, tenant, 61, 120)
    for _ in range(3):
        await process.deliver()
    assert receiver.numbers == list(range(1, 121))
    secret = await process.webhooks.secret(webhook)
    for got in receiver.got:
        message_id, timestamp = got.headers["webhook-id"], int(got.headers["webhook-timestamp"])
        assert got.path == "/hook?a=b"
        assert got.headers["content-type"] == "application/cloudevents+json"
        assert got.headers["webhook-signature"] == signature(secret, message_id, timestamp, got.body)
        assert abs(timestamp - time.time()) < 300
    assert len({got.headers["webhook-id"] for got in receiver.got}) == 120
    head = database.query("select revision from vanta.tenant_head where tenant_id = $1", tenant.id)[0][0]
    assert (await process.state(webhook)).delivered == head


async def test_what_is_not_taken_is_sent_again_before_anything_later(
    process: Process, receiver: Receiver, database: Database, tenant: Tenant
) -> None:
    webhook = await process.make(tenant, receiver.url, "t")
    emit(database, tenant, 1, 3)
    receiver.status = 500
    await process.deliver()
    assert (await process.state(webhook)).attempts == 1
    receiver.status = 200
    await process.deliver()
    assert receiver.numbers == [1, 1, 2, 3]
    assert receiver.got[0].headers["webhook-id"] == receiver.got[1].headers["webhook-id"]
    assert (await process.state(webhook)).attempts == 0


async def test_what_took_the_revision_of_a_lost_event_is_another_message(
    process: Process, receiver: Receiver, database: Database, tenant: Tenant
) -> None:
    await process.make(tenant, receiver.url, "t")
    emit(database, tenant, 1, 1)
    await process.deliver()
    past = Past(database, tenant)
    emit(database, tenant, 2, 3)
    await process.deliver()
    past.return_to_it()
    emit(database, tenant, 4, 6)
    await process.deliver()
    assert receiver.numbers == [1, 2, 3, 4, 5, 6]
    # Receivers pass over a message whose id they know.
    assert len({got.headers["webhook-id"] for got in receiver.got}) == 6


@pytest.mark.parametrize("status", [200, 410, 500])
async def test_events_that_are_lost_while_they_are_delivered_move_nothing_in_the_new_past(
    process: Process,
    receiver: Receiver,
    database: Database,
    tenant: Tenant,
    monkeypatch: pytest.MonkeyPatch,
    status: int,
) -> None:
    webhook = await process.make(tenant, receiver.url, "t")
    emit(database, tenant, 1, 1)
    # The claim is not lost, or whoever holds it could note nothing anyway.
    past = Past(database, tenant, but=("webhook",))
    emit(database, tenant, 2, 3)
    send = process.deliveries.send

    async def send_and_lose(to: Webhook, message_id: str, body: bytes) -> None:
        await send(to, message_id, body)
        if len(receiver.got) == 1:
            past.return_to_it()
            emit(database, tenant, 4, 7)
            receiver.status = status

    monkeypatch.setattr(process.deliveries, "send", send_and_lose)
    await process.deliver()
    assert receiver.numbers == [1, 2]
    now = await process.state(webhook)
    assert (now.delivered, now.attempts, now.disabled_at) == (webhook.delivered + 1, 0, None)
    assert await process.webhooks.dead_letters(webhook, 0, 10) == []
    receiver.status = 200
    database.query("update vanta.webhook set held_until = '-infinity' where webhook_id = $1", webhook.id)
    await process.deliver()
    assert receiver.numbers == [1, 2, 4, 5, 6, 7]


async def test_a_redirect_is_not_followed(
    process: Process, receiver: Receiver, database: Database, tenant: Tenant
) -> None:
    await process.make(tenant, receiver.url, "t")
    emit(database, tenant, 1, 1)
    receiver.status = 307
    await process.deliver()
    assert [got.path for got in receiver.got] == ["/hook?a=b"]


async def test_after_the_last_attempt_an_event_is_a_dead_letter_and_the_next_one_is_sent(
    process: Process, receiver: Receiver, database: Database, tenant: Tenant
) -> None:
    webhook = await process.make(tenant, receiver.url, "t")
    emit(database, tenant, 1, 2)
    receiver.status = 503
    for _ in range(ATTEMPTS):
        await process.deliver()
    receiver.status = 200
    await process.deliver()
    assert receiver.numbers == [1] * ATTEMPTS + [2]
    (letter,) = await process.webhooks.dead_letters(webhook, 0, 10)
    assert json.loads(letter.event)["data"] == {"n": 1}
    assert letter.reason == "The answer was 503."
    assert (await process.state(webhook)).disabled_at is None


async def test_a_webhook_that_takes_nothing_is_disabled_and_goes_on_once_enabled(
    process: Process, receiver: Receiver, database: Database, tenant: Tenant
) -> None:
    webhook = await process.make(tenant, receiver.url, "t")
    emit(database, tenant, 1, 20)
    receiver.status = 500
    for _ in range(ATTEMPTS * 10):
        await process.deliver()
    assert len(receiver.got) == ATTEMPTS * module.DEATHS
    assert (await process.state(webhook)).disabled_at is not None
    disabled = database.query(
        "select subject from vanta.outbox where tenant_id = $1 and type = 'vanta.webhook.disabled'", tenant.id
    )
    assert [row[0] for row in disabled] == [f"webhooks/{webhook.id}"]
    receiver.status = 200
    assert await process.webhooks.enable(tenant.id, webhook.id, None)
    await process.deliver()
    assert receiver.numbers[-15:] == list(range(6, 21))


async def test_410_disables_at_once(
    process: Process, receiver: Receiver, database: Database, tenant: Tenant
) -> None:
    webhook = await process.make(tenant, receiver.url, "t")
    emit(database, tenant, 1, 3)
    receiver.status = 410
    for _ in range(3):
        await process.deliver()
    assert receiver.numbers == [1]
    assert (await process.state(webhook)).disabled_at is not None


async def test_when_who_delivers_dies_another_goes_on_where_it_was(
    process: Process, receiver: Receiver, database: Database, tenant: Tenant, pool: asyncpg.Pool
) -> None:
    webhook = await process.make(tenant, receiver.url, "t")
    emit(database, tenant, 1, 5)
    dead = uuid4()
    assert len(await pool.fetch("select from vanta.claim_webhooks($1, $2, 60, 9)", [tenant.id], dead)) == 1
    await process.deliver()
    assert receiver.got == []
    database.query("update vanta.webhook set held_until = now() where webhook_id = $1", webhook.id)
    await process.deliver()
    assert receiver.numbers == [1, 2, 3, 4, 5]
    # It was only asleep: what it notes now must not take the webhook back.
    note = "select vanta.note_delivery($1, $2, $3, 1, 0, true, 0, 60)"
    assert await pool.fetchval(note, tenant.id, webhook.id, dead) is False
    await process.deliver()
    assert len(receiver.got) == 5


async def test_many_processes_send_each_event_once(
    process: Process, receiver: Receiver, database: Database, tenant: Tenant, pool: asyncpg.Pool
) -> None:
    await process.make(tenant, receiver.url, "t")
    others = [
        Deliveries(pool, Outbox(pool), process.webhooks, Poster(private=True), attempts=ATTEMPTS)
        for _ in range(3)
    ]
    emit(database, tenant, 1, 150)
    for other in others:
        other.added(tenant.id)
    for _ in range(3):
        await asyncio.gather(
            process.deliver(), *(Process(webhooks=process.webhooks, deliveries=o).deliver() for o in others)
        )
    assert receiver.numbers == list(range(1, 151))


async def test_events_are_kept_until_a_webhook_has_them_and_no_longer_for_a_disabled_one(
    process: Process, receiver: Receiver, database: Database, tenant: Tenant, pool: asyncpg.Pool
) -> None:
    webhook = await process.make(tenant, receiver.url, "t")
    emit(database, tenant, 1, 5)
    database.query("update vanta.outbox set time = now() - interval '3 days' where tenant_id = $1", tenant.id)
    database.query(
        "insert into vanta.event_cursor (tenant_id, relayed) select tenant_id, revision from vanta.tenant_head"
        " where tenant_id = $1",
        tenant.id,
    )
    retention = Retention(pool, hours=48)
    await retention.sweep()
    kept = "select count(*) from vanta.outbox where tenant_id = $1"
    assert database.query(kept, tenant.id)[0][0] == 5
    database.query("update vanta.webhook set disabled_at = now() where webhook_id = $1", webhook.id)
    await retention.sweep()
    assert database.query(kept, tenant.id)[0][0] == 0
    emit(database, tenant, 7, 7)
    await process.webhooks.enable(tenant.id, webhook.id, None)
    await process.deliver()
    assert receiver.numbers == [7]


async def test_a_tenant_has_a_limited_number(process: Process, tenant: Tenant) -> None:
    made = [process.webhooks.create(tenant.id, "https://example.com/", (), (), None) for _ in range(22)]
    results = await asyncio.gather(*made, return_exceptions=True)
    assert sum(isinstance(result, TooManyError) for result in results) == 2


@pytest.fixture(scope="module")
def api(database: Database, aws: Aws, tmp_path_factory: pytest.TempPathFactory) -> Generator[Served]:
    """A served API that can seal, and may send to this machine."""
    sealing = keys.environment(aws.endpoint, keys.make_key(aws))
    folder = tmp_path_factory.mktemp("served")
    with serving(
        database, folder, VANTA_WEBHOOK_PRIVATE="allow", VANTA_WEBHOOK_ATTEMPTS="1", **sealing
    ) as api:
        yield api


def test_over_http_a_webhook_is_made_tested_listed_and_deleted(
    client: httpx.Client, receiver: Receiver, api: Served, tenant: Tenant, database: Database
) -> None:
    asked = {"url": receiver.url, "types": [], "subjectPrefixes": ["state/agents/"]}
    created = client.post("/v1/webhooks", json=asked)
    assert created.status_code == 201
    made = created.json()
    assert client.post(f"/v1/webhooks/{made['id']}/test").status_code == 204
    assert receiver.got[0].event["type"] == "vanta.webhook.test"
    for collection in ("other", "agents"):
        client.put(f"/v1/state/{collection}/a", json=1)
    eventually(lambda: len(receiver.got) == 2)
    assert receiver.got[1].event["subject"] == "state/agents/a"
    (listed,) = client.get("/v1/webhooks").json()["webhooks"]
    assert {name: listed[name] for name in asked} == asked
    assert listed["state"] == "active"
    assert client.delete(f"/v1/webhooks/{made['id']}").status_code == 204
    assert client.get("/v1/webhooks").json() == {"webhooks": []}
    assert made["secret"].startswith("whsec_")
    shown = [api.log.read_text(), client.get("/v1/events").text]
    assert not any(made["secret"].removeprefix("whsec_") in text for text in shown)
    stored = database.query("select data::text from vanta.outbox where tenant_id = $1", tenant.id)
    assert not any(receiver.url in row[0] for row in stored)


def test_the_secret_is_stored_sealed(client: httpx.Client, receiver: Receiver, database: Database) -> None:
    made = client.post("/v1/webhooks", json={"url": receiver.url}).json()
    row = database.query("select * from vanta.webhook where webhook_id = $1", UUID(made["id"]))[0]
    assert made["secret"] not in secret_text(row["sealed"])
    assert made["secret"].removeprefix("whsec_") not in str(dict(row))


def test_a_dead_letter_can_be_delivered_after_all(client: httpx.Client, receiver: Receiver) -> None:
    receiver.status = 500
    path = "/v1/webhooks/" + client.post("/v1/webhooks", json={"url": receiver.url}).json()["id"]
    assert client.post(f"{path}/test").json()["type"] == TYPE_PREFIX + "delivery-failed"
    client.put("/v1/state/agents/a", json=1)
    eventually(lambda: bool(client.get(f"{path}/dead-letters").json()["deadLetters"]))
    (letter,) = client.get(f"{path}/dead-letters").json()["deadLetters"]
    assert letter["event"]["subject"] == "state/agents/a"
    redeliver = f"{path}/dead-letters/{letter['revision']}/redeliver"
    assert client.post(redeliver).status_code == 502
    receiver.status = 200
    assert client.post(redeliver).status_code == 204
    assert receiver.got[-1].event == letter["event"]
    assert receiver.got[-1].headers["webhook-id"] == receiver.got[-2].headers["webhook-id"]
    assert client.post(redeliver).json()["type"] == TYPE_PREFIX + "dead-letter-not-found"
    assert client.get(f"{path}/dead-letters").json() == {"deadLetters": []}


def test_a_webhook_of_another_tenant_does_not_exist(
    client: httpx.Client, receiver: Receiver, new_tenant: Callable[[], Tenant]
) -> None:
    path = "/v1/webhooks/" + client.post("/v1/webhooks", json={"url": receiver.url}).json()["id"]
    stranger = new_tenant().headers
    answers = [
        client.delete(path, headers=stranger),
        client.post(f"{path}/test", headers=stranger),
        client.get(f"{path}/dead-letters", headers=stranger),
        client.post(f"{path}/dead-letters/1/redeliver", headers=stranger),
        client.delete("/v1/webhooks/none"),
    ]
    assert {answer.json()["type"] for answer in answers} == {TYPE_PREFIX + "webhook-not-found"}
    assert client.get("/v1/webhooks", headers=stranger).json() == {"webhooks": []}
    assert len(client.get("/v1/webhooks").json()["webhooks"]) == 1


@pytest.mark.parametrize(
    ("asked", "problem"),
    [
        ({"url": "https://user@example.com/"}, "invalid-url"),
        ({"url": "https://example.com/", "types": [""]}, "invalid-body"),
        ({"url": "https://example.com/", "secret": "mine"}, "invalid-body"),
        ({"types": []}, "invalid-body"),
        ([], "invalid-body"),
    ],
)
def test_what_cannot_be_made_is_refused(client: httpx.Client, asked: object, problem: str) -> None:
    refused = client.post("/v1/webhooks", json=asked)
    assert (refused.status_code, refused.json()["type"]) == (422, TYPE_PREFIX + problem)
