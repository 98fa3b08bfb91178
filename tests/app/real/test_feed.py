"""The feed of events, and for how long they are kept."""

import json
from collections.abc import Callable
from typing import Any

import asyncpg
import httpx
import pytest

from app.api.problems import TYPE_PREFIX
from app.db import postgres as app_postgres
from app.events.retention import Retention

from .conftest import Database, Tenant, run

RETENTION_HOURS = 72


@pytest.fixture
def told(database: Database, tenant: Tenant) -> Tenant:
    """A tenant with the events 1 to 20, every second one of a secret, and nothing else."""
    database.query("delete from vanta.outbox where tenant_id = $1", tenant.id)
    database.query("update vanta.tenant_head set revision = 0 where tenant_id = $1", tenant.id)
    database.query(
        """
        select vanta.emit($1, case n % 2 when 0 then 'even' else 'odd' end,
                          case n % 2 when 0 then 'secrets/' else 'state/agents/' end || n, null, '{}')
        from generate_series(1, 20) n
        """,
        tenant.id,
    )
    return tenant


def ids(answer: httpx.Response) -> list[int]:
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/cloudevents-batch+json"
    return [int(event["id"].partition("-")[0]) for event in answer.json()]


@pytest.mark.usefixtures("told")
def test_it_is_read_page_by_page(client: httpx.Client) -> None:
    found: list[int] = []
    after = "0"
    while page := ids(answer := client.get("/v1/events", params={"after": after, "limit": 7})):
        assert len(page) <= 7
        found += page
        after = answer.headers["vanta-revision"]
    assert found == list(range(1, 21))
    assert after.startswith("20-")


def test_events_are_those_of_the_outbox(client: httpx.Client, tenant: Tenant, database: Database) -> None:
    trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    client.put("/v1/state/agents/a", json=1, headers={"traceparent": trace, "vanta-ttl": "60"})
    stored = database.query("select event from vanta.outbox_event where tenant_id = $1", tenant.id)
    events = client.get("/v1/events").json()
    assert events[-1]["traceparent"] == trace
    assert sorted(map(_shape, events)) == sorted(_shape(json.loads(row["event"])) for row in stored)


def _shape(event: dict[str, Any]) -> str:
    # PostgreSQL writes all six digits of the fraction, msgspec those that there are.
    return json.dumps({**event, "time": event["time"].rstrip("Z").rstrip("0")}, sort_keys=True)


@pytest.mark.usefixtures("told")
@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ({"types": "odd"}, [1, 3, 5, 7]),
        ({"types": "even,odd"}, [1, 2, 3, 4]),
        ({"subjectPrefix": "secrets/1"}, [10, 12, 14, 16]),
        ({"types": "none"}, []),
    ],
)
def test_it_is_filtered(client: httpx.Client, wanted: dict[str, str], expected: list[int]) -> None:
    answer = client.get("/v1/events", params={"limit": 4, **wanted})
    assert ids(answer) == expected
    # It goes on behind what was looked at: behind the last event, or behind all.
    assert answer.headers["vanta-revision"].startswith(f"{expected[-1] if expected else 20}-")


def test_a_rare_type_is_found_over_several_answers(
    client: httpx.Client, tenant: Tenant, database: Database
) -> None:
    database.query("select vanta.emit($1, 't', 's', null, '{}') from generate_series(1, 4100)", tenant.id)
    database.query("select vanta.emit($1, 'rare', 's', null, '{}')", tenant.id)
    answers, after = 0, "0"
    while not ids(answer := client.get("/v1/events", params={"types": "rare", "after": after})):
        after = answer.headers["vanta-revision"]
        answers += 1
    assert answers > 1


def test_it_is_of_one_tenant(client: httpx.Client, told: Tenant, new_tenant: Callable[[], Tenant]) -> None:
    other = new_tenant()
    mine = client.get("/v1/events").json()
    theirs = client.get("/v1/events", headers=other.headers).json()
    assert {event["source"] for event in mine} == {f"/tenants/{told.id}"}
    assert told.id.hex not in json.dumps(theirs).replace("-", "")


def test_events_are_swept_once_they_are_old_and_relayed_and_the_first_kept_is_exact(
    client: httpx.Client, told: Tenant, database: Database
) -> None:
    age(database, told, first=1, last=12)
    set_relayed(database, told, 9)
    sweep(database)
    # 10 to 12 are old, but not relayed; 13 is relayed later, but young.
    assert kept(database, told) == list(range(10, 21))
    set_relayed(database, told, 20)
    sweep(database)
    assert kept(database, told) == list(range(13, 21))
    gone = client.get("/v1/events", params={"after": 11})
    assert (gone.status_code, gone.json()["type"]) == (410, TYPE_PREFIX + "revision-gone")
    assert "13 to 20" in gone.json()["detail"]
    assert ids(client.get("/v1/events", params={"after": 12})) == list(range(13, 21))
    newest = client.get("/v1/events", params={"after": 19}).json()[0]["id"]
    assert gone.json()["after"] == newest
    assert client.get("/v1/watch", params={"after": 11}).status_code == 410


def test_nothing_behind_a_young_event_is_swept(told: Tenant, database: Database) -> None:
    age(database, told, first=1, last=4)
    age(database, told, first=6, last=20)
    set_relayed(database, told, 20)
    sweep(database)
    assert kept(database, told) == list(range(5, 21))


def test_all_may_be_swept_and_the_next_event_is_not_gone(
    client: httpx.Client, told: Tenant, database: Database
) -> None:
    age(database, told, first=1, last=20)
    set_relayed(database, told, 20)
    sweep(database)
    assert kept(database, told) == []
    assert ids(client.get("/v1/events", params={"after": 20})) == []
    assert client.get("/v1/events").status_code == 410


async def test_the_application_can_have_nothing_swept_that_is_young_or_not_relayed(
    told: Tenant, database: Database, pool: asyncpg.Pool
) -> None:
    set_relayed(database, told, 20)
    assert await pool.fetchval("select vanta.sweep_events($1, 1, 1000)", told.id) == 0
    for hours in (0, -1000):
        with pytest.raises(asyncpg.InvalidParameterValueError):
            await pool.execute("select vanta.sweep_events($1, $2, 1000)", told.id, hours)
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute("select set_config('vanta.tenant', $1, true)", str(told.id))
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute("update vanta.event_cursor set swept = 20")
    assert kept(database, told) == list(range(1, 21))


def age(database: Database, tenant: Tenant, *, first: int, last: int) -> None:
    """Make these events older than they are kept."""
    database.query(
        """
        update vanta.outbox set time = now() - make_interval(hours => $4)
        where tenant_id = $1 and revision between $2 and $3
        """,
        tenant.id,
        first,
        last,
        RETENTION_HOURS + 1,
    )


def sweep(database: Database) -> None:
    async def work() -> None:
        pool = await app_postgres.pool(database.settings, 1)
        try:
            await Retention(pool, RETENTION_HOURS).sweep()
        finally:
            await pool.close()

    run(work())


def set_relayed(database: Database, tenant: Tenant, revision: int) -> None:
    database.query(
        """
        insert into vanta.event_cursor (tenant_id, relayed) values ($1, $2)
        on conflict (tenant_id) do update set relayed = $2
        """,
        tenant.id,
        revision,
    )


def kept(database: Database, tenant: Tenant) -> list[int]:
    rows = database.query("select revision from vanta.outbox where tenant_id = $1 order by 1", tenant.id)
    return [row[0] for row in rows]
