"""Processes of the state API behind a balancer, started and ended while clients go on."""

import asyncio
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from bench.machine import free_port
from bench.served import Served
from local.balancer import Balancer
from local.home import REPOSITORY

# Longer than the balancer takes to notice.
DRAIN_SECONDS = 1
_READY_SECONDS, _POLL_SECONDS = 60.0, 0.05


class Fleet:
    """Its processes, by the port that each listens at."""

    def __init__(self, api: Served, balancer: Balancer, folder: Path) -> None:
        self._api = api
        self._balancer = balancer
        self._folder = folder
        self._processes: dict[int, subprocess.Popen[bytes]] = {}

    @property
    def ports(self) -> list[int]:
        """The oldest first."""
        return list(self._processes)

    async def add(self) -> None:
        """Start one more and wait until it is ready."""
        port = free_port()
        self._processes[port] = self._start(port)
        self._balancer.point_to(*self._processes)
        await _until(lambda: port in self._balancer.ready)

    async def remove(self) -> None:
        """Tell the oldest to end, and wait until it has answered what was under way and is gone."""
        port, process = next(iter(self._processes.items()))
        process.send_signal(signal.SIGTERM)
        await asyncio.to_thread(process.wait)
        del self._processes[port]
        self._balancer.point_to(*self._processes)

    async def roll(self) -> None:
        """Replace each by a new one, with the secrets of now."""
        for _ in self.ports:
            await self.add()
            await self.remove()

    def _start(self, port: int) -> subprocess.Popen[bytes]:
        environment = {"VANTA_LISTEN_PORT": str(port), "VANTA_DRAIN_SECONDS": str(DRAIN_SECONDS)}
        with (self._folder / f"api-{port}.log").open("wb") as log:
            return subprocess.Popen(
                [sys.executable, "-m", "app", "serve"],
                cwd=REPOSITORY,
                env={**os.environ, **self._api.environment, **environment},
                stdout=log,
                stderr=log,
            )

    async def _end(self) -> None:
        for process in self._processes.values():
            process.kill()
            await asyncio.to_thread(process.wait)


@asynccontextmanager
async def fleet(api: Served, count: int) -> AsyncGenerator[tuple[Fleet, Balancer]]:
    """``count`` processes beside the one of ``api``, on its engines."""
    with tempfile.TemporaryDirectory(prefix="vanta-fleet-") as folder:
        async with Balancer() as balancer:
            running = Fleet(api, balancer, Path(folder))
            try:
                for _ in range(count):
                    await running.add()
                yield running, balancer
            finally:
                await running._end()  # noqa: SLF001 - its own


async def _until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(_READY_SECONDS):
        while not condition():  # noqa: ASYNC110 - the balancer sets no event
            await asyncio.sleep(_POLL_SECONDS)
