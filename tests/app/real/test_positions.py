"""After a recovery that lost events, revisions come again: nobody who read lost ones misses what took their place without a word."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import httpx
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from app.api.problems import TYPE_PREFIX
from app.db import postgres as app_postgres
from app.events.outbox import GoneError, Outbox
from app.events.position import Position, parse

from .conftest import Database, Served, Tenant, run
from .past import Past
from .test_watch import put, revision, watching


def events(answer: httpx.Response) -> list[dict[str, Any]]:
    assert answer.status_code == 200
    return answer.json()


@pytest.fixture
def read_and_lost(database: Database, client: httpx.Client, api: Served, tenant: Tenant) -> list[str]:
    """Ids of five events, the last two of which are lost; since then the new past has outgrown the old one."""
    put(api.url, tenant, "a", "b", "c")
    past = Past(database, tenant)
    put(api.url, tenant, "d", "e")
    read = [event["id"] for event in events(client.get("/v1/events"))]
    past.return_to_it()
    put(api.url, tenant, "f", "g", "h")
    return read


@pytest.mark.parametrize("lost", [3, 4])
@pytest.mark.parametrize("way", ["watch", "watch/agents", "events"])
def test_who_read_what_was_lost_is_told_how_to_go_on(
    client: httpx.Client, read_and_lost: list[str], way: str, lost: int
) -> None:
    refused = client.get(f"/v1/{way}", params={"after": read_and_lost[lost]})
    assert (refused.status_code, refused.json()["type"]) == (410, TYPE_PREFIX + "revision-gone")
    newest = events(client.get("/v1/events"))[-1]["id"]
    assert "is lost: a recovery has given it up" in refused.json()["detail"]
    assert refused.json()["detail"].endswith(f"go on after {newest}.")
    assert refused.json()["after"] == newest
    assert client.get("/v1/events", params={"after": newest}).json() == []


@pytest.mark.parametrize("kept", [0, 1, 2])
def test_who_read_nothing_of_it_goes_on_without_a_gap(
    client: httpx.Client, api: Served, tenant: Tenant, read_and_lost: list[str], kept: int
) -> None:
    rest = ["a", "b", "c", "f", "g", "h"][kept + 1 :]
    after = read_and_lost[kept]
    fed = events(client.get("/v1/events", params={"after": after}))
    with watching(api.url, tenant, last_id=after) as stream:
        watched = stream.events(len(rest))
    assert [event["subject"][-1] for event in fed] == [event["subject"][-1] for event in watched] == rest


def test_two_events_of_one_revision_have_two_ids(client: httpx.Client, read_and_lost: list[str]) -> None:
    now = [event["id"] for event in events(client.get("/v1/events"))]
    assert [revision(one) for one in now] == [1, 2, 3, 4, 5, 6]
    assert set(read_and_lost) & set(now) == set(now[:3])


def test_a_watch_that_goes_on_over_the_loss_ends_and_is_told_when_it_resumes(
    client: httpx.Client, api: Served, tenant: Tenant, database: Database
) -> None:
    put(api.url, tenant, "a")
    past = Past(database, tenant)
    with watching(api.url, tenant) as stream:
        put(api.url, tenant, "b", "c")
        stream.events(2)
        past.return_to_it()
        assert [message.event for message in stream if message.event] == []
        assert revision(stream.last_id) == 3
    put(api.url, tenant, "d", "e", "f")
    assert client.get("/v1/watch", headers={"last-event-id": stream.last_id}).status_code == 410


def test_a_watch_that_was_told_of_nothing_knows_where_it_began(
    client: httpx.Client, api: Served, tenant: Tenant, database: Database
) -> None:
    put(api.url, tenant, "a")
    past = Past(database, tenant)
    put(api.url, tenant, "b")
    with watching(api.url, tenant) as stream:
        began = next(iter(stream)).id
    past.return_to_it()
    put(api.url, tenant, "c", "d")
    assert client.get("/v1/watch", headers={"last-event-id": began}).status_code == 410


@pytest.mark.parametrize("way", ["watch", "events"])
def test_a_revision_that_is_yet_to_come_is_not_said_to_be_lost(client: httpx.Client, way: str) -> None:
    client.put("/v1/state/agents/a", json=1)
    refused = client.get(f"/v1/{way}", params={"after": "99999"})
    assert (refused.status_code, refused.json()["type"]) == (410, TYPE_PREFIX + "revision-gone")
    assert refused.json()["detail"].startswith("No event has this revision now: it is yet to come, or")


@pytest.mark.usefixtures("read_and_lost")
def test_a_revision_alone_goes_on_from_there(client: httpx.Client, api: Served, tenant: Tenant) -> None:
    assert [event["subject"][-1] for event in events(client.get("/v1/events?after=4"))] == ["g", "h"]
    assert client.get("/v1/events?after=6").headers["vanta-revision"].startswith("6-")
    with watching(api.url, tenant, last_id="5") as stream:
        assert [event["subject"][-1] for event in stream.events(1)] == ["h"]


def test_an_etag_of_what_was_lost_matches_nothing_that_took_its_revision(
    client: httpx.Client, database: Database, tenant: Tenant
) -> None:
    path = "/v1/state/agents/a"
    first = client.put(path, json="first").headers["etag"]
    past = Past(database, tenant)
    lost = client.put(path, json="lost", headers={"if-match": first}).headers["etag"]
    past.return_to_it()
    now = client.put(path, json="now", headers={"if-match": first}).headers["etag"]
    assert lost.partition("-")[0] == now.partition("-")[0]
    assert client.put(path, json="blind", headers={"if-match": lost}).status_code == 412
    assert client.get(path, headers={"if-none-match": lost}).json() == "now"


class Reader:
    """Somebody who remembers the ids of events, and nothing of a past that the API calls gone."""

    def __init__(self) -> None:
        self.position = Position(0)
        self.read: list[Position] = []

    async def read_on(self, outbox: Outbox, tenant: Tenant, history: list[Position], swept: int) -> None:
        """Read what there is."""
        try:
            page = await outbox.page(tenant.id, self.position, 3)
        except GoneError as gone:
            known = self.position.revision == 0 or self.position in history
            if gone.lost == (self.position.revision < swept) or (gone.lost and known):
                pytest.fail("told although nothing would be missed")
            self.position, self.read = gone.head, history[:]
        else:
            self.read += [event.position for event in page.events]
            # As whoever keeps what is sent to him: text.
            self.position = parse(str(page.events[-1].position if page.events else page.after))
        assert self.read == history[: len(self.read)], "something was missed, or kept that is lost"


_STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("write"), st.integers(1, 4)),
        st.tuples(st.just("lose"), st.integers(1, 5)),
        st.tuples(st.just("sweep"), st.integers(1, 3)),
        st.tuples(st.just("read"), st.integers(0, 2)),
    ),
    min_size=4,
    max_size=24,
)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=_STEPS)
@example(steps=[("write", 3), ("read", 0), ("lose", 1), ("write", 2), ("read", 0)])
@example(steps=[("write", 3), ("read", 0), ("sweep", 3), ("read", 0), ("lose", 1), ("write", 1)])
def test_in_any_history_nobody_misses_an_event_without_a_word(
    database: Database, tenant: Tenant, steps: list[tuple[str, int]]
) -> None:
    run(_follow(database, tenant, steps))


async def _follow(database: Database, tenant: Tenant, steps: list[tuple[str, int]]) -> None:
    async with _connected(database) as (master, outbox):
        await master.execute(f"select set_config('vanta.tenant', '{tenant.id}', false)")
        await _begin_anew(master, tenant)
        history: list[Position] = []
        readers = [Reader() for _ in range(3)]
        swept = 0
        for step, count in steps:
            if step == "write":
                history += await _write(master, tenant, count)
            elif step == "lose":
                kept = max(swept, len(history) - count)
                await _lose(master, tenant, kept)
                del history[kept:]
            elif step == "sweep":
                swept += await _sweep(master, tenant, len(history), count)
            else:
                await readers[count].read_on(outbox, tenant, history, swept)
        for reader in readers:
            while len(reader.read) < len(history) or reader.position != await outbox.head(tenant.id):
                await reader.read_on(outbox, tenant, history, swept)


@asynccontextmanager
async def _connected(database: Database) -> AsyncGenerator[tuple[asyncpg.Connection, Outbox]]:
    master = await app_postgres.connect(database.settings, "database-master")
    pool = await app_postgres.pool(database.settings, 1)
    try:
        yield master, Outbox(pool)
    finally:
        pool.terminate()
        await master.close()


async def _begin_anew(master: asyncpg.Connection, tenant: Tenant) -> None:
    for statement in (
        "delete from vanta.outbox where tenant_id = $1",
        "delete from vanta.event_cursor where tenant_id = $1",
        "update vanta.tenant_head set revision = 0 where tenant_id = $1",
    ):
        await master.execute(statement, tenant.id)


async def _write(master: asyncpg.Connection, tenant: Tenant, count: int) -> list[Position]:
    """Events, all old enough to be swept."""
    rows = await master.fetch(
        "select vanta.emit($1, 't', 's', null, '{}') as revision from generate_series(1, $2::int)",
        tenant.id,
        count,
    )
    aged = await master.fetch(
        """
        update vanta.outbox set time = time - interval '100 hours' where tenant_id = $1 and revision >= $2
        returning revision, (extract(epoch from time) * 1000000)::bigint as time
        """,
        tenant.id,
        rows[0]["revision"],
    )
    return sorted(Position(row["revision"], row["time"]) for row in aged)


async def _lose(master: asyncpg.Connection, tenant: Tenant, kept: int) -> None:
    for statement in (
        "delete from vanta.outbox where tenant_id = $1 and revision > $2",
        "update vanta.tenant_head set revision = $2 where tenant_id = $1",
        "update vanta.event_cursor set relayed = least(relayed, $2) where tenant_id = $1",
    ):
        await master.execute(statement, tenant.id, kept)


async def _sweep(master: asyncpg.Connection, tenant: Tenant, head: int, count: int) -> int:
    await master.execute(
        """
        insert into vanta.event_cursor (tenant_id, relayed) values ($1, $2)
        on conflict (tenant_id) do update set relayed = $2
        """,
        tenant.id,
        head,
    )
    return await master.fetchval("select vanta.sweep_events($1, 72, $2)", tenant.id, count)
