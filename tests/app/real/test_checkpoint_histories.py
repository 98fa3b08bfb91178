"""Checkpoints after any history, of one client and of many at once."""

from concurrent.futures import ThreadPoolExecutor
from random import Random
from typing import Any

import httpx
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from .checkpoints import names, page, put, put_write, stored, values
from .conftest import Database, Served, Tenant

_names = st.sampled_from("0123456789")
_threads = st.sampled_from("tu")
_lists = st.lists(st.sampled_from(["", "a", "bb", "ccc", "dddd"]), max_size=5)
_steps = st.one_of(
    st.tuples(st.just("put"), _threads, _names, _lists, _names),
    st.tuples(st.just("write"), _threads, _names, _lists, st.booleans()),
    st.tuples(st.just("prune"), _threads, st.integers(0, 3)),
    st.tuples(st.just("runs"), st.sampled_from("01")),
    st.tuples(st.just("copy"), _threads, _threads),
)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(_steps, min_size=5, max_size=25))
def test_after_any_history_counters_are_exact_and_values_those_that_were_put(
    client: httpx.Client, database: Database, tenant: Tenant, steps: list[tuple[Any, ...]]
) -> None:
    model: dict[str, dict[str, list[str]]] = {"t": {}, "u": {}}
    for name in model:
        client.delete(f"/v1/agents/planner/threads/{name}")
    for kind, *rest in steps:
        if kind == "put":
            thread, name, items, parent = rest
            run = str(int(name) % 2)
            where = f"/v1/agents/planner/threads/{thread}"
            assert put(client, name, {"m": items}, thread=where, parent=parent, run=run).status_code < 300
            model[thread][name] = items
        elif kind == "write":
            thread, name, items, replace = rest
            if items:
                where = f"/v1/agents/planner/threads/{thread}"
                put_write(client, name, "task", dict(enumerate(items)), thread=where, replace=replace)
        elif kind == "prune":
            thread, keep = rest
            client.post("/v1/agents/planner/prune", json={"threads": [thread], "keep": keep})
            model[thread] = (
                {name: model[thread][name] for name in sorted(model[thread])[-keep:]} if keep else {}
            )
        elif kind == "runs":
            client.post("/v1/agents/planner/delete-runs", json={"runs": rest})
            for thread, kept in model.items():
                model[thread] = {name: items for name, items in kept.items() if str(int(name) % 2) != rest[0]}
        else:
            source, target = rest
            answer = client.post(f"/v1/agents/planner/threads/{source}/copy", json={"target": target})
            if answer.status_code == 201:
                model[target] = dict(model[source])
    for thread, expected in model.items():
        found = page(client, thread=f"/v1/agents/planner/threads/{thread}")
        read = {name: values(found, at)["m"] for at, name in enumerate(names(found))}
        assert read == expected
    counted = stored(database, tenant)
    assert counted["bytes"] == counted["counted"] == counted["counted_for_tenant"]
    # Exactly the parts that some checkpoint has are there.
    strays = database.query(
        """
        select p.thread_no, p.no from vanta.checkpoint_part p
        where p.tenant_id = $1 and not exists (
            select from vanta.checkpoint c where c.thread_no = p.thread_no and c.parts @> p.no)
        """,
        tenant.id,
    )
    assert strays == []


def test_many_who_write_prune_copy_and_delete_at_once_harm_nobody(
    api: Served, database: Database, tenant: Tenant
) -> None:
    threads = [f"t{number}" for number in range(20)]

    def work(seed: int) -> list[int]:
        random = Random(seed)  # noqa: S311 - it decides nothing that is secret
        statuses: list[int] = []
        with httpx.Client(base_url=api.url, headers=tenant.headers, timeout=30) as client:
            for number in range(25):
                where = f"/v1/agents/planner/threads/{random.choice(threads)}"
                few = random.sample(threads, 15)
                statuses += [
                    put(client, f"{number}", {"m": ["same", f"{seed}"]}, thread=where, run="r").status_code,
                    put_write(client, f"{number}", "task", {seed: "w"}, thread=where).status_code,
                    client.post(
                        "/v1/agents/planner/prune", json={"threads": few, "keep": number % 3}
                    ).status_code,
                    client.post(f"{where}/copy", json={"target": random.choice(threads)}).status_code,
                ]
            statuses.append(client.post("/v1/agents/planner/delete-runs", json={"runs": ["r"]}).status_code)
        return statuses

    with ThreadPoolExecutor(6) as executor:
        statuses = [status for done in executor.map(work, range(6)) for status in done]
    assert set(statuses) <= {200, 201, 204, 404, 409}
    counted = stored(database, tenant)
    assert counted["bytes"] == counted["counted"] == counted["counted_for_tenant"]
