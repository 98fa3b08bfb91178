"""Sends requests when they are due, whatever becomes of those before: waiting counts as latency.

A generator that waited for answers would send least when the server is slowest, and so not see it (G. Tene, "How NOT to
Measure Latency": coordinated omission).
"""

import asyncio
import time
from collections.abc import Callable
from types import TracebackType

import aiohttp

from app.load.answers import Answer
from app.load.mix import Asked, mixed, preparing
from app.load.profile import Profile, moments

#: Seconds after which a request is given up.
TIMEOUT_SECONDS = 10.0
_SEED = 7


class LoadError(Exception):
    """The test could not begin; the message says why and what to do."""


class Generator:
    """Sends to the API at ``url`` with ``key``; use it in an ``async with`` block."""

    def __init__(self, url: str, key: str, profile: Profile) -> None:
        self._url = url
        self._key = key
        self._profile = profile
        self._late = 0.0

    async def __aenter__(self) -> "Generator":
        self._http = aiohttp.ClientSession(
            self._url,
            headers={"authorization": f"Bearer {self._key}"},
            connector=aiohttp.TCPConnector(limit=self._profile.connections),
            timeout=aiohttp.ClientTimeout(total=TIMEOUT_SECONDS),
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._http.close()

    @property
    def late(self) -> float:
        """Seconds by which a request left too late at worst: above some milliseconds this machine could not keep up."""
        return self._late

    async def prepare(self) -> None:
        """Write every document that will be read.

        Raises:
            LoadError: one could not be written.
        """
        waiting = list(preparing(self._profile))
        while waiting:
            some, waiting = waiting[: self._profile.connections], waiting[self._profile.connections :]
            for answer in await asyncio.gather(
                *(self._send(asked, time.perf_counter(), 0.0) for asked in some)
            ):
                if not answer.good:
                    raise LoadError(_refusal(self._url, answer))

    async def run(
        self, on_progress: Callable[[int, int, int], None], enough: asyncio.Event | None = None
    ) -> list[Answer]:
        """Send the profile's requests, or those until ``enough``, and return when each is accounted for.

        ``on_progress`` is told each second which it is, and how many left and how many failed.
        """
        answers: list[Answer] = []
        under_way: set[asyncio.Task[Answer]] = set()

        def done(task: asyncio.Task[Answer]) -> None:
            under_way.discard(task)
            if not task.cancelled():
                answers.append(task.result())

        start, told = time.perf_counter(), 0
        planned = zip(moments(self._profile.stages), mixed(self._profile, _SEED), strict=False)
        for sent, (due, asked) in enumerate(planned, start=1):
            if enough and enough.is_set():
                break
            wait = start + due - time.perf_counter()
            if wait > 0:
                await asyncio.sleep(wait)
            else:
                self._late = max(self._late, -wait)
            task = asyncio.ensure_future(self._send(asked, start + due, due))
            under_way.add(task)
            task.add_done_callback(done)
            if int(due) > told:
                told = int(due)
                on_progress(told, sent, sum(not answer.good for answer in answers))
        await asyncio.gather(*under_way)
        return sorted(answers, key=lambda answer: answer.due)

    async def _send(self, asked: Asked, due: float, at: float) -> Answer:
        """``due`` on the clock of this process, ``at`` from the start of the test."""
        try:
            async with self._http.request(
                asked.method, asked.path, headers=asked.headers, data=asked.body
            ) as response:
                await response.read()
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            return Answer(asked.kind, at, time.perf_counter() - due, 0, type(error).__name__)
        return Answer(asked.kind, at, time.perf_counter() - due, response.status)


def _refusal(url: str, answer: Answer) -> str:
    if not answer.status:
        return f"{url} does not answer ({answer.error}): is it running?"
    if answer.status in {401, 403}:
        return f"{url} refused the key ({answer.status}): use one that may write to the collection load-test."
    return f"{url} refused a document of the test ({answer.status}): see its log."
