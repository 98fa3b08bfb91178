"""The region that is lost, and that comes back without knowing."""

import asyncio
import signal
import time

import aiohttp
import asyncpg

from local.drill.clients import put
from local.drill.pair import DrillError
from local.drill.record import Kind
from local.drill.region import Region

_SECONDS = 60.0


class Old:
    """``region``, tried with ``key``: :attr:`asked` writes, of which it :attr:`took` some."""

    def __init__(self, region: Region, key: str) -> None:
        self.region, self._key = region, key
        self.asked = self.took = 0
        # The record of a database that is fenced is removed.
        self._database = region.database()

    def lose(self, kind: Kind) -> None:
        """Lose it in the way that ``kind`` says."""
        if kind == "full":
            self.region.fill()
        else:
            self.region.signal(signal.SIGSTOP if kind == "frozen" else signal.SIGKILL)

    async def come_back(self) -> None:
        """Let what is left of it go on, and start the rest as it was started before."""
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
        url, patience = f"http://127.0.0.1:{self.region.port}", aiohttp.ClientTimeout(total=5)
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
