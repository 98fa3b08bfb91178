"""A header of a write that its route does not read is refused, and nothing is done."""

import httpx
import pytest

from .test_refusals import assert_problem

AGENT = "/v1/agents/planner"
CHECKPOINT = "1f0a1b2c-0000-6000-8000-000000000001"


@pytest.mark.parametrize(
    ("method", "path", "header"),
    [
        ("PUT", f"{AGENT}/retention", "if-match"),
        ("POST", "/v1/sessions", "idempotency-key"),
        ("PUT", "/v1/secrets/crm/login", "vanta-ttl"),
        ("DELETE", "/v1/state/agents/a", "vanta-ttl"),
        ("POST", "/v1/transactions", "if-match"),
        ("POST", "/v1/keys", "vanta-concurrency"),
    ],
)
def test_it_is_named(client: httpx.Client, method: str, path: str, header: str) -> None:
    refused = client.request(method, path, json={}, headers={header: "nonsense"})
    assert_problem(refused, "unread-header")
    assert header in refused.json()["detail"]


def test_a_thread_outlives_a_delete_with_a_condition(client: httpx.Client) -> None:
    thread = f"{AGENT}/threads/loop"
    writes = {"task": "t", "writes": [{"index": 0, "channel": "c", "type": "json", "data": "MQ=="}]}
    assert client.post(f"{thread}/checkpoints/{CHECKPOINT}/writes", json=writes).status_code == 204
    assert_problem(client.delete(thread, headers={"if-match": '"no such"'}), "unread-header")
    assert client.get(thread).status_code == 200
    assert client.delete(thread).status_code == 204


def test_a_read_goes_on_ignoring_them(client: httpx.Client) -> None:
    assert client.get("/v1/agents", headers={"if-none-match": "*", "if-match": "*"}).status_code == 200


def test_the_answer_to_retention_shows_what_holds(client: httpx.Client) -> None:
    client.put(f"{AGENT}/retention", json={"keepCheckpoints": 5})
    replaced = client.put(f"{AGENT}/retention", json={"keepDays": 1})
    assert (
        replaced.json() == client.get(f"{AGENT}/retention").json() == {"keepCheckpoints": 100, "keepDays": 1}
    )
