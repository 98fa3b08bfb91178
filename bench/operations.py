"""What clients notice of operations: each under constant load, with every request accounted for: ``python -m bench.operations``.

Two processes of the state API behind a balancer, on PostgreSQL and Redis over TLS. Writes ``bench/results/operations.json`` and
draws ``bench/results/operations.svg``.
"""

import asyncio
import json
import os
import secrets
import signal
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec

from app.db import migrate, postgres, roles
from app.db.migrate import Migration
from app.load.answers import outcome
from app.load.generator import Generator
from app.load.profile import Objectives, Profile, constant
from app.settings import Login
from bench.fleet import Fleet, fleet
from bench.machine import facts
from bench.noticed import counted, draw
from bench.served import TOKEN, Served, served
from local.home import LOOPBACK
from local.postgres_role import fence

RATE, PROCESSES = 200, 2
AWAY_SECONDS = 1.0
# Before an operation and after it, so that what it costs shows beside what is usual.
BEFORE_SECONDS, AFTER_SECONDS, MOST_SECONDS = 5.0, 5.0, 120.0
RESULTS = Path(__file__).parent / "results"

Operation = Callable[[Served, Fleet], Awaitable[None]]


async def nothing(_: Served, __: Fleet) -> None:
    """What is usual."""


async def rolling_restart(_: Served, running: Fleet) -> None:
    """A new version: each process is replaced once its successor is ready."""
    await running.roll()


async def scale_out_and_in(_: Served, running: Fleet) -> None:
    """One process more, and one fewer again."""
    await running.add()
    await running.remove()


async def schema_migration(api: Served, _: Fleet) -> None:
    """Expand and contract: a column of the busiest table comes and goes, under the lock timeout of `migrate`."""
    name = f"9{time.time_ns()}"
    both = [
        Migration(name=f"{name}_expand", sql="alter table vanta.document add column bench text"),
        Migration(name=f"{name}_contract", sql="alter table vanta.document drop column bench"),
    ]
    connection = await postgres.connect(api.settings, "database-master")
    try:
        # The ledger refuses names that it has and the files have not.
        await connection.execute("delete from public.vanta_migration where name ~ '^9[0-9]{10}'")
        async for _migration in migrate.apply(connection, [*migrate.load(), *both]):
            pass
    finally:
        await connection.close()


async def database_password(api: Served, running: Fleet) -> None:
    """The other of the two users takes its turn, and processes are replaced."""
    folder = Path(api.environment["VANTA_SECRETS_DIR"])
    login = Login(username="vanta_app_2", password=secrets.token_urlsafe(24))
    connection = await postgres.connect(api.settings, "database-master")
    try:
        await roles.ensure_login(connection, login)
    finally:
        await connection.close()
    content = {"username": login.username, "password": login.password}
    (folder / "database-app").write_bytes(msgspec.json.encode(content))
    await running.roll()


async def cache_token(api: Served, running: Fleet) -> None:
    """A new token beside the old one, processes are replaced, the old one goes."""
    token = secrets.token_urlsafe(24)
    await asyncio.to_thread(api.cache.apply, tokens=[TOKEN, token])
    secret = Path(api.environment["VANTA_SECRETS_DIR"]) / "cache"
    secret.write_bytes(msgspec.json.encode({"authToken": token}))
    await running.roll()
    await asyncio.to_thread(api.cache.apply, tokens=[token])


async def cache_lost(api: Served, _: Fleet) -> None:
    """Redis is killed, and is back, empty, after three seconds."""
    os.kill(api.processes["redis"].pid, signal.SIGKILL)
    await asyncio.sleep(3)
    await asyncio.to_thread(api.cache.start)


async def replica_lost(api: Served, _: Fleet) -> None:
    """A replica joins, is killed, is back and leaves: the API reads from the writer, which waits for no replica."""
    writer = api.database
    replica = replace(writer, name="replica", host=LOOPBACK[1])

    def work() -> None:
        try:
            replica.clone(writer)
            replica.start()
            # All of its processes at once, as a machine that is gone.
            fence(replica)
            replica.start()
        finally:
            replica.remove(primary=writer)

    await asyncio.to_thread(work)


async def database_restarted(api: Served, _: Fleet) -> None:
    """The one PostgreSQL ends, is away for a second, and starts: what is under way fails, and so does what comes meanwhile."""
    await asyncio.to_thread(api.database.stop)
    await asyncio.sleep(AWAY_SECONDS)
    await asyncio.to_thread(api.database.start)


#: Those in which no request needs to fail, and the one in which some must: there is one database here.
HARMLESS: Mapping[str, Operation] = {
    "nothing": nothing,
    "rolling restart": rolling_restart,
    "scale out and in": scale_out_and_in,
    "schema migration": schema_migration,
    "database password": database_password,
    "cache token": cache_token,
    "cache lost": cache_lost,
    "replica lost": replica_lost,
}
OPERATIONS: Mapping[str, Operation] = {**HARMLESS, "database restarted": database_restarted}


async def under_load(
    operation: Operation, api: Served, running: Fleet, url: str, *, rate: float, around: tuple[float, float]
) -> dict[str, Any]:
    """Run ``operation`` under ``rate`` requests a second, with so many seconds before and after it; what clients saw."""
    objectives = Objectives(availability=1.0)
    profile = Profile(stages=constant(rate, MOST_SECONDS), documents=200, objectives=objectives)
    enough = asyncio.Event()
    async with Generator(url, api.key, profile) as generator:
        await generator.prepare()
        started = time.perf_counter()
        sending = asyncio.create_task(generator.run(lambda *_: None, enough))
        await asyncio.sleep(around[0])
        begun = time.perf_counter() - started
        await operation(api, running)
        ended = time.perf_counter() - started
        await asyncio.sleep(around[1])
        enough.set()
        answers = await sending
    found = outcome(answers, objectives)
    return {
        "begun": round(begun, 2),
        "ended": round(ended, 2),
        "late": round(generator.late, 3),
        "outcome": msgspec.to_builtins(found),
    }


async def _measure(api: Served) -> list[dict[str, Any]]:
    measured = []
    async with fleet(api, PROCESSES) as (running, balancer):
        for name, operation in OPERATIONS.items():
            one: dict[str, Any] = {"operation": name} | await under_load(
                operation, api, running, balancer.url, rate=RATE, around=(BEFORE_SECONDS, AFTER_SECONDS)
            )
            count, failed = counted(one["outcome"])
            took = one["ended"] - one["begun"]
            print(f"{one['operation']:<20}{took:>7.1f} s {count:>7} requests {failed:>5} failed")  # noqa: T201
            measured.append(one)
    return measured


def main() -> None:
    """Measure, print, write and draw."""
    machine = facts()
    with served() as api:
        measured = asyncio.run(_measure(api))
    content = {
        "machine": machine,
        "scenario": {"rate": RATE, "processes": PROCESSES},
        "unit": "seconds; latencies in milliseconds",
        "operations": measured,
    }
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "operations.json").write_text(json.dumps(content, indent=1) + "\n")
    draw({one["operation"]: one for one in measured}, RATE, RESULTS / "operations.svg")


if __name__ == "__main__":
    main()
