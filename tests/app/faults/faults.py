"""What can go wrong: each fault is there from the beginning of its block to the end."""

import random
import signal
import threading
import time
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, contextmanager

import psutil

from .platform import Platform, send

Fault = Callable[[Platform, random.Random], AbstractContextManager[None]]

#: By family, then by name.
FAULTS: dict[str, dict[str, Fault]] = {"api": {}, "postgres": {}, "redis": {}, "network": {}}


def _fault(family: str, name: str) -> Callable[[Callable[[Platform, random.Random], Generator[None]]], None]:
    def register(work: Callable[[Platform, random.Random], Generator[None]]) -> None:
        FAULTS[family][name] = contextmanager(work)

    return register


@contextmanager
def paused(processes: list[psutil.Process]) -> Generator[None]:
    """SIGSTOP, and SIGCONT at the end."""
    send(processes, signal.SIGSTOP)
    try:
        yield
    finally:
        send(processes, signal.SIGCONT)


@_fault("api", "api-killed")
def api_killed(platform: Platform, chance: random.Random) -> Generator[None]:
    """kill -9 of an API process: all of it, its parent, or its worker."""
    api = chance.choice(platform.apis)
    parent, *workers = api.family()
    api.kill(chance.choice([[parent, *workers], [parent], workers]))
    yield


@_fault("api", "api-paused")
def api_paused(platform: Platform, chance: random.Random) -> Generator[None]:
    """An API process stands still."""
    with paused(chance.choice(platform.apis).family()):
        yield


@_fault("api", "api-stutters")
def api_stutters(platform: Platform, chance: random.Random) -> Generator[None]:
    """An API process stands still again and again, for long enough to lose Redis or to outlive its trust in the cache."""
    api = chance.choice(platform.apis)
    for _ in range(6):
        with paused(api.family()):
            time.sleep(chance.choice([0.05, 0.3, 1.1]))
        time.sleep(chance.uniform(0, 0.1))
    yield


@_fault("postgres", "postgres-killed")
def postgres_killed(platform: Platform, chance: random.Random) -> Generator[None]:
    """kill -9 of PostgreSQL: all of it, the postmaster, or one backend, after which it restarts by itself."""
    server, *backends = platform.postgres_family
    send(chance.choice([[server, *backends], [server], [chance.choice(backends)]]), signal.SIGKILL)
    yield


@_fault("postgres", "postgres-paused")
def postgres_paused(platform: Platform, chance: random.Random) -> Generator[None]:
    """PostgreSQL stands still: all of it, or single backends in whatever they do, holding their locks."""
    server, *backends = platform.postgres_family
    serving = [one for one in backends if "_app" in " ".join(_command(one))]
    with paused(
        chance.choice(
            [[server, *backends], chance.sample(serving, max(1, len(serving) // 2)) if serving else []]
        )
    ):
        yield


@_fault("postgres", "sessions-terminated")
def sessions_terminated(platform: Platform, chance: random.Random) -> Generator[None]:
    """An administrator ends the sessions of the application, again and again."""
    for _ in range(chance.randint(1, 8)):
        platform.database.query(
            "select pg_terminate_backend(pid) from pg_stat_activity where usename like '%_app' and random() < 0.7"
        )
        time.sleep(chance.uniform(0, 0.2))
    yield


@_fault("redis", "redis-killed")
def redis_killed(platform: Platform, chance: random.Random) -> Generator[None]:  # noqa: ARG001 - all have one signature
    """kill -9 of Redis; it comes back empty."""
    send(platform.redis_family, signal.SIGKILL)
    yield


@_fault("redis", "redis-paused")
def redis_paused(platform: Platform, chance: random.Random) -> Generator[None]:  # noqa: ARG001 - all have one signature
    """Redis stands still, and does what it was told meanwhile when it goes on."""
    with paused(platform.redis_family):
        yield


@_fault("redis", "redis-emptied")
def redis_emptied(platform: Platform, chance: random.Random) -> Generator[None]:
    """FLUSHALL again and again: marks and leases are gone, and the server is the same."""
    for _ in range(chance.randint(5, 30)):
        platform.redis.query("FLUSHALL")
        time.sleep(chance.uniform(0, 0.05))
    yield


@_fault("redis", "redis-full")
def redis_full(platform: Platform, chance: random.Random) -> Generator[None]:
    """No memory to spare: whatever may be evicted is, marks too if they may."""
    used = int(platform.redis.query("INFO", "memory").split("used_memory:")[1].split()[0])
    platform.redis.query("CONFIG", "SET", "maxmemory", str(used + chance.choice([-100_000, 0, 2_000])))
    try:
        yield
    finally:
        platform.redis.query("CONFIG", "SET", "maxmemory", "64mb")


@_fault("redis", "epoch-closed")
def epoch_closed(platform: Platform, chance: random.Random) -> Generator[None]:
    """Somebody who cannot reach Redis closes the cache, again and again."""
    for _ in range(chance.randint(1, 3)):
        platform.database.query("select vanta.move_cache_epoch(epoch, 'open', '') from vanta.cache_epoch")
        platform.open_cache()
    yield


def _network(name: str, begin: Callable[[Platform, random.Random], None]) -> None:
    @contextmanager
    def broken(platform: Platform, chance: random.Random) -> Generator[None]:
        begin(platform, chance)
        try:
            yield
        finally:
            for api in platform.apis:
                for network in api.networks.values():
                    network.restore()

    FAULTS["network"][name] = broken


def _one(platform: Platform, chance: random.Random):  # noqa: ANN202 - a Proxy
    return chance.choice(platform.apis).networks[chance.choice(["postgres", "redis"])]


_network("connections-cut", lambda platform, chance: _one(platform, chance).cut())
_network("network-frozen", lambda platform, chance: _one(platform, chance).freeze())
_network("answers-held-back", lambda platform, chance: _one(platform, chance).mute())
_network(
    "network-slow", lambda platform, chance: _one(platform, chance).slow(chance.choice([0.01, 0.05, 0.2]))
)


class Nemesis(threading.Thread):
    """Breaks the platform again and again until it is stopped, and mends it each time."""

    def __init__(self, platform: Platform, faults: dict[str, Fault], seed: int) -> None:
        super().__init__(name="nemesis")
        self._platform = platform
        self._faults = faults
        self._chance = random.Random(seed)  # noqa: S311 - to be repeated, not to be secret
        self._stopped = threading.Event()
        self.done: list[str] = []
        self.failure: BaseException | None = None

    def run(self) -> None:
        """Until stopped; what fails is in :attr:`failure`."""
        try:
            while not self._stopped.wait(self._chance.uniform(0.2, 1.0)):
                # Each once before any comes again.
                for name in self._chance.sample(sorted(self._faults), len(self._faults)):
                    if self._stopped.wait(self._chance.uniform(0.1, 1.0)):
                        return
                    self._do(name)
        except BaseException as error:  # noqa: BLE001 - it is the test's to fail by it
            self.failure = error

    def stop(self, seconds: float) -> None:
        """Go on for so long, then stop once the fault under way is over; raises what has failed."""
        self.join(seconds)
        self._stopped.set()
        self.join()
        if self.failure:
            raise AssertionError(f"after {self.done} the platform did not come back") from self.failure

    def _do(self, name: str) -> None:
        self.done.append(name)
        with self._faults[name](self._platform, self._chance):
            self._stopped.wait(self._chance.choice([0.1, 0.5, 1.0, 2.5]))
        self._platform.heal()
        self._platform.open_cache()


def _command(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.NoSuchProcess:
        return []
