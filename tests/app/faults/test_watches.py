"""Watches through kills, pauses and cuts: every revision once, in order, whatever a client had to do to go on."""

import asyncio
from collections.abc import AsyncGenerator

import pytest

from .client import NoAnswerError, NotSentError
from .faults import FAULTS, Nemesis
from .platform import RECOVERY_SECONDS, Platform
from .workload import Recorder, load

_SECONDS = 10


class Watcher:
    """Reads a watch from one API after the other, resuming after the last id as every client of such events does."""

    def __init__(self, recorder: Recorder, ports: list[int]) -> None:
        self._recorder = recorder
        self._ports = ports
        self._last = str(recorder.after)
        self.seen: list[int] = []
        self.connections = 0

    async def follow(self, enough: asyncio.Event, until: list[int]) -> None:
        """Watch until ``enough``, and then until the revision in ``until`` has been seen."""
        while not (enough.is_set() and _revision(self._last) >= until[0]):
            port = self._ports[self.connections % len(self._ports)]
            self.connections += 1
            try:
                async for revision in self._connected(port):
                    self.seen.append(revision)
                    if enough.is_set() and revision >= until[0]:
                        return
            except (OSError, EOFError, TimeoutError, NotSentError, NoAnswerError):
                await asyncio.sleep(0.1)

    async def _connected(self, port: int) -> AsyncGenerator[int]:
        async with asyncio.timeout(2):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            head = f"GET /v1/watch HTTP/1.0\r\nhost: vanta\r\nlast-event-id: {self._last}\r\n"
            head += "".join(f"{name}: {value}\r\n" for name, value in self._recorder.tenant.headers.items())
            writer.write(f"{head}\r\n".encode())
            async with asyncio.timeout(5):
                status = await reader.readline()
                await reader.readuntil(b"\r\n\r\n")
            if b" 200 " not in status:
                assert b" 503 " in status, f"a watch that resumes was refused: {status!r}"
                raise EOFError
            event: dict[str, str] = {}
            while True:
                # Heartbeats come every 15 s; a client that hears none goes elsewhere. This one does not wait as long.
                async with asyncio.timeout(3):
                    line = (await reader.readline()).decode()
                if not line:
                    return
                name, _, value = line.strip().partition(": ")
                if value:
                    event[name] = value
                elif "id" in event and not line.strip():
                    if "data" in event:
                        yield _revision(event["id"])
                    self._last = event["id"]
                    event = {}
        finally:
            writer.transport.abort()


def _revision(event_id: str) -> int:
    return int(event_id.partition("-")[0])


async def _watch_while_broken(
    platform: Platform, recorder: Recorder, nemesis: Nemesis, seed: int
) -> list[Watcher]:
    ports = [api.port for api in platform.apis]
    watchers = [Watcher(recorder, ports), Watcher(recorder, ports[::-1])]
    enough, last = asyncio.Event(), [0]
    async with asyncio.timeout(_SECONDS + 3 * RECOVERY_SECONDS), asyncio.TaskGroup() as group:
        for watcher in watchers:
            group.create_task(watcher.follow(enough, last))
        await load(recorder, nemesis, clients=6, seed=seed, seconds=_SECONDS)
        last[0] = recorder.versions()[-1].revision
        enough.set()
        # So that a watch which waits for news hears some.
        with recorder.clients() as clients:
            assert await recorder.do(clients, 0, "PUT", "last", condition="whatever")
    return watchers


@pytest.mark.parametrize("family", ["api", "postgres", "network"])
def test_a_watch_that_resumes_is_told_of_every_revision_once_and_in_order(
    broken: Platform, family: str, seed: int
) -> None:
    broken.heal()
    recorder = Recorder(broken)
    nemesis = Nemesis(broken, FAULTS[family], seed)
    watchers = asyncio.run(_watch_while_broken(broken, recorder, nemesis, seed))
    print(nemesis.done, [(len(one.seen), one.connections) for one in watchers])  # noqa: T201 - shown with a failure
    for watcher in watchers:
        first = recorder.after + 1
        assert watcher.seen == [*range(first, first + len(watcher.seen))]
        assert len(watcher.seen) > 50, "hardly anything was written, so hardly anything was tried"
