"""Webhooks over HTTP: made, tried, listed, deleted; and what a tenant cannot have."""

import asyncio
from collections.abc import Callable, Generator
from uuid import UUID

import httpx
import pytest

from app.api.problems import TYPE_PREFIX
from app.events.webhook import secret_text
from app.events.webhooks import TooManyError
from local.aws.emulator import Aws
from tests.app.real import keys
from tests.app.real.conftest import Database, Served, Tenant, eventually, serving

from .process import Process
from .receiver import Receiver


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


async def test_a_tenant_has_a_limited_number(process: Process, tenant: Tenant) -> None:
    made = [process.webhooks.create(tenant.id, "https://example.com/", (), (), None) for _ in range(22)]
    results = await asyncio.gather(*made, return_exceptions=True)
    assert sum(isinstance(result, TooManyError) for result in results) == 2
