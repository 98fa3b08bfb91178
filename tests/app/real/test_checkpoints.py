"""Checkpoints: what is put is read, and each thing is kept once."""

import base64
import json
from typing import Any

import httpx
import pytest

from .checkpoints import THREAD, names, page, put, put_write, stored, values, writes
from .conftest import Database, Tenant


def test_a_checkpoint_is_read_as_it_was_put(client: httpx.Client) -> None:
    given = {"messages": ["a", "b", "a"], "none": [], "plan": "go"}
    put(client, "1", {"plan": "old"})
    answer = put(client, "2", given, parent="1", data="rest", metadata={"step": 1.10, "who": {"x": [None]}})
    assert answer.status_code == 201
    found = client.get(f"{THREAD}/checkpoints/2").json()
    (checkpoint,) = found["checkpoints"]
    assert (checkpoint["parent"], base64.b64decode(checkpoint["data"])) == ("1", b"rest")
    assert checkpoint["metadata"] == {"step": 1.10, "who": {"x": [None]}}
    assert values(found) == given
    assert checkpoint["writes"] == []


def test_the_newest_comes_first_and_pages_have_each_once(client: httpx.Client) -> None:
    for number in range(7):
        put(client, f"{number}", {"n": str(number)})
    seen: list[str] = []
    query: dict[str, Any] = {"limit": 3}
    while True:
        found = page(client, **query)
        seen += names(found)
        if "next" not in found:
            break
        query["before"] = found["next"]
    assert seen == ["6", "5", "4", "3", "2", "1", "0"]


def test_a_page_ends_before_it_is_too_large(client: httpx.Client) -> None:
    for number in range(4):
        put(client, f"{number}", data=f"{number}" * 3_000_000)
    found = page(client)
    assert names(found) == ["3", "2"]
    assert names(page(client, before=found["next"])) == ["1", "0"]


def test_namespaces_are_apart(client: httpx.Client) -> None:
    put(client, "1", {"a": "root"})
    put(client, "1", {"a": "child"}, namespace="child:é|x")
    assert values(page(client)) == {"a": "root"}
    assert values(page(client, namespace="child:é|x")) == {"a": "child"}
    listed = client.get(THREAD).json()["namespaces"]
    assert [(one["namespace"], one["checkpoints"]) for one in listed] == [("", 1), ("child:é|x", 1)]


def test_a_filter_compares_members(client: httpx.Client) -> None:
    put(client, "1", metadata={"source": "input", "step": 1})
    put(client, "2", metadata={"source": "loop", "step": 1, "deep": {"a": 1, "b": 2}})
    assert names(page(client, filter={"step": 1})) == ["2", "1"]
    assert names(page(client, filter={"step": 1, "source": "loop"})) == ["2"]
    assert names(page(client, filter={"deep": {"a": 1}})) == []
    assert names(page(client, filter={"deep": {"b": 2, "a": 1}})) == ["2"]


def test_what_did_not_change_is_taken_from_the_parent(client: httpx.Client) -> None:
    put(client, "1", {"a": ["x", "y"], "b": "z"}, version="7")
    answer = put(client, "2", {"a": None}, parent="1", version="7")
    assert answer.status_code == 201
    assert values(page(client, limit=1)) == {"a": ["x", "y"]}


@pytest.mark.parametrize("parent", [{"parent": "1"}, {"parent": "none"}, {}])
def test_what_the_parent_does_not_have_is_refused(
    client: httpx.Client, database: Database, tenant: Tenant, parent: dict[str, Any]
) -> None:
    put(client, "1", {"a": "x"}, version="7")
    before = stored(database, tenant)
    answer = put(client, "2", {"a": None, "b": "new"}, version="8", **parent)
    assert (answer.status_code, answer.json()["type"]) == (409, "urn:vanta:problem:channel-missing")
    assert stored(database, tenant) == before


def test_branches_with_the_same_versions_keep_their_own_values(client: httpx.Client) -> None:
    put(client, "1", {"a": "trunk"}, version="1")
    put(client, "2", {"a": "left"}, parent="1", version="2")
    put(client, "3", {"a": "right"}, parent="1", version="2")
    put(client, "4", {"a": None}, parent="2", version="2")
    found = page(client)
    assert [values(found, at)["a"] for at in range(4)] == ["left", "right", "left", "trunk"]


def test_a_list_that_grows_takes_the_room_of_what_is_new(
    client: httpx.Client, database: Database, tenant: Tenant
) -> None:
    items = [f"message {number}" for number in range(50)]
    for number in range(1, 51):
        put(client, f"{number:02}", {"messages": items[:number]}, version=str(number))
    kept = stored(database, tenant)
    assert (kept["parts"], kept["bytes"]) == (50, sum(len(item) for item in items))
    found = page(client, limit=100)
    assert len(found["parts"]) == 50
    assert [values(found, at)["messages"] for at in range(50)] == [items[: 50 - at] for at in range(50)]
    assert {len(one["channels"]["messages"]["parts"]) for one in found["checkpoints"]} == {1}


def test_putting_again_replaces_and_keeps_what_waits(
    client: httpx.Client, database: Database, tenant: Tenant
) -> None:
    put(client, "1", {"a": "old", "b": "same"})
    put_write(client, "1", "task", {0: "waits"})
    assert put(client, "1", {"a": "new", "b": "same"}).status_code == 200
    found = page(client)
    assert values(found) == {"a": "new", "b": "same"}
    assert writes(found) == [("task", 0, "waits")]
    assert stored(database, tenant)["parts"] == 2


def test_a_write_counts_once_however_often_it_is_put(client: httpx.Client) -> None:
    put(client, "1")
    for value in ("first", "second"):
        assert put_write(client, "1", "task", {0: value, 1: "x"}).status_code == 204
    assert writes(page(client)) == [("task", 0, "first"), ("task", 1, "x")]
    put_write(client, "1", "task", {0: "third"}, replace=True)
    assert writes(page(client)) == [("task", 0, "third"), ("task", 1, "x")]


def test_writes_are_read_in_the_order_of_path_task_and_index(client: httpx.Client) -> None:
    put_write(client, "1", "a", {1: "4", -3: "3"}, path="~2")
    put_write(client, "1", "z", {0: "2"}, path="~1")
    put_write(client, "1", "y", {0: "1"}, path="~1")
    # They may come before their checkpoint does.
    assert names(page(client)) == []
    put(client, "1")
    assert [value for _, _, value in writes(page(client))] == ["1", "2", "3", "4"]


def test_every_change_has_an_event_and_none_has_a_value(
    client: httpx.Client, database: Database, tenant: Tenant
) -> None:
    traceparent = f"00-{'a' * 32}-{'b' * 16}-01"
    client.headers["traceparent"] = traceparent
    put(client, "1", {"a": "canary"}, data="canary", run="r", metadata={"m": "canary"})
    put_write(client, "1", "task", {0: "canary"})
    client.post(f"{THREAD}/copy", json={"target": "u"})
    put(client, "2")
    client.post("/v1/agents/planner/prune", json={"threads": ["t"]})
    client.post("/v1/agents/planner/delete-runs", json={"runs": ["r"]})
    client.put("/v1/agents/planner/retention", json={})
    client.delete(THREAD)
    events = database.query(
        "select type, subject, traceparent, data::text from vanta.outbox where tenant_id = $1 order by revision",
        tenant.id,
    )
    assert [event["type"].removeprefix("vanta.agent.") for event in events] == [
        "checkpoint.put",
        "writes.put",
        "thread.copied",
        "checkpoint.put",
        "thread.pruned",
        "runs.deleted",
        "retention.put",
        "thread.deleted",
    ]
    assert events[0]["subject"] == "agents/planner/threads/t"
    assert json.loads(events[0]["data"]) == {
        "agent": "planner",
        "thread": "t",
        "namespace": "",
        "checkpoint": "1",
    }
    assert {event["traceparent"] for event in events} == {traceparent}
    assert "canary" not in str(events)
    assert base64.b64encode(b"canary").decode() not in str(events)


def test_the_longest_list_can_grow_and_shrink(
    client: httpx.Client, database: Database, tenant: Tenant
) -> None:
    """What takes time with the square of its length would outlive the time a statement has."""
    client.put("/v1/agents/planner/retention", json={"keepCheckpoints": 1})
    items = [str(number) for number in range(50_000)]
    for name, wanted in (("1", items[:-1]), ("2", items), ("3", items[::2])):
        assert put(client, name, {"m": wanted}).status_code == 201
        assert values(page(client)) == {"m": wanted}
    assert stored(database, tenant)["parts"] == 25_000
