"""A short drill on two real regions, and what its figures say."""

import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from local.drill import __main__ as command
from local.drill import rounds
from local.drill.clients import Acknowledged, Clients, Event
from local.drill.pair import pair
from local.drill.picture import picture
from local.drill.record import Drill, Lost, Round, lost, silence, summary
from local.home import Home


async def test_a_lost_region_one_that_is_cut_off_and_a_planned_change_keep_every_promise_under_load(
    home: Home,
) -> None:
    async with pair(home) as regions:
        killed = await rounds.loss(regions, "killed", "killed", 20)
        assert killed.broken == []
        # Of each write, the events of a round are at least those of what was acknowledged and is still there.
        assert killed.events >= killed.acknowledged - len(killed.lost)
        assert killed.old_asked >= 2
        cut = await rounds.loss(regions, "cut", "cut", 20)
        assert cut.broken == []
        # It went on for who was inside of it until it was fenced, and took nothing after that.
        assert cut.lost
        assert all(one.key.startswith("cut-inside-") for one in cut.lost)
        assert cut.old_asked > 2
        planned = await rounds.switchover(regions, "planned", rounds.STANDBY, 20)
        assert planned.broken == []
        assert not planned.lost_by_plan


def a_round(**facts: object) -> Round:
    kept = {"kind": "killed", "to": "central", "seconds": 3.0, "steps": {"detect": 1.0, "decide": 2.0}}
    return Round(**{**kept, "acknowledged": 9, "old_asked": 2, **facts})  # ty: ignore[invalid-argument-type] - as given


@pytest.mark.parametrize(
    ("facts", "promise"),
    [
        ({"old_took": 1}, "the old region took a write"),
        ({"old_asked": 0}, "the old region was not tried"),
        ({"events_missed": 1}, "a reader of events missed some"),
        ({"events_twice": 1}, "a reader of events got some twice"),
        ({"late_misses": 1}, "a reader who came back late missed events and was not told"),
        ({"sessions_invalid": 1}, "sessions were forgotten"),
        ({"acknowledged": 0}, "nothing was written"),
        (
            {"lost_by_plan": [Lost(key="k", revision=1, seconds_before=0.0)]},
            "a planned change lost acknowledged writes",
        ),
    ],
)
def test_each_broken_promise_is_named(facts: dict[str, object], promise: str) -> None:
    assert a_round().broken == []
    assert a_round(**facts).broken == [promise]


def test_an_acknowledged_write_is_lost_where_its_revision_holds_something_else() -> None:
    acknowledged = [Acknowledged(key=key, revision=number, at=10.0) for number, key in enumerate("abc", 1)]
    kept = [Event(revision=1, subject="state/drill/a"), Event(revision=2, subject="state/drill/other")]
    assert lost(acknowledged, kept, 10.5) == [
        Lost(key="b", revision=2, seconds_before=0.5),
        Lost(key="c", revision=3, seconds_before=0.5),
    ]


def test_the_silence_is_the_longest_one_after_the_change_began() -> None:
    acknowledged = [Acknowledged(key="k", revision=1, at=at) for at in (1.0, 5.0, 5.2, 7.0, 7.1)]
    assert silence(acknowledged, 5.0) == (5.2, 7.0)


def test_the_worst_round_and_every_loss_are_in_the_figures_and_the_picture() -> None:
    one = Lost(key="gone", revision=7, seconds_before=0.25)
    found = [a_round(), a_round(seconds=9.0, lost=[one], lost_seconds=0.25), a_round()]
    figures = summary(found)
    assert (figures.median_seconds, figures.worst_seconds, figures.lost) == (3.0, 9.0, 1)
    assert figures.worst_lost_seconds == 0.25
    html = picture(
        Drill(machine={"cores": 2, "loadBefore": 1.0}, kind="killed", rate=5, summary=figures, rounds=found)
    )
    assert html.count("<rect") == 2 * len(found)
    assert "gone</td><td>7</td><td>0.250" in html
    assert "Every promise was kept." in html


class StoppedError(Exception):
    """Somebody stops the drill."""


async def test_a_drill_that_is_stopped_keeps_its_rounds(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    @asynccontextmanager
    async def nowhere(_: Home) -> AsyncGenerator[None]:
        yield

    async def loss(_: object, __: str, name: str, ___: float) -> Round:
        if name == "002":
            raise StoppedError
        return a_round()

    monkeypatch.setattr(command, "pair", nowhere)
    monkeypatch.setattr(rounds, "loss", loss)
    home = Home.at(tmp_path / "home")
    with pytest.raises(StoppedError):
        await command.drill(home, "killed", 3, 5, lambda found: command.keep(found, tmp_path))
    kept = msgspec.json.decode((tmp_path / "killed.json").read_bytes(), type=Drill)
    assert len(kept.rounds) == kept.summary.rounds == 2
    assert "Drill: killed" in (tmp_path / "killed.html").read_text()
    raw = json.loads((tmp_path / "killed.json").read_bytes())
    assert {"refused", "lateMisses", "tookSeconds", "loadBefore"} <= set(raw["rounds"][0])


async def test_a_reader_goes_on_after_the_last_event_that_came_whole() -> None:
    event = json.dumps({"id": "1-10", "subject": "state/drill/a"})
    asked: list[str] = []

    async def watch(request: web.Request) -> web.StreamResponse:
        asked.append(request.headers["last-event-id"])
        response = web.StreamResponse()
        await response.prepare(request)
        await response.write(f"id: 1-10\ndata: {event}\n\nid: 2-20\n".encode())
        return response

    application = web.Application()
    application.router.add_get("/v1/watch", watch)
    async with asyncio.timeout(20), TestServer(application) as server:
        clients = Clients(str(server.make_url("")), "a key")
        watching = asyncio.create_task(clients.watch())
        while len(asked) < 2:  # noqa: ASYNC110 - the server sets no event
            await asyncio.sleep(0.01)
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)
    assert asked[:2] == ["0", "1-10"]
    assert clients.events[0] == Event(revision=1, subject="state/drill/a")
