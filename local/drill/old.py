"""The region that is lost, and that comes back without knowing."""

import asyncio
import signal
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import aiohttp
import asyncpg

from local.drill.clients import Acknowledged, Clients, put
from local.drill.pair import DrillError, Pair
from local.drill.record import Kind
from local.home import LOOPBACK

_SECONDS = 60.0
# What clients inside of it write in a second.
_INSIDE_RATE = 10.0


class Old:
    """Stack ``name`` of ``pair``, tried after it was lost: :attr:`asked` writes, of which it :attr:`took` some."""

    def __init__(self, pair: Pair, name: str) -> None:
        self._pair, self.region, self._key = pair, pair.regions[name], pair.key
        self.asked = self.took = 0
        # The record of a database that is fenced is removed.
        self._database = self.region.database()
        self._inside = Clients(f"http://{LOOPBACK[0]}:{self.region.port}", pair.key)

    async def lose(self, kind: Kind) -> None:
        """Lose it in the way that ``kind`` says."""
        if kind == "full":
            self.region.fill()
        elif kind == "cut":
            await self._pair.cut()
        else:
            self.region.signal(signal.SIGSTOP if kind == "frozen" else signal.SIGKILL)

    @asynccontextmanager
    async def written_inside(self, beginning: str) -> AsyncGenerator[list[Acknowledged]]:
        """What it acknowledges to a client that is inside, and is never cut off from it."""
        writing = asyncio.create_task(self._inside.write(f"{beginning}-inside", _INSIDE_RATE))
        try:
            yield self._inside.acknowledged
        finally:
            writing.cancel()
            await asyncio.gather(writing, return_exceptions=True)

    def count_inside(self, promoted: float) -> None:
        """Count what it was asked for from inside since another one has been ``promoted``."""
        took = sum(one.at > promoted for one in self._inside.acknowledged)
        self.took += took
        self.asked += took + sum(at > promoted for at in self._inside.failed)

    async def come_back(self) -> None:
        """Let what is left of it go on, and start the rest as it was started before."""
        self._pair.mend()
        self.region.signal(signal.SIGCONT)
        await asyncio.to_thread(self.region.power_up, self._database)

    async def try_to_write(self) -> None:
        """Ask its API and its database for a write until both have answered."""
        answered = set()
        end = time.monotonic() + _SECONDS
        while answered != {"api", "database"}:
            if time.monotonic() > end:
                raise DrillError(f"The old region answered only {answered or 'nothing'} after it came back.")
            answered |= {"api"} if await self._asked_api() else set()
            answered |= {"database"} if await self._asked_database() else set()
            await asyncio.sleep(0.1)

    async def _asked_api(self) -> bool:
        headers = {"authorization": f"Bearer {self._key}"}
        url, patience = f"http://{LOOPBACK[0]}:{self.region.port}", aiohttp.ClientTimeout(total=5)
        async with aiohttp.ClientSession(url, headers=headers, timeout=patience) as http:
            try:
                revision = await put(http, f"old-{time.time_ns()}")
            except (aiohttp.ClientError, TimeoutError, OSError):
                return False
        self.asked += 1
        self.took += revision is not None
        return True

    async def _asked_database(self) -> bool:
        try:
            connection = await self.region.connect()
        except (asyncpg.PostgresError, OSError, TimeoutError):
            return False
        try:
            await connection.execute("create table public.second_writer ()")
        except asyncpg.ReadOnlySQLTransactionError:
            self.asked += 1
            return True
        finally:
            await connection.close()
        self.asked += 1
        self.took += 1
        return True
