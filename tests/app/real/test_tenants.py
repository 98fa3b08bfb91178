"""Tenants over HTTP: onboarding, quotas, suspension."""

import json
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest

from app.api.routes import ROUTES

from .conftest import Database, Served, Tenant, make_operator_key, serving
from .operators import name, onboarded, problem


def test_a_tenant_made_in_one_call_can_work_at_once(operator: httpx.Client, database: Database) -> None:
    quotas = {"maxDocuments": 10, "maxBytes": 100_000, "rate": {"perSecond": 100, "burst": 200}}
    made, headers = onboarded(operator, quotas=quotas)
    assert operator.get(made["welcome"], headers=headers).json()["welcome"]
    assert operator.put("/v1/state/a/b", json=1, headers=headers).status_code == 201
    own = operator.get("/v1/tenants/current", headers=headers).json()
    assert own == operator.get(f"/v1/tenants/{made['tenantId']}").json()
    assert (own["name"], own["quotas"], own["documents"], own["suspended"]) == (
        made["name"],
        quotas,
        2,
        False,
    )
    assert own["bytes"] > 1
    rows = database.query(
        "select * from vanta.outbox where tenant_id::text = $1 order by revision", made["tenantId"]
    )
    assert [row["type"] for row in rows][:2] == [
        "vanta.tenancy.tenant.created",
        "vanta.state.document.created",
    ]
    assert made["key"].rsplit("_", 1)[1] not in str(rows)
    assert made["name"] not in str(rows)


def test_a_quota_set_here_is_kept_there(operator: httpx.Client) -> None:
    made, headers = onboarded(operator, quotas={"maxDocuments": 2})
    assert operator.put("/v1/state/a/1", json=1, headers=headers).status_code == 201
    assert problem(operator.put("/v1/state/a/2", json=1, headers=headers)) == "quota-exceeded"
    changed = operator.patch(f"/v1/tenants/{made['tenantId']}", json={"maxDocuments": 3})
    assert changed.json()["quotas"]["maxDocuments"] == 3
    assert operator.put("/v1/state/a/2", json=1, headers=headers).status_code == 201


def test_what_a_change_leaves_out_stays(operator: httpx.Client, database: Database) -> None:
    quotas = {"maxDocuments": 5, "maxBytes": 9, "rate": {"perSecond": 1, "burst": 2}}
    made, _ = onboarded(operator, quotas={**quotas, "maxBytes": 9000})
    path = f"/v1/tenants/{made['tenantId']}"
    assert operator.patch(path, json={"maxBytes": 9}).json()["quotas"] == quotas
    assert operator.patch(path, json={}).json()["quotas"] == quotas
    nulls = {"maxDocuments": None, "rate": None}
    assert operator.patch(path, json=nulls).json()["quotas"] == {**quotas, **nulls}
    events = database.query(
        "select data from vanta.outbox where tenant_id::text = $1 and type = 'vanta.tenancy.tenant.changed' order by revision",
        made["tenantId"],
    )
    assert [json.loads(event[0])["changes"] for event in events] == [{"maxBytes": 9}, {}, nulls]


def test_a_name_is_taken_once_even_by_many_at_a_time(operator: httpx.Client, database: Database) -> None:
    wanted = name()
    with ThreadPoolExecutor(8) as executor:
        answers = list(executor.map(lambda _: operator.post("/v1/tenants", json={"name": wanted}), range(8)))
    assert sorted(answer.status_code for answer in answers) == [201] + [409] * 7
    assert {problem(answer) for answer in answers if answer.status_code == 409} == {"tenant-exists"}
    assert len(database.query("select from vanta.tenant where name = $1", wanted)) == 1


def test_every_tenant_is_listed_once_page_by_page(operator: httpx.Client) -> None:
    made = {onboarded(operator)[0]["tenantId"] for _ in range(5)}
    seen: list[str] = []
    after = ""
    while True:
        page = operator.get(f"/v1/tenants?limit=2{after}").json()
        assert len(page["tenants"]) <= 2
        seen += [tenant["tenantId"] for tenant in page["tenants"]]
        if page["next"] is None:
            break
        after = f"&after={page['next']}"
    assert len(seen) == len({*seen})
    assert made <= {*seen}


def test_an_operator_reads_nothing_of_a_tenant_and_a_tenant_no_other(
    api: Served, operator: httpx.Client, client: httpx.Client, tenant: Tenant
) -> None:
    other, headers = onboarded(operator)
    client.put("/v1/state/a/b", json="mine")
    for route in ROUTES:
        path = route.plain_path.replace("{tenant}", other["tenantId"])
        path = path.replace("{collection}", "a").replace("{key}", "b").replace("{", "").replace("}", "")
        if route.verb == "operate":
            refused = httpx.request(route.method, api.url + path, headers=tenant.headers)
        elif route.verb:
            refused = operator.request(route.method, path)
        else:
            continue
        assert refused.status_code == 403, (route.method, path, refused.text)
        assert route.method == "HEAD" or problem(refused) == "forbidden"
    assert operator.get("/v1/tenants/current", headers=headers).json()["tenantId"] == other["tenantId"]


async def test_the_application_sees_no_operators_key_but_the_one_presented(
    pool: asyncpg.Pool, operator_key: str
) -> None:
    assert await pool.fetch("select from vanta.operator_key") == []
    async with pool.acquire() as connection, connection.transaction():
        found = await connection.fetchrow("select * from vanta.find_api_key($1)", operator_key.split("_")[1])
        assert (found["role"], found["tenant_id"]) == ("operator", None)
        assert len(await connection.fetch("select from vanta.operator_key")) == 1


def test_a_suspended_tenant_is_refused_until_it_is_resumed(operator: httpx.Client) -> None:
    made, headers = onboarded(operator)
    path = f"/v1/tenants/{made['tenantId']}"
    assert operator.get(made["welcome"], headers=headers).status_code == 200
    assert operator.patch(path, json={"suspended": True}).json()["suspended"]
    for method, asked in (("GET", made["welcome"]), ("PUT", "/v1/state/a/b"), ("GET", "/v1/tenants/current")):
        assert problem(operator.request(method, asked, headers=headers)) == "suspended"
    assert operator.get(f"{path}/export").status_code == 200
    assert not operator.patch(path, json={"suspended": False}).json()["suspended"]
    assert operator.get(made["welcome"], headers=headers).status_code == 200


def test_a_tenant_over_its_rate_is_told_when_to_come_back(operator: httpx.Client) -> None:
    made, headers = onboarded(operator, quotas={"rate": {"perSecond": 1, "burst": 3}})
    answers = [operator.get(made["welcome"], headers=headers) for _ in range(20)]
    refused = [answer for answer in answers if answer.status_code == 429]
    assert 10 < len(refused) < 18
    assert {problem(answer) for answer in refused} == {"rate-limited"}
    assert refused[0].headers["retry-after"] == "1"
    assert refused[0].headers["ratelimit-policy"] == '"tenant";q=3;w=3'
    assert refused[0].headers["ratelimit"] == '"tenant";r=0;t=1'
    other, others = onboarded(operator)
    assert operator.get(other["welcome"], headers=others).status_code == 200


def test_two_processes_keep_one_rate_between_them(
    operator: httpx.Client, api: Served, database: Database, tmp_path: Path
) -> None:
    rate, burst, seconds = 50, 20, 4.0
    made, headers = onboarded(operator, quotas={"rate": {"perSecond": rate, "burst": burst}})
    admitted = 0
    with serving(database, tmp_path) as other, httpx.Client(headers=headers) as client:
        began = time.monotonic()
        while (took := time.monotonic() - began) < seconds:
            for url in (api.url, other.url):
                admitted += client.get(url + made["welcome"]).status_code == 200
    assert rate * took / 2 < admitted <= rate * took + burst + (burst + rate * 0.5)


@pytest.mark.parametrize(
    "tenant", ["3a0c7c53-5e0f-4f0e-9a35-0d4f3f3f8a11", "x", "%00", "%FF", "..x", "0" * 300]
)
def test_an_unknown_tenant_is_not_found(operator: httpx.Client, tenant: str) -> None:
    path = f"/v1/tenants/{tenant}"
    answers = [
        operator.get(path),
        operator.patch(path, json={}),
        operator.get(f"{path}/export"),
        operator.delete(path, params={"name": "x"}),
    ]
    assert {problem(answer) for answer in answers} == {"tenant-not-found"}


@pytest.mark.parametrize(
    "new",
    [
        {},
        {"name": "Acme"},
        {"name": ""},
        {"name": "x" * 64},
        {"name": "x", "quotas": {"maxDocuments": -1}},
        {"name": "x", "quotas": {"maxBytes": 2**60}},
        {"name": "x", "quotas": {"rate": {"perSecond": 0, "burst": 1}}},
        {"name": "x", "quotas": {"rate": {"perSecond": 5}}},
        {"name": "x", "quotas": {"rates": 5}},
        {"name": "x", "tenantId": "y"},
    ],
)
def test_a_bad_tenant_is_refused(operator: httpx.Client, new: dict[str, Any]) -> None:
    assert problem(operator.post("/v1/tenants", json=new)) == "invalid-body"


@pytest.mark.parametrize("query", ["limit=0", "limit=201", "after=x", "page=2", "limit=x"])
def test_a_bad_page_is_refused(operator: httpx.Client, query: str) -> None:
    assert problem(operator.get(f"/v1/tenants?{query}")) == "invalid-query"


def test_an_operators_key_ends_when_it_expires(api: Served, database: Database) -> None:
    key = make_operator_key(database)
    database.query("update vanta.operator_key set expires_at = now() where key_id = $1", key.split("_")[1])
    refused = httpx.get(f"{api.url}/v1/tenants", headers={"authorization": f"Bearer {key}"})
    assert problem(refused) == "unauthenticated"
