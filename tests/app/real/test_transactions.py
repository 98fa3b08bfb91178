"""Transactions: all or nothing, in one order, and no stale read afterwards."""

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.api.problems import TYPE_PREFIX

from .conftest import Database, Served, Tenant

STATE = "/v1/state/bank"


def op(op: str, key: str, **more: object) -> dict[str, object]:
    return {"op": op, "collection": "bank", "key": key, **more}


def transact(client: httpx.Client, *operations: dict[str, object], **headers: str) -> httpx.Response:
    return client.post("/v1/transactions", json={"operations": operations}, headers=headers)


def put(client: httpx.Client, key: str, value: object) -> str:
    return client.put(f"{STATE}/{key}", json=value, headers={"vanta-concurrency": "last-write-wins"}).headers[
        "etag"
    ]


def test_all_is_done_with_rising_revisions_and_every_outcome_is_told(client: httpx.Client) -> None:
    old, gone, seen = (put(client, key, key) for key in ("old", "gone", "seen"))
    answer = transact(
        client,
        op("put", "new", value={"n": 1}, ttl=3600, ifNoneMatch="*"),
        op("check", "seen", ifMatch=seen),
        op("put", "old", value=None, ifMatch=old),
        op("delete", "gone", ifMatch=gone),
        op("check", "never", ifNoneMatch="*"),
    )
    assert answer.status_code == 200
    new, checked, replaced, deleted, absent = answer.json()["operations"]
    assert (new["outcome"], new["etag"]) == ("created", client.get(f"{STATE}/new").headers["etag"])
    assert new["expiresAt"] == client.get(f"{STATE}/new").headers["vanta-expires-at"]
    assert (checked, absent) == ({"outcome": "checked"}, {"outcome": "checked"})
    assert (replaced["outcome"], replaced["etag"]) == ("replaced", client.get(f"{STATE}/old").headers["etag"])
    assert client.get(f"{STATE}/old").json() is None
    assert deleted == {"outcome": "deleted", "revision": new["revision"] + 2}
    assert replaced["revision"] == new["revision"] + 1
    assert client.get(f"{STATE}/gone").status_code == 404


def test_one_refusal_refuses_all_and_says_which(
    client: httpx.Client, database: Database, tenant: Tenant
) -> None:
    put(client, "there", 1)
    before = database.trace(tenant.id)
    refused = transact(
        client,
        op("put", "a", value=1),
        op("put", "there", value=2),
        op("put", "b", value=1, ifMatch='"0-0"'),
        op("delete", "none"),
        op("check", "never", ifMatch="*"),
    )
    assert (refused.status_code, refused.json()["type"]) == (412, f"{TYPE_PREFIX}transaction-failed")
    assert refused.json()["operations"] == [
        {"index": 1, "type": f"{TYPE_PREFIX}precondition-required"},
        {"index": 2, "type": f"{TYPE_PREFIX}precondition-failed"},
        {"index": 3, "type": f"{TYPE_PREFIX}not-found"},
        {"index": 4, "type": f"{TYPE_PREFIX}precondition-failed"},
    ]
    assert database.trace(tenant.id) == before
    assert client.get(f"{STATE}/a").status_code == 404
    assert client.get(f"{STATE}/there").json() == 1


@pytest.mark.parametrize(
    ("operations", "problem"),
    [
        ([], "invalid-body"),
        ([op("put", str(number), value=1) for number in range(129)], "invalid-body"),
        ([op("put", "a", value=1), op("delete", "a")], "invalid-body"),
        ([op("put", "a")], "invalid-body"),
        ([op("delete", "a", value=1)], "invalid-body"),
        ([op("delete", "a", ttl=5)], "invalid-body"),
        ([op("check", "a")], "invalid-body"),
        ([op("check", "a", concurrency="last-write-wins")], "invalid-body"),
        ([op("get", "a")], "invalid-body"),
        ([op("put", "a", value=1, ttl=0)], "invalid-body"),
        ([op("put", "a", value=1, extra=1)], "invalid-body"),
        ([op("put", "a", value=1, ifMatch="x")], "invalid-precondition"),
        ([op("put", "a", value=1, ifMatch="")], "invalid-precondition"),
        ([op("put", "a", value=1, ifNoneMatch='"x"')], "invalid-precondition"),
        ([op("put", "a", value=1, ifMatch="*", ifNoneMatch="*")], "invalid-precondition"),
        ([op("put", "a/../b", value=1)], "invalid-key"),
        ([{**op("put", "a", value=1), "collection": "A"}], "invalid-collection"),
    ],
)
def test_what_makes_no_sense_is_refused_and_nothing_is_written(
    client: httpx.Client, database: Database, tenant: Tenant, operations: list[Any], problem: str
) -> None:
    before = database.trace(tenant.id)
    assert transact(client, *operations).json()["type"] == f"{TYPE_PREFIX}{problem}"
    assert database.trace(tenant.id) == before


def test_values_are_kept_byte_for_byte(client: httpx.Client) -> None:
    body = b'{"operations": [{"op": "put", "collection": "bank", "key": "a", "value": {"n" : 1.10, "e": "\\u00e9"}}]}'
    headers = {"content-type": "application/json"}
    assert client.post("/v1/transactions", content=body, headers=headers).status_code == 200
    assert client.get(f"{STATE}/a").content == b'{"n" : 1.10, "e": "\\u00e9"}'


def test_money_moved_at_once_by_many_is_neither_lost_nor_made(client: httpx.Client) -> None:
    accounts = "abc"
    for account in accounts:
        put(client, account, 100)

    def move(number: int) -> None:
        source, target = accounts[number % 3], accounts[(number + 1 + number % 2) % 3]
        while True:
            taken, given = client.get(f"{STATE}/{source}"), client.get(f"{STATE}/{target}")
            answer = transact(
                client,
                op("put", source, value=taken.json() - 1, ifMatch=taken.headers["etag"]),
                op("put", target, value=given.json() + 1, ifMatch=given.headers["etag"]),
            )
            if answer.status_code == 200:
                return
            assert answer.status_code == 412

    with ThreadPoolExecutor(6) as executor:
        list(executor.map(move, range(30)))
    assert sum(client.get(f"{STATE}/{account}").json() for account in accounts) == 300


def test_every_read_after_a_transaction_sees_it_though_the_cache_had_what_was_before(
    client: httpx.Client,
) -> None:
    for value in range(30):
        answer = transact(
            client,
            *(op("put", key, value=value, concurrency="last-write-wins") for key in ("x", "y", "z")),
        )
        assert answer.status_code == 200
        assert [client.get(f"{STATE}/{key}").json() for key in ("x", "y", "z")] == [value] * 3


_operations = st.lists(
    st.tuples(
        st.sampled_from(["put", "delete", "check"]),
        st.sampled_from("abcd"),
        st.sampled_from([{}, {"ifMatch": "*"}, {"ifNoneMatch": "*"}, {"concurrency": "last-write-wins"}]),
    ),
    min_size=1,
    max_size=4,
    unique_by=lambda operation: operation[1],
).filter(
    lambda operations: all(
        kind != "check" or said in ({"ifMatch": "*"}, {"ifNoneMatch": "*"}) for kind, _, said in operations
    )
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(there=st.sets(st.sampled_from("abcd")), operations=_operations)
def test_any_transaction_is_done_as_a_whole_or_not_at_all(
    api: Served, new_tenant: Callable[[], Tenant], there: set[str], operations: list[Any]
) -> None:
    with httpx.Client(base_url=api.url, headers=new_tenant().headers) as client:
        for key in there:
            put(client, key, "old")
        fails = {
            index
            for index, (kind, key, said) in enumerate(operations)
            if (key in there and (said == {"ifNoneMatch": "*"} or not said))
            or (key not in there and (said == {"ifMatch": "*"} or kind == "delete"))
        }
        answer = transact(
            client,
            *(
                op(kind, key, **said, **({"value": "new"} if kind == "put" else {}))
                for kind, key, said in operations
            ),
        )
        expected = dict.fromkeys(there, "old")
        if fails:
            assert {refused["index"] for refused in answer.json()["operations"]} == fails
        else:
            assert answer.status_code == 200
            for kind, key, _ in operations:
                if kind == "put":
                    expected[key] = "new"
                elif kind == "delete":
                    expected.pop(key)
        documents = client.get(STATE).json()["documents"]
        assert {document["key"]: document["value"] for document in documents} == expected
        for key in "abcd":
            read = client.get(f"{STATE}/{key}")
            assert (read.json() if read.status_code == 200 else None) == expected.get(key)


@pytest.mark.parametrize(
    ("operation", "verbs", "status"),
    [
        (op("put", "a", value=1), ["write"], 200),
        (op("put", "a", value=1), ["read"], 403),
        (op("check", "a", ifNoneMatch="*"), ["read", "write"], 200),
        (op("check", "a", ifNoneMatch="*"), ["write"], 403),
        ({**op("put", "a", value=1), "collection": "vault"}, ["read", "write"], 403),
    ],
)
def test_each_operation_needs_the_right_of_its_own_collection(
    api: Served,
    database: Database,
    tenant: Tenant,
    operation: dict[str, object],
    verbs: list[str],
    status: int,
) -> None:
    scopes = json.dumps([{"collection": "bank", "verbs": verbs}])
    database.query("update vanta.api_key set scopes = $2 where tenant_id = $1", tenant.id, scopes)
    with httpx.Client(base_url=api.url, headers=tenant.headers) as client:
        assert transact(client, operation).status_code == status


def test_a_transaction_reaches_no_other_tenant(
    api: Served, client: httpx.Client, new_tenant: Callable[[], Tenant]
) -> None:
    etag = put(client, "a", "mine")
    with httpx.Client(base_url=api.url, headers=new_tenant().headers) as other:
        for operation in (
            op("check", "a", ifMatch="*"),
            op("check", "a", ifMatch=etag),
            op("delete", "a", ifMatch=etag),
            op("delete", "a", concurrency="last-write-wins"),
            op("put", "a", value=1, ifMatch=etag),
        ):
            assert transact(other, operation).status_code == 412
        assert transact(other, op("put", "a", value="other", ifNoneMatch="*")).status_code == 200
    assert client.get(f"{STATE}/a").json() == "mine"
