"""Deliveries: what a receiver gets, and what happens when it does not take it."""

import asyncio
import json
import time
from uuid import uuid4

import asyncpg
import pytest

from app.events import deliveries as module
from app.events.deliveries import Deliveries
from app.events.outbox import Outbox
from app.events.post import Poster
from app.events.retention import Retention
from app.events.webhook import Webhook, signature
from tests.app.real.conftest import Database, Tenant
from tests.app.real.past import Past

from .process import ATTEMPTS, Process, emit
from .receiver import Receiver


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
