"""What a watch sends, by an outbox and a clock of the test's own."""

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import msgspec
import pytest

from app.events import hub as hubs
from app.events import watch as watches
from app.events.event import Event, Filter
from app.events.hub import CapacityError, Hub, Tail, TenantLimitError
from app.events.outbox import GoneError, Outbox, Page
from app.events.position import Position, parse
from app.events.watch import Watch

TENANT = uuid4()
NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)


def event(revision: int, subject: str = "state/agents/a", *, time: datetime = NOON) -> Event:
    return Event(
        tenant=TENANT,
        revision=revision,
        type="t",
        subject=subject,
        time=time,
        traceparent=None,
        data='{"n":1.10}',
    )


class Stored(Outbox):
    """An outbox in memory; ``swept`` as in PostgreSQL."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.swept = 0

    async def read(self, afters: Mapping[UUID, int], limit: int) -> dict[UUID, Page]:
        await asyncio.sleep(0)
        known = {one.revision: one.position for one in self.events}
        return {
            tenant: Page(
                events=[one for one in self.events if one.revision > after][:limit],
                after=known.get(after, Position(after)),
                swept=self.swept,
                head=self.events[-1].revision if self.events else self.swept,
            )
            for tenant, after in afters.items()
        }


class Client:
    """Takes what is sent."""

    def __init__(self) -> None:
        self.text = b""
        self.news = asyncio.Event()

    async def send(self, data: bytes) -> None:
        self.text += data
        self.news.set()

    @property
    def ids(self) -> list[int]:
        parts = self.text.decode().split("\n\n")
        return [parse(part.split()[1]).revision for part in parts if "data: " in part]


async def allowed() -> bool:
    return True


@pytest.fixture
def outbox() -> Stored:
    return Stored()


@pytest.fixture
def hub(outbox: Stored) -> Hub:
    return Hub(outbox, hearing=lambda: True, limit=3, tenant_limit=2)


async def test_it_takes_old_events_from_the_outbox_and_new_ones_from_the_tail(
    outbox: Stored, hub: Hub
) -> None:
    outbox.events = [event(n) for n in range(1, 1001)]
    reader = asyncio.create_task(hub.run())
    watch, client = Watch(hub, TENANT, Filter(), allowed), Client()
    await watch.begin(Position(0))
    sending = asyncio.create_task(watch.run(client.send))
    for n in range(1001, 1400):
        outbox.events.append(event(n))
        hub.wake([TENANT])
        await asyncio.sleep(0)
    async with asyncio.timeout(20):
        while len(client.ids) < 1399:
            client.news.clear()
            await client.news.wait()
    hub.drain()
    await sending
    watch.end()
    reader.cancel()
    assert client.ids == list(range(1, 1400))


async def test_it_ends_once_it_is_no_longer_allowed(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watches, "HEARTBEAT_SECONDS", 0.001)
    monkeypatch.setattr(watches, "ASK_SECONDS", 0.005)
    answers = iter([True, True, False])

    async def still() -> bool:
        return next(answers)

    watch, client = Watch(hub, TENANT, Filter(), still), Client()
    await watch.begin(None)
    async with asyncio.timeout(20):
        await watch.run(client.send)
    assert next(answers, None) is None
    assert b": heartbeat\nid: 0\n\n" in client.text


async def test_it_ends_after_the_bytes_of_one_connection_and_asks_to_be_resumed_at_once(
    outbox: Stored, hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watches, "CONNECTION_BYTES", 1000)
    monkeypatch.setattr(hubs, "_AT_ONCE", 3)
    outbox.events = [event(n) for n in range(1, 100)]
    watch, client = Watch(hub, TENANT, Filter(), allowed), Client()
    await watch.begin(Position(0))
    await watch.run(client.send)
    assert len(client.text) < 3000
    assert client.text.endswith(f"retry: 0\nid: {event(client.ids[-1]).id}\n\n".encode())


async def test_what_a_filter_leaves_out_still_moves_the_bookmark(
    outbox: Stored, hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watches, "HEARTBEAT_SECONDS", 0.001)
    outbox.events = [event(n, "secrets/s") for n in range(1, 5)]
    watch, client = Watch(hub, TENANT, Filter(subject_prefix="state/"), allowed), Client()
    await watch.begin(Position(0))
    sending = asyncio.create_task(watch.run(client.send))
    async with asyncio.timeout(20):
        while not client.text.endswith(f": heartbeat\nid: {event(4).id}\n\n".encode()):
            client.news.clear()
            await client.news.wait()
    watch.close()
    await sending
    assert client.ids == []


async def test_a_revision_of_which_events_are_swept_is_gone_and_the_next_one_is_not(
    outbox: Stored, hub: Hub
) -> None:
    outbox.events, outbox.swept = [event(n) for n in range(8, 10)], 7
    with pytest.raises(GoneError) as refused:
        await Watch(hub, TENANT, Filter(), allowed).begin(Position(6))
    assert (refused.value.first, refused.value.head, refused.value.lost) == (8, event(9).position, False)
    with pytest.raises(GoneError):
        await Watch(hub, TENANT, Filter(), allowed).begin(Position(10))
    await Watch(hub, TENANT, Filter(), allowed).begin(Position(7))


async def test_who_has_read_a_lost_event_is_told_when_another_took_its_revision(
    outbox: Stored, hub: Hub
) -> None:
    read = event(7)
    outbox.events = [event(n, time=NOON + timedelta(microseconds=n > 6)) for n in range(1, 10)]
    with pytest.raises(GoneError) as refused:
        await Watch(hub, TENANT, Filter(), allowed).begin(read.position)
    assert (refused.value.lost, refused.value.head) == (True, outbox.events[-1].position)
    await Watch(hub, TENANT, Filter(), allowed).begin(event(6).position)


async def test_a_watch_whose_events_are_lost_ends_where_it_was_and_is_told_when_it_resumes(
    outbox: Stored, hub: Hub
) -> None:
    outbox.events = [event(n) for n in range(1, 5)]
    reader = asyncio.create_task(hub.run())
    watch, client = Watch(hub, TENANT, Filter(), allowed), Client()
    await watch.begin(None)
    sending = asyncio.create_task(watch.run(client.send))
    other = event(4, time=NOON + timedelta(seconds=1))
    outbox.events = [*outbox.events[:3], other, event(5)]
    hub.wake([TENANT])
    async with asyncio.timeout(20):
        await sending
    assert client.ids == []
    last = parse(client.text.decode().split()[-1])
    assert last == event(4).position
    with pytest.raises(GoneError):
        await Watch(hub, TENANT, Filter(), allowed).begin(last)
    # Whoever comes meanwhile is told of the new past.
    fresh = Watch(hub, TENANT, Filter(), allowed)
    await fresh.begin(other.position)
    watch.end()
    outbox.events.append(event(6))
    hub.wake([TENANT])
    news = Client()
    sending = asyncio.create_task(fresh.run(news.send))
    async with asyncio.timeout(20):
        while news.ids != [5, 6]:
            news.news.clear()
            await news.news.wait()
    fresh.close()
    await sending
    reader.cancel()


async def test_a_revision_alone_is_taken_and_answered_by_its_position(outbox: Stored, hub: Hub) -> None:
    outbox.events = [event(n) for n in range(1, 5)]
    watch, client = Watch(hub, TENANT, Filter(), allowed), Client()
    await watch.begin(Position(4))
    watch.close()
    await watch.run(client.send)
    assert client.text.endswith(f"id: {event(4).id}\n\n".encode())


async def test_a_refused_watch_takes_no_place(outbox: Stored, hub: Hub) -> None:
    outbox.swept = 7
    for _ in range(10):
        with pytest.raises(GoneError):
            await Watch(hub, TENANT, Filter(), allowed).begin(Position(0))
    results = await asyncio.gather(
        *(Watch(hub, TENANT, Filter(), allowed).begin(None) for _ in range(3)), return_exceptions=True
    )
    assert [type(result) for result in results] == [type(None), type(None), TenantLimitError]
    await Watch(hub, uuid4(), Filter(), allowed).begin(None)
    with pytest.raises(CapacityError):
        await Watch(hub, uuid4(), Filter(), allowed).begin(None)


def test_a_tail_knows_what_it_no_longer_has() -> None:
    tail = Tail(Position(10))
    assert tail.since(9) is None
    tail.add([event(n) for n in range(11, 400)])
    kept = 400 - 256
    assert tail.since(kept - 2) is None
    assert [one.revision for one in tail.since(kept - 1) or []] == list(range(kept, 400))
    assert tail.since(399) == tail.since(500) == []


def test_an_event_is_a_cloud_event_with_the_bytes_of_its_data() -> None:
    assert msgspec.json.decode(event(7).json) == {
        "specversion": "1.0",
        "id": "7-1769860800000000",
        "source": f"/tenants/{TENANT}",
        "type": "t",
        "subject": "state/agents/a",
        "time": "2026-01-31T12:00:00Z",
        "datacontenttype": "application/json",
        "data": {"n": 1.1},
    }
    assert b'"n":1.10' in event(7).json


def test_scopes_are_compared_with_the_collection_or_the_room_of_an_event() -> None:
    assert event(1, "state/agents/a/b").collection == "agents"
    assert event(1, "state/agents").collection == "agents"
    assert event(1, "secrets/a").collection == "_secrets"
    assert event(1, "tenant").collection == "_tenant"
    may = Filter(may=lambda collection: collection == "agents")
    assert [may.wants(event(1, subject)) for subject in ("state/agents/a", "secrets/a")] == [True, False]
