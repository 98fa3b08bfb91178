"""One round of the drill: load, a loss or a planned change, what `python -m app dr` does about it, the way back, and what was kept."""

import asyncio
import time
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import datetime
from typing import Any

import aiohttp

from local.drill.clients import Acknowledged, Clients
from local.drill.old import Old
from local.drill.pair import DrillError, Pair
from local.drill.record import STEPS, Kind, Round, lost, silence

PRIMARY, STANDBY = "west", "central"
_WRITERS, _SESSIONS = 4, 5
# Load before the change and after it.
_BEFORE_SECONDS, _AFTER_SECONDS = 1.0, 1.0
# What a lagging standby lacks when the primary is lost.
_LAG_SECONDS = 1.0
_LOOK_SECONDS, _MISSED = 0.25, 2
_WAIT_SECONDS = 60.0


async def switchover(pair: Pair, name: str, to: str, rate: float) -> Round:
    """A planned change to ``to``."""
    refused: list[str] = []
    async with _load(pair, name, rate) as clients:
        begun = time.time()
        ended = await _move(pair, refused, "switchover", to)
        await _until(lambda: clients.acknowledged[-1].at > ended["dns"], "writes after the switchover")
        last, first = silence(clients.acknowledged, begun)
        await asyncio.sleep(_AFTER_SECONDS)
    points = (last, min(ended["database"], first), min(ended["dns"], first), first)
    found = Round(
        kind="switchover",
        to=to,
        refused=refused,
        seconds=round(first - last, 3),
        steps=_parts(("promote", "redirect", "write"), points),
    )
    return await _judged(found, pair, clients, begun, begun)


async def loss(pair: Pair, kind: Kind, name: str, rate: float) -> Round:
    """The primary's region is lost in the way that ``kind`` says, comes back, and leads again."""
    old = Old(pair, PRIMARY)
    refused: list[str] = []
    inside: list[Acknowledged] = []
    async with _load(pair, name, rate) as clients, AsyncExitStack() as stack:
        if kind == "cut":
            inside = await stack.enter_async_context(old.written_inside(name))
        receiver = pair.regions[STANDBY].receiver() if kind == "lagging" else None
        if receiver:
            receiver.suspend()
            await asyncio.sleep(_LAG_SECONDS)
        gone = time.time()
        await old.lose(kind)
        if receiver:
            # With what was on its way; the standby's server takes it for a crash, and starts anew.
            receiver.kill()
        detected = await _noticed(pair, PRIMARY)
        read, position = list(clients.events), clients.position
        ended = await _move(pair, refused, "failover", STANDBY, "--accept-loss")
        promoted = ended["database"]
        if kind == "returning":
            await old.come_back()
        await _until(lambda: clients.acknowledged[-1].at > promoted, "writes after the fail-over")
        first = next(one.at for one in clients.acknowledged if one.at > promoted)
        await asyncio.sleep(_AFTER_SECONDS)
        if kind != "returning":
            await old.come_back()
        await old.try_to_write()
        await stack.aclose()
        old.count_inside(promoted)
        await asyncio.to_thread(pair.revive)
        begun = time.time()
        back = await _move(pair, refused, "failback", PRIMARY)
        await asyncio.to_thread(old.region.forget)
        await _until(lambda: clients.acknowledged[-1].at > back["dns"], "writes after the way back")
        last_there, first_here = silence(clients.acknowledged, begun)
        await asyncio.sleep(_AFTER_SECONDS)
    points = (gone, detected, ended["check"], ended.get("fence", promoted), ended["dns"], first)
    found = Round(
        kind=kind,
        to=STANDBY,
        refused=refused,
        seconds=round(first - gone, 3),
        steps=_parts(STEPS, points),
        back_seconds=round(first_here - last_there, 3),
        old_asked=old.asked,
        old_took=old.took,
    )
    # Who was cut off went on until it was fenced: all of that is lost, and its age is that at the fence.
    found = await _judged(found, pair, clients, promoted if kind == "cut" else gone, promoted, inside)
    if not await clients.told(position):
        head = read[-1].revision
        found.late_misses = len({one for one in await clients.feed() if one.revision <= head} - set(read))
    return found


def _parts(names: tuple[str, ...], points: tuple[float, ...]) -> dict[str, float]:
    return {
        name: round(right - left, 3) for name, left, right in zip(names, points, points[1:], strict=False)
    }


async def _move(pair: Pair, refused: list[str], command: str, to: str, *more: str) -> Mapping[str, float]:
    """When each step of ``command`` ended; asked again while it is ``refused``, as an operator would."""
    answer: dict[str, Any] | str = ""
    end = time.monotonic() + _WAIT_SECONDS
    while time.monotonic() < end:
        answer = await pair.dr(command, to, *more)
        if not isinstance(answer, str):
            return {
                step["step"]: datetime.fromisoformat(step["started"]).timestamp() + step["seconds"]
                for step in answer["steps"]
            }
        refused.append(answer)
    raise DrillError(f"`dr {command}` was refused for {_WAIT_SECONDS:.0f} s: {answer}")


async def _noticed(pair: Pair, stack: str) -> float:
    """When the API of ``stack`` has failed to say that it is ready for some times running."""
    url, missed = f"https://127.0.0.1:{pair.own[stack].port}", 0
    quick = aiohttp.ClientTimeout(total=1)
    async with aiohttp.ClientSession(url, timeout=quick, connector=pair.connector()) as http:
        while missed < _MISSED:
            try:
                async with http.get("/readyz") as answer:
                    missed = 0 if answer.status == 200 else missed + 1
            except (aiohttp.ClientError, TimeoutError, OSError):
                missed += 1
            await asyncio.sleep(_LOOK_SECONDS)
    return time.time()


@asynccontextmanager
async def _load(pair: Pair, name: str, rate: float) -> AsyncGenerator[Clients]:
    """Clients at work; in the end the reader of events has time to read the last one."""
    before = await Clients(pair.name.url, pair.key).head()
    clients = Clients(pair.name.url, pair.key, before)
    await clients.begin_sessions(_SESSIONS)
    watching = asyncio.create_task(clients.watch())
    writing = [
        asyncio.create_task(clients.write(f"{name}-{number}", rate / _WRITERS)) for number in range(_WRITERS)
    ]
    try:
        await asyncio.sleep(_BEFORE_SECONDS)
        await _until(lambda: bool(clients.acknowledged and clients.events), "a first write and its event")
        yield clients
        for task in writing:
            task.cancel()
        await asyncio.gather(*writing, return_exceptions=True)
        kept = await clients.feed()
        await _until(lambda: clients.events[-1].revision >= kept[-1].revision, "the last event")
    finally:
        for task in (watching, *writing):
            task.cancel()
        await asyncio.gather(watching, *writing, return_exceptions=True)


async def _judged(
    found: Round,
    pair: Pair,
    clients: Clients,
    gone: float,
    promoted: float,
    inside: Sequence[Acknowledged] = (),
) -> Round:
    """``found``, with what was kept: compared with everything that the leading database has now."""
    kept = await clients.feed()
    acknowledged = [*clients.acknowledged, *inside]
    before = [one for one in acknowledged if one.at <= promoted]
    after = [one for one in acknowledged if one.at > promoted]
    known = set(kept)
    # A write that was under way when its writer stopped may have come after all that the reader waited for.
    read_to = clients.events[-1].revision
    found.acknowledged, found.failed = len(acknowledged), len(clients.failed)
    found.lost, found.lost_by_plan = lost(before, kept, gone), lost(after, kept, gone)
    if found.kind == "switchover":
        found.lost, found.lost_by_plan = [], [*found.lost, *found.lost_by_plan]
    found.lost_seconds = max((one.seconds_before for one in found.lost), default=0.0)
    found.events = len(kept)
    found.events_missed = len({one for one in known if one.revision <= read_to} - set(clients.events))
    found.events_twice = len(clients.events) - len(set(clients.events))
    found.events_given_up = len(set(clients.events) - known)
    found.turned_back = clients.turned_back
    found.sessions_invalid = await clients.invalid_sessions()
    await pair.ready(found.to if found.kind == "switchover" else PRIMARY)
    return found


async def _until(condition: Callable[[], bool], what: str) -> None:
    try:
        async with asyncio.timeout(_WAIT_SECONDS):
            while not condition():  # noqa: ASYNC110 - what is waited for sets no event
                await asyncio.sleep(0.02)
    except TimeoutError:
        raise DrillError(f"{what[0].upper()}{what[1:]} did not come within {_WAIT_SECONDS:.0f} s.") from None
