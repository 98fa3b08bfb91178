"""A thousand clients hold connections, and the API is killed under all of them."""

import asyncio
import resource
from collections.abc import Generator
from contextlib import ExitStack, contextmanager

from .checker import check
from .client import Client
from .platform import RECOVERY_SECONDS, Platform
from .workload import Recorder

_CLIENTS = 1000
_ROUNDS = 3


@contextmanager
def _enough_files() -> Generator[None]:
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(before[0], min(8192, before[1])), before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, before)


async def _insist(
    recorder: Recorder, client: Client, number: int, rounds: list[int], halfway: asyncio.Event
) -> None:
    """Write, and write again until it is acknowledged, as a client does that must not lose its work."""
    for done in range(_ROUNDS):
        while True:
            tried = await recorder.do([client], 0, "PUT", f"{number}", condition="whatever")
            if tried is not None and tried.acknowledged:
                break
            await asyncio.sleep(0.2)
        rounds[number] = done + 1
        if sum(rounds) >= _CLIENTS // 2:
            halfway.set()


async def _storm(platform: Platform, recorder: Recorder) -> None:
    (api, *_) = platform.apis
    rounds, halfway = [0] * _CLIENTS, asyncio.Event()
    with ExitStack() as stack:
        clients = [Client(api.port, recorder.tenant.headers) for _ in range(_CLIENTS)]
        for client in clients:
            stack.callback(client.close)
        await asyncio.gather(*(client.connect() for client in clients))
        async with asyncio.timeout(RECOVERY_SECONDS * 2), asyncio.TaskGroup() as group:
            for number, client in enumerate(clients):
                group.create_task(_insist(recorder, client, number, rounds, halfway))
            await halfway.wait()
            await asyncio.to_thread(api.kill, api.family())
            assert min(rounds) < _ROUNDS, "all had finished before the API was killed"
            api.start()


def test_a_thousand_clients_recover_from_a_killed_api_and_nothing_acknowledged_is_lost(
    broken: Platform,
) -> None:
    recorder = Recorder(broken)
    with _enough_files():
        asyncio.run(_storm(broken, recorder))
    assert not check(recorder.operations, recorder.versions(), after=recorder.after)
