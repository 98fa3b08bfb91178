"""Idempotency-Key: a request that is sent again is answered again, and done once."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from app.api.problems import TYPE_PREFIX
from app.db import postgres as app_postgres
from app.state.sweeper import Sweeper

from .conftest import Database, Served, Tenant, run

PATH = "/v1/state/notes/a"
ANY = {"vanta-concurrency": "last-write-wins"}
KEY = {"idempotency-key": '"8e03978e-40d5-43e8-bc93-6894a57f9324"'}
Send = Callable[[httpx.Client], httpx.Response]


def put(client: httpx.Client) -> httpx.Response:
    return client.put(PATH, json={"n": 1}, headers={**KEY, **ANY, "vanta-ttl": "3600"})


def create(client: httpx.Client) -> httpx.Response:
    return client.put(PATH + "/new", json={"n": 1}, headers={**KEY, "if-none-match": "*"})


def patch(client: httpx.Client) -> httpx.Response:
    headers = {**KEY, "if-match": "*", "content-type": "application/merge-patch+json"}
    return client.patch(PATH, content=b'{"m": 2}', headers=headers)


def delete(client: httpx.Client) -> httpx.Response:
    return client.delete(PATH, headers={**KEY, "if-match": "*"})


def restore(client: httpx.Client) -> httpx.Response:
    revision = client.get("/v1/versions/notes/a").json()["versions"][-1]["revision"]
    return client.post("/v1/versions/notes/a", json={"restore": revision}, headers={**KEY, **ANY})


def transact(client: httpx.Client) -> httpx.Response:
    operations = [
        {"op": "put", "collection": "notes", "key": "t", "value": 1, "ifNoneMatch": "*"},
        {"op": "check", "collection": "notes", "key": "never", "ifNoneMatch": "*"},
        {"op": "delete", "collection": "notes", "key": "a", "ifMatch": "*"},
    ]
    return client.post("/v1/transactions", json={"operations": operations}, headers=KEY)


def said(answer: httpx.Response) -> tuple[object, ...]:
    names = ("etag", "vanta-expires-at", "location", "content-type")
    return (answer.status_code, answer.content, *(answer.headers.get(name) for name in names))


@pytest.mark.parametrize("send", [put, create, patch, delete, restore, transact])
def test_a_request_sent_again_is_answered_the_same_and_done_once(
    client: httpx.Client, database: Database, tenant: Tenant, send: Send
) -> None:
    client.put(PATH, json={"n": 0})
    first = send(client)
    assert first.is_success
    assert "idempotency-replayed" not in first.headers
    # Whatever happens in between.
    client.put(PATH, json="later", headers=ANY)
    before = database.trace(tenant.id)
    again = send(client)
    assert again.headers["idempotency-replayed"] == "true"
    assert said(again) == said(first)
    assert database.trace(tenant.id) == before
    assert client.get(PATH).json() == "later"


@pytest.mark.parametrize("send", [put, patch, transact])
def test_of_requests_at_once_one_writes_and_all_get_its_answer(
    client: httpx.Client, database: Database, tenant: Tenant, send: Send
) -> None:
    client.put(PATH, json={"n": 0})
    revision = database.trace(tenant.id)[3]
    with ThreadPoolExecutor(8) as executor:
        answers = list(executor.map(lambda _: send(client), range(8)))
    assert len({said(answer) for answer in answers}) == 1
    assert answers[0].is_success
    assert sum("idempotency-replayed" not in answer.headers for answer in answers) == 1
    assert database.trace(tenant.id)[3] == revision + (2 if send is transact else 1)


@pytest.mark.parametrize(
    "other",
    [
        lambda client: client.put(PATH, json=2, headers={**KEY, **ANY}),
        lambda client: client.put(PATH, json=1, headers={**KEY, "if-match": "*"}),
        lambda client: client.put(PATH, json=1, headers={**KEY, **ANY, "vanta-ttl": "5"}),
        lambda client: client.put(PATH + "/other", json=1, headers={**KEY, **ANY}),
        patch,
        delete,
        restore,
        transact,
    ],
)
def test_another_request_under_the_same_key_is_refused(
    client: httpx.Client, database: Database, tenant: Tenant, other: Send
) -> None:
    client.put(PATH, json=1, headers={**KEY, **ANY})
    before = database.trace(tenant.id)
    refused = other(client)
    assert (refused.status_code, refused.json()["type"]) == (422, f"{TYPE_PREFIX}idempotency-key-reused")
    assert database.trace(tenant.id) == before


REFUSED: dict[str, tuple[Send, int]] = {
    "428": (lambda client: client.put(PATH, json=2, headers=KEY), 428),
    "412": (lambda client: client.put(PATH, json=2, headers={**KEY, "if-none-match": "*"}), 412),
    "404": (lambda client: client.delete(PATH + "/none", headers=KEY), 404),
    "patch 428": (lambda client: merge(client, {}), 428),
    "patch 412": (lambda client: merge(client, {"if-match": '"0-0"'}), 412),
    "transaction": (
        lambda client: client.post(
            "/v1/transactions",
            json={"operations": [{"op": "check", "collection": "notes", "key": "a", "ifNoneMatch": "*"}]},
            headers=KEY,
        ),
        412,
    ),
}


def merge(client: httpx.Client, headers: dict[str, str]) -> httpx.Response:
    """A patch of the document."""
    said = {**KEY, **headers, "content-type": "application/merge-patch+json"}
    return client.patch(PATH, content=b"{}", headers=said)


def refusal(answer: httpx.Response) -> tuple[object, ...]:
    """What a refusal says, but for the id of its request."""
    return answer.status_code, {**answer.json(), "requestId": ""}


@pytest.mark.parametrize(("send", "status"), REFUSED.values(), ids=REFUSED)
def test_a_refusal_is_the_last_word_whatever_happens_afterwards(
    client: httpx.Client, database: Database, tenant: Tenant, send: Send, status: int
) -> None:
    client.put(PATH, json={})
    first = send(client)
    assert (first.status_code, "idempotency-replayed" in first.headers) == (status, False)
    # Now each of them would be done.
    assert client.delete(PATH, headers=ANY).status_code == 204
    client.put(PATH + "/none", json={})
    before = database.trace(tenant.id)
    again = send(client)
    assert again.headers["idempotency-replayed"] == "true"
    assert refusal(again) == refusal(first)
    assert database.trace(tenant.id) == before


@pytest.mark.parametrize("send", [put, transact])
def test_so_is_that_a_limit_is_reached_though_it_is_raised(
    client: httpx.Client, database: Database, tenant: Tenant, send: Send
) -> None:
    client.put(PATH, json={"n": 0})
    limit = "update vanta.tenant_head set max_bytes = $2 where tenant_id = $1"
    database.query(limit, tenant.id, 7)
    first = send(client)
    assert (first.status_code, first.json()["type"]) == (403, f"{TYPE_PREFIX}quota-exceeded")
    database.query(limit, tenant.id, 1000)
    before = database.trace(tenant.id)
    again = send(client)
    assert again.headers["idempotency-replayed"] == "true"
    # The numbers were of then.
    told, was = again.json(), first.json()
    assert (told["type"], "The tenant has 7 of 7 bytes. " + told["detail"]) == (was["type"], was["detail"])
    assert database.trace(tenant.id) == before


def test_what_is_wrong_with_a_request_itself_leaves_its_key_free(client: httpx.Client) -> None:
    assert client.put(PATH, content=b"{", headers={**KEY, "content-type": "application/json"}).is_error
    assert client.put(PATH, json=1, headers={**KEY, "vanta-ttl": "0"}).is_error
    assert client.put(PATH, json=1, headers=KEY).status_code == 201


def test_a_patch_that_is_overtaken_is_tried_again_under_its_key(client: httpx.Client) -> None:
    client.put(PATH, json={})

    def add(number: int) -> int:
        headers = {
            **ANY,
            "idempotency-key": f"patch-{number}",
            "content-type": "application/merge-patch+json",
        }
        return client.patch(PATH, content=f'{{"m{number}": 1}}'.encode(), headers=headers).status_code

    with ThreadPoolExecutor(8) as executor:
        assert set(executor.map(add, range(24))) == {200}
    assert len(client.get(PATH).json()) == 24


def test_a_key_may_be_bare_or_quoted(client: httpx.Client) -> None:
    first = client.put(PATH, json=1, headers={"idempotency-key": "k1"})
    again = client.put(PATH, json=1, headers={"idempotency-key": '"k1"'})
    assert again.headers["idempotency-replayed"] == "true"
    assert again.headers["etag"] == first.headers["etag"]


@pytest.mark.parametrize("key", [b"", b'""', b'"', b"a b", b'"a', b"x" * 256, "é".encode()])
def test_what_is_no_key_is_refused(client: httpx.Client, key: bytes) -> None:
    refused = client.put(PATH, json=1, headers={b"idempotency-key": key})
    assert (refused.status_code, refused.json()["type"]) == (400, f"{TYPE_PREFIX}invalid-idempotency-key")


def test_tenants_have_keys_of_their_own(
    api: Served, client: httpx.Client, new_tenant: Callable[[], Tenant]
) -> None:
    put(client)
    with httpx.Client(base_url=api.url, headers=new_tenant().headers) as other:
        answer = other.put(PATH, json="another body", headers=KEY)
        assert (answer.status_code, "idempotency-replayed" in answer.headers) == (201, False)
    assert client.get(PATH).json() == {"n": 1}


def test_after_a_day_a_key_is_forgotten_and_swept(
    client: httpx.Client, database: Database, tenant: Tenant
) -> None:
    put(client)
    age = "update vanta.idempotent_answer set recorded_at = recorded_at - interval '24 hours' where tenant_id = $1"
    database.query(age, tenant.id)
    assert "idempotency-replayed" not in put(client).headers
    assert put(client).headers["idempotency-replayed"] == "true"
    database.query(age, tenant.id)

    async def sweep() -> None:
        pool = await app_postgres.pool(database.settings, 1)
        await Sweeper(pool).sweep()
        await pool.close()

    run(sweep())
    assert database.query("select from vanta.idempotent_answer where tenant_id = $1", tenant.id) == []


def test_reads_and_lists_after_a_replay_show_what_is_there_now(client: httpx.Client) -> None:
    put(client)
    client.put(PATH, json="later", headers=ANY)
    for _ in range(3):
        put(client)
        assert client.get(PATH).json() == "later"
