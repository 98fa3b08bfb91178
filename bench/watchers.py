"""Who watches a collection while it is written to: how many events they get, and how long after the write was acknowledged."""

import asyncio
import re
import time
from collections.abc import AsyncGenerator, Collection
from contextlib import asynccontextmanager

import aiohttp

from bench.closed_loop import Run, per_request
from bench.served import Served, cpu_seconds

#: Writes per second while delays are measured: few enough that none waits for another.
RATE = 100
_PATIENCE = 60
_EVENT = re.compile(rb"^id: (\d+)\S*\nevent: ", re.MULTILINE)
_ID = re.compile(rb"^id: (\S+)$", re.MULTILINE)


class Watchers:
    """``count`` watches of ``collection``; each resumes where it was when the API ends it, as it does after a megabyte."""

    def __init__(self, http: aiohttp.ClientSession, collection: str, count: int) -> None:
        self._http = http
        self._path = f"/v1/watch/{collection}"
        self._begun = [asyncio.Event() for _ in range(count)]
        #: Of each watch, the revisions that it was told of, and when (``time.perf_counter``).
        self.seen: list[list[tuple[int, float]]] = [[] for _ in range(count)]

    @asynccontextmanager
    async def running(self) -> AsyncGenerator[None]:
        """All have begun, and go on until the end of the block."""
        async with asyncio.timeout(_PATIENCE):
            tasks = [asyncio.create_task(self._watch(number)) for number in range(len(self.seen))]
            await asyncio.gather(*(begun.wait() for begun in self._begun))
        yield
        for task in tasks:
            # One that failed says so here.
            if task.done():
                task.result()
            task.cancel()

    async def until(self, revision: int) -> None:
        """Wait until all were told of ``revision``."""
        async with asyncio.timeout(_PATIENCE):
            # An event for each of them would delay what is measured.
            while any(not seen or seen[-1][0] < revision for seen in self.seen):  # noqa: ASYNC110
                await asyncio.sleep(0.01)

    async def _watch(self, number: int) -> None:
        after, seen = "now", self.seen[number]
        while True:
            async with self._http.get(self._path, params={"after": after}) as response:
                rest = b""
                async for chunk in response.content.iter_any():
                    at = time.perf_counter()
                    whole, _, rest = (rest + chunk).rpartition(b"\n\n")
                    seen.extend((int(revision), at) for revision in _EVENT.findall(whole))
                    if ids := _ID.findall(whole):
                        after = ids[-1].decode()
                        self._begun[number].set()


def run(api: Served, collection: str, body: str, count: int, flood: Run, seconds: int) -> dict[str, float]:
    """Events per second that ``count`` watches get of ``flood``, and CPU per event; and then, of :data:`RATE` writes a second, the
    seconds from a write's acknowledgement to its event. A watch that was not told of each write once, in order, is an error."""
    return asyncio.run(_run(api, collection, body, count, flood, seconds))


async def _run(
    api: Served, collection: str, body: str, count: int, flood: Run, seconds: int
) -> dict[str, float]:
    async with aiohttp.ClientSession(
        api.url,
        headers={"authorization": f"Bearer {api.key}"},
        connector=aiohttp.TCPConnector(limit=0),
        timeout=aiohttp.ClientTimeout(),
        raise_for_status=True,
    ) as http:
        flooded = Watchers(http, collection, count)
        before = {name: cpu_seconds(process) for name, process in api.processes.items()}
        head = await _head(api)
        async with flooded.running():
            written = await asyncio.to_thread(flood)
            revisions = await _written(api, collection, head)
            await flooded.until(max(revisions))
        used = {name: cpu_seconds(process) - before[name] for name, process in api.processes.items()}
        paced = Watchers(http, collection, count)
        async with paced.running():
            acknowledged = await _write(http, f"/v1/state/{collection}", body, seconds)
            await paced.until(max(acknowledged))
    events = [event for seen in flooded.seen for event in seen]
    times = [at for _, at in events]
    delays = sorted(at - acknowledged[revision] for seen in paced.seen for revision, at in seen)
    mistold = wrong(flooded.seen, revisions) + wrong(paced.seen, acknowledged)
    return {
        "perSecond": len(events) / (max(times) - min(times)),
        "writesPerSecond": written["perSecond"],
        **per_request(used, len(events)),
        "p50": delays[len(delays) // 2],
        "p99": delays[len(delays) * 99 // 100],
        "errors": written["errors"] + mistold,
    }


def wrong(watches: list[list[tuple[int, float]]], revisions: Collection[int]) -> int:
    """How many watches were not told of ``revisions`` in order, each once; what was written after those does not count."""
    last = max(revisions)
    return sum(
        [revision for revision, _ in seen if revision <= last] != sorted(revisions) for seen in watches
    )


async def _head(api: Served) -> int:
    statement = "select revision from vanta.tenant_head where tenant_id = $1::uuid"
    return (await asyncio.to_thread(api.sql, statement, api.tenant))[0]["revision"]


async def _written(api: Served, collection: str, after: int) -> list[int]:
    """The revisions of ``collection`` after ``after``."""
    statement = "select revision from vanta.document_version where tenant_id = $1::uuid and collection = $2 and revision > $3"
    return [
        row["revision"] for row in await asyncio.to_thread(api.sql, statement, api.tenant, collection, after)
    ]


async def _write(http: aiohttp.ClientSession, path: str, body: str, seconds: int) -> dict[int, float]:
    """Write on schedule; when each revision was acknowledged (``time.perf_counter``)."""
    headers = {"content-type": "application/json", "vanta-concurrency": "last-write-wins"}
    acknowledged: dict[int, float] = {}

    async def put(key: int) -> None:
        async with http.put(f"{path}/{key}", data=body, headers=headers) as response:
            revision = int(response.headers["etag"].strip('"').partition("-")[0], 16)
            acknowledged[revision] = time.perf_counter()

    began = time.perf_counter()
    async with asyncio.TaskGroup() as writes:
        for number in range(RATE * seconds):
            await asyncio.sleep(max(0.0, began + number / RATE - time.perf_counter()))
            writes.create_task(put(number))
    return acknowledged
