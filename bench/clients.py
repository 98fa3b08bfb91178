"""Clients of an API in a process of their own, so that what this one does delays none of their requests."""

import asyncio
import multiprocessing
import os
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from multiprocessing.synchronize import Event

from app.load.answers import Answer, Outcome, outcome
from app.load.generator import Generator as Load
from app.load.profile import Objectives, Profile, constant

_MOST_SECONDS = 900.0
_READY_SECONDS = 60


class Clients:
    """Requests under way; :meth:`stop` waits until each is accounted for."""

    def __init__(
        self, process: multiprocessing.process.BaseProcess, enough: Event, found: Connection
    ) -> None:
        self._process = process
        self._enough = enough
        self._found = found
        if not found.poll(_READY_SECONDS):
            raise TimeoutError("The clients could not write their documents in a minute: is the API up?")
        #: When the first request left, in seconds since the epoch.
        self.started: float = found.recv()
        #: Each request, once they have stopped; and by how many seconds one left too late at worst.
        self.answers: list[Answer] = []
        self.late = 0.0

    def stop(self) -> None:
        """Send no more, and take in what became of each request."""
        if self._enough.is_set():
            return
        self._enough.set()
        self.answers, self.late = self._found.recv()
        self._process.join()

    @property
    def now(self) -> float:
        """Seconds since the first request left: the clock of :class:`Answer`."""
        return time.time() - self.started

    def outcome(self) -> Outcome:
        """What clients saw, by kind, second and failure."""
        return outcome(self.answers, Objectives(availability=1.0))


@contextmanager
def clients(url: str, key: str, rate: float) -> Generator[Clients]:
    """``rate`` requests a second to the API at ``url`` with ``key`` until the block ends."""
    context = multiprocessing.get_context("spawn")
    enough, (here, there) = context.Event(), context.Pipe()
    process = context.Process(target=_send, args=(url, key, rate, enough, there), daemon=True)
    process.start()
    there.close()
    try:
        running = Clients(process, enough, here)
        yield running
        running.stop()
    finally:
        process.kill()
        process.join()
        here.close()


def _send(url: str, key: str, rate: float, enough: Event, found: Connection) -> None:
    os.setsid()  # so that they share no weight with whoever started them
    threading.Thread(target=_end_with, args=(multiprocessing.parent_process(),), daemon=True).start()
    profile = Profile(stages=constant(rate, _MOST_SECONDS), documents=200)

    async def send() -> tuple[list[Answer], float]:
        stopping = asyncio.Event()
        async with Load(url, key, profile) as load:
            await load.prepare()
            found.send(time.time())
            asked = asyncio.create_task(asyncio.to_thread(enough.wait))
            asked.add_done_callback(lambda _: stopping.set())
            return await load.run(lambda *_: None, stopping), load.late

    found.send(asyncio.run(send()))


def _end_with(parent: multiprocessing.process.BaseProcess | None) -> None:
    """End this process once ``parent`` is gone: nobody would stop it who was killed and could not."""
    if parent is not None:
        parent.join()
        os._exit(1)
