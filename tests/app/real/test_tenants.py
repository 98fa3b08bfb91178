"""Tenants over HTTP: onboarding, quotas, suspension, export, erasure."""

import asyncio
import json
import secrets
import time
from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import httpx
import psutil
import pytest

from app.api.routes import ROUTES
from app.db import postgres
from app.tenancy import export
from tests.conftest import RedisServer

from .conftest import Database, Served, Tenant, eventually, make_operator_key, serving


def problem(answer: httpx.Response) -> str:
    return answer.json()["type"].removeprefix("urn:vanta:problem:")


def name() -> str:
    return f"t-{secrets.token_hex(8)}"


@pytest.fixture
def operator(api: Served, operator_key: str) -> Generator[httpx.Client]:
    """Speaks to the API as an operator."""
    headers = {"authorization": f"Bearer {operator_key}"}
    with httpx.Client(base_url=api.url, headers=headers, timeout=60) as client:
        yield client


def onboarded(operator: httpx.Client, **new: Any) -> tuple[dict[str, Any], dict[str, str]]:
    """A tenant made over HTTP, and the headers of its first key."""
    answer = operator.post("/v1/tenants", json={"name": name(), **new})
    assert answer.status_code == 201, answer.text
    made = answer.json()
    return made, {"authorization": f"Bearer {made['key']}"}


def rows_of(database: Database, tenant: str) -> dict[str, int]:
    """How many rows of each table with a tenant are this one's; tables without any are left out."""
    tables = database.query(
        """
        select c.relname from pg_class c
        join pg_attribute a on a.attrelid = c.oid and a.attname = 'tenant_id' and not a.attisdropped
        where c.relnamespace = 'vanta'::regnamespace and c.relkind in ('r', 'p')
        """
    )
    counts: dict[str, int] = {}
    for (table,) in tables:
        sql = f"select count(*) from vanta.{table} where tenant_id = $1"  # noqa: S608 - of the catalogue
        if count := database.query(sql, UUID(tenant))[0][0]:
            counts[table] = count
    return counts


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


def exported(operator: httpx.Client, tenant: str) -> list[dict[str, Any]]:
    answer = operator.get(f"/v1/tenants/{tenant}/export")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/x-ndjson"
    return [json.loads(line) for line in answer.text.splitlines()]


def test_an_export_has_everything_of_one_tenant_and_no_secret(
    operator: httpx.Client, new_tenant: Callable[[], Tenant], database: Database
) -> None:
    made, headers = onboarded(operator)
    stranger = new_tenant()
    operator.put("/v1/state/a/b", json="a stranger's", headers=stranger.headers)
    for number in range(50):
        operator.put(f"/v1/state/a/{number}", json={"number": number}, headers=headers)
    last = {**headers, "vanta-concurrency": "last-write-wins"}
    operator.put(
        "/v1/state/a/0", content='{"number": 1.10}', headers={**last, "content-type": "application/json"}
    )
    lines = exported(operator, made["tenantId"])
    assert lines[0]["type"] == "tenant"
    assert lines[0]["data"]["name"] == made["name"]
    assert lines[-1] == {"type": "end", "data": len(lines) - 1}
    counts = rows_of(database, made["tenantId"])
    for table in export.EXPORTED:
        assert len([line for line in lines if line["type"] == table]) == counts.get(table, 0), table
    values = [
        line["data"]["value"]
        for line in lines
        if line["type"] == "document_version" and line["data"]["key"] == "0"
    ]
    assert values == ['{"number":0}', '{"number": 1.10}']
    text = str(lines)
    assert "sha256" not in text
    assert "a stranger's" not in text
    assert str(stranger.id) not in text


def test_an_export_is_of_one_moment(operator: httpx.Client, api: Served) -> None:
    made, headers = onboarded(operator)
    stop = False

    def write() -> None:
        with httpx.Client(base_url=api.url, headers=headers) as client:
            number = 0
            while not stop:
                number += 1
                client.put(f"/v1/state/a/{number}", json=number)

    with ThreadPoolExecutor(1) as executor:
        writing = executor.submit(write)
        path = f"/v1/tenants/{made['tenantId']}"
        eventually(lambda: operator.get(path).json()["documents"] > 20)
        exports = [exported(operator, made["tenantId"]) for _ in range(5)]
        stop = True
        writing.result()
    for lines in exports:
        documents, versions, events = (
            {line["data"]["revision"] for line in lines if line["type"] == kind}
            for kind in ("document", "document_version", "outbox")
        )
        assert documents == versions
        # The first event is of the tenant itself.
        assert events == {1, *documents}


async def test_every_table_of_a_tenant_is_exported_or_left_out_on_purpose(pool: asyncpg.Pool) -> None:
    """A new table with tenant_id: decide in app/tenancy/export.py, and name the columns that must not leave."""
    rows = await pool.fetch(
        """
        select c.relname from pg_class c
        join pg_attribute a on a.attrelid = c.oid and a.attname = 'tenant_id' and not a.attisdropped
        where c.relnamespace = 'vanta'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition
        """
    )
    assert {row[0] for row in rows} == {*export.EXPORTED, *export.LEFT_OUT}
    assert not {*export.EXPORTED} & export.LEFT_OUT


async def test_no_column_of_bytes_leaves_unseen(pool: asyncpg.Pool) -> None:
    """Hashes and ciphertexts are bytea; each such column is left out, or known to be what a tenant put there."""
    rows = await pool.fetch(
        """
        select c.relname, a.attname from pg_class c
        join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
        where c.relnamespace = 'vanta'::regnamespace and c.relname = any($1) and a.atttypid = 'bytea'::regtype
        """,
        list(export.EXPORTED),
    )
    leaving = {f"{table}.{column}" for table, column in rows if column not in export.EXPORTED[table]}
    assert leaving <= export.TENANTS_OWN_BYTES


@pytest.fixture
def new_tables(database: Database) -> Generator[list[tuple[str, str]]]:
    """Tables nobody has heard of; rows of the one lean on rows of the other, which is there first."""
    tables = [
        ("new_room", "tenant_id uuid, number int, primary key (tenant_id, number)"),
        (
            "newer_room",
            "tenant_id uuid, number int, foreign key (tenant_id, number) references vanta.new_room",
        ),
    ]
    for table, columns in tables:
        database.query(f"create table vanta.{table} ({columns})")
    yield tables
    for table, _ in reversed(tables):
        database.query(f"drop table vanta.{table}")


def test_an_erased_tenant_leaves_nothing_but_that_it_was(
    operator: httpx.Client,
    database: Database,
    redis_server: RedisServer,
    new_tenant: Callable[[], Tenant],
    new_tables: list[tuple[str, str]],
) -> None:
    made, headers = onboarded(operator)
    tenant = made["tenantId"]
    neighbour = new_tenant()
    operator.put("/v1/state/a/b", json="kept", headers=neighbour.headers)
    before = rows_of(database, str(neighbour.id))
    for number in range(3):
        operator.put(f"/v1/state/a/{number}", json=number, headers=headers)
        assert operator.get(f"/v1/state/a/{number}", headers=headers).json() == number
    operator.post("/v1/keys", json={"name": "x", "role": "reader"}, headers=headers)
    for table, _ in new_tables:
        database.query(f"insert into vanta.{table} values ($1, 1)", UUID(tenant))  # noqa: S608 - of the fixture
    assert rows_of(database, tenant).keys() >= {"document", "outbox", "api_key", *dict(new_tables)}

    path = f"/v1/tenants/{tenant}"
    assert problem(operator.delete(path, params={"name": "another"})) == "name-mismatch"
    assert problem(operator.delete(path)) == "invalid-query"
    assert operator.get("/v1/state/a/0", headers=headers).status_code == 200

    with ThreadPoolExecutor(1) as executor:
        erasing = executor.submit(operator.delete, path, params={"name": made["name"]})
        eventually(lambda: operator.get("/v1/state/a/0", headers=headers).status_code in {401, 403})
        assert erasing.result().status_code == 204
    assert rows_of(database, tenant) == {}
    assert operator.get("/v1/state/a/0", headers=headers).status_code == 401
    assert problem(operator.get(path)) == "tenant-not-found"
    assert problem(operator.delete(path, params={"name": made["name"]})) == "tenant-not-found"
    for text in (tenant, tenant.replace("-", "")):
        assert text not in redis_server.server.query("KEYS", "*")
    (stone,) = database.query("select * from vanta.tombstone where tenant::text = $1", tenant)
    assert made["name"] not in str(stone)
    assert rows_of(database, str(neighbour.id)) == before
    assert operator.get("/v1/state/a/b", headers=neighbour.headers).json() == "kept"


async def test_an_erasure_that_was_interrupted_goes_on_when_it_is_sent_again(
    operator: httpx.Client, operator_key: str, database: Database, tmp_path: Path
) -> None:
    made, headers = await asyncio.to_thread(onboarded, operator)
    path = f"/v1/tenants/{made['tenantId']}"
    send = {"params": {"name": made["name"]}, "headers": {"authorization": f"Bearer {operator_key}"}}

    def interrupt() -> None:
        with serving(database, tmp_path) as doomed, ThreadPoolExecutor(1) as executor:
            sent = executor.submit(httpx.delete, doomed.url + path, timeout=60, **send)  # ty: ignore[invalid-argument-type] - keyword arguments of two types
            eventually(lambda: operator.get(path).json()["erasing"])
            for process in [*psutil.Process(doomed.process.pid).children(recursive=True), doomed.process]:
                process.kill()
            doomed.process.wait()
            assert isinstance(sent.exception(), httpx.TransportError)

    connection = await postgres.connect(database.settings, "database-master")
    async with connection.transaction():
        # Whatever the machine does meanwhile, the erasure does not end before it is interrupted.
        await connection.execute(
            "select from vanta.api_key where tenant_id = $1 for update", UUID(made["tenantId"])
        )
        await asyncio.to_thread(interrupt)
    await connection.close()

    def go_on() -> None:
        assert problem(operator.get(made["welcome"], headers=headers)) == "suspended"
        assert problem(operator.patch(path, json={"suspended": False})) == "tenant-not-found"
        assert operator.delete(path, params={"name": made["name"]}).status_code == 204
        assert rows_of(database, made["tenantId"]) == {}

    await asyncio.to_thread(go_on)


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
