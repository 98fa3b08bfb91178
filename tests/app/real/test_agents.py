"""The states of agents: documents that only agents have, and the agents there are."""

import httpx
import pytest

from .checkpoints import put
from .conftest import Database, Tenant

AGENT = "/v1/agents/planner"


def test_a_state_is_a_document_with_its_preconditions(client: httpx.Client) -> None:
    body = b'{ "goal": 1.10 }'
    headers = {"content-type": "application/json"}
    created = client.put(AGENT, content=body, headers=headers)
    assert created.status_code == 201
    read = client.get(AGENT)
    assert (read.content, read.headers["etag"]) == (body, created.headers["etag"])
    assert client.get(AGENT, headers={"if-none-match": read.headers["etag"]}).status_code == 304
    assert client.put(AGENT, json=2).status_code == 428
    replaced = client.put(AGENT, json=2, headers={"if-match": read.headers["etag"]})
    assert replaced.status_code == 200
    assert client.put(AGENT, json=3, headers={"if-match": read.headers["etag"]}).status_code == 412
    assert client.delete(AGENT).status_code == 428
    assert client.delete(AGENT, headers={"if-match": replaced.headers["etag"]}).status_code == 204
    assert client.get(AGENT).status_code == client.delete(AGENT).status_code == 404


def test_a_state_may_have_a_time_to_live_and_be_written_once(client: httpx.Client) -> None:
    headers = {"vanta-ttl": "3600", "idempotency-key": "k"}
    first = client.put(AGENT, json=1, headers=headers)
    again = client.put(AGENT, json=1, headers=headers)
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.headers["etag"] == first.headers["etag"]
    assert again.headers["idempotency-replayed"] == "true"
    assert "vanta-expires-at" in client.get(AGENT).headers


def test_states_are_in_no_collection_that_can_be_named(client: httpx.Client) -> None:
    client.put(AGENT, json=1)
    assert client.get("/v1/state/_agents/planner").status_code == 400
    assert client.get("/v1/state/_agents").status_code == 400


def test_agents_are_listed_by_name_each_once(client: httpx.Client) -> None:
    for agent in ("b", "d", "a"):
        client.put(f"/v1/agents/{agent}", json=1)
    for agent in ("c", "d", "e"):
        for thread in ("1", "2"):
            put(client, "1", thread=f"/v1/agents/{agent}/threads/{thread}")
    client.put("/v1/agents/0", json=1)
    client.delete("/v1/agents/0", headers={"if-match": "*"})
    found = []
    cursor: dict[str, str] = {}
    while True:
        page = client.get("/v1/agents", params={"limit": 2, **cursor}).json()
        found += [(one["agent"], one["hasState"], one["hasThreads"]) for one in page["agents"]]
        if "cursor" not in page:
            break
        cursor = {"cursor": page["cursor"]}
    assert found == [
        ("a", True, False),
        ("b", True, False),
        ("c", False, True),
        ("d", True, True),
        ("e", False, True),
    ]


def test_threads_are_listed_page_by_page(client: httpx.Client) -> None:
    for thread in "badc":
        put(client, "1", {"a": thread}, thread=f"{AGENT}/threads/{thread}")
    first = client.get(f"{AGENT}/threads?limit=3").json()
    assert [(one["thread"], one["bytes"]) for one in first["threads"]] == [("a", 1), ("b", 1), ("c", 1)]
    last = client.get(f"{AGENT}/threads", params={"cursor": first["cursor"]}).json()
    assert [one["thread"] for one in last["threads"]] == ["d"]
    foreign = client.get("/v1/agents/other/threads", params={"cursor": first["cursor"]})
    assert foreign.json()["type"] == "urn:vanta:problem:invalid-cursor"


def test_what_an_agent_keeps_is_what_was_set(client: httpx.Client) -> None:
    assert client.get(f"{AGENT}/retention").json() == {"keepCheckpoints": 100, "keepDays": None}
    for wanted in ({"keepCheckpoints": 7, "keepDays": 3}, {"keepCheckpoints": 100, "keepDays": None}):
        assert client.put(f"{AGENT}/retention", json=wanted).json() == wanted
        assert client.get(f"{AGENT}/retention").json() == wanted


@pytest.mark.parametrize("wanted", [{"keepCheckpoints": 0}, {"keepDays": 0}, {"keep": 1}, {"keepDays": "1"}])
def test_retention_that_makes_no_sense_is_refused(
    client: httpx.Client, database: Database, tenant: Tenant, wanted: dict[str, object]
) -> None:
    answer = client.put(f"{AGENT}/retention", json=wanted)
    assert (answer.status_code, answer.json()["type"]) == (422, "urn:vanta:problem:invalid-body")
    assert database.query("select from vanta.agent_retention where tenant_id = $1", tenant.id) == []
