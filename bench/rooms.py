"""Secrets, sessions, agents, transactions, lists and watches: ``python -m bench.rooms``, or with fewer rounds and seconds than 5 and 3.

Closed loop, 64 connections, one kind of request at a time, all kinds in turns, beside documents, beside what the engines can do alone
and beside LangGraph's own checkpointer on the same PostgreSQL. Every feature is on: TLS to both engines, authentication, row-level
security, history and events. KMS is the local emulator's, asked once, for the API keeps a tenant's data key open.

Needs ``wrk`` and ``redis-benchmark`` (Debian packages wrk and redis-tools). Whole runs write ``bench/results/rooms.json`` and draw
``bench/results/rooms.svg``. A run in which a request failed ends with 1 and writes nothing.
"""

import json
import sys
import tempfile
import time
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any

import boto3

from bench import savers, watchers
from bench.closed_loop import CONNECTIONS, ClosedLoop, Run, draw, interleaved, median, names
from bench.machine import facts
from bench.requested import BODY, HOT, ROWS, SECRET, SESSION_DATA, Kind, Requested
from bench.served import Served, served
from local.attached import temporary_aws
from local.aws.emulator import ACCOUNT

ROUNDS, SECONDS = 5, 3
WATCHERS = (1, 50)
REGION = "eu-west-1"
RESULTS = Path(__file__).parent / "results"
#: What is compared as a ratio of requests per second: ours, and what it is measured by.
COMPARED = (
    ("session read", "redis-benchmark GET"),
    ("document GET", "redis-benchmark GET"),
    ("session create", "pgbench INSERT"),
    ("secret read", "pgbench SELECT"),
    ("secret read", "pgbench INSERT"),
    ("secret write", "pgbench INSERT"),
    ("checkpoint put", "pgbench INSERT"),
    ("checkpoint read", "pgbench SELECT"),
    ("step, VantaSaver", "step, PostgresSaver"),
)


def main(rounds: int, seconds: int) -> None:
    """Measure, print, and of a whole run write and draw."""
    machine = facts()
    with served_with_kms() as api, tempfile.TemporaryDirectory() as folder:
        loop = ClosedLoop(api, Path(folder), seconds)
        subjects = _subjects(api, loop, seconds)
        runs = interleaved({name: _told(name, run) for name, run in subjects.items()}, rounds)
    _print(runs)
    if any(run["errors"] for run in runs):
        sys.exit("Requests failed, so these figures say nothing, and are not written.")
    if (rounds, seconds) == (ROUNDS, SECONDS):
        _write(machine, runs)


@contextmanager
def served_with_kms() -> Generator[Served]:
    """As :func:`bench.served.served`, and able to seal."""
    with temporary_aws() as aws:
        login = {"aws_access_key_id": ACCOUNT, "aws_secret_access_key": "local"}
        kms = boto3.client("kms", region_name=REGION, endpoint_url=aws.endpoint, **login)
        environment = {
            "VANTA_KMS_KEY_ARN": kms.create_key()["KeyMetadata"]["Arn"],
            "AWS_ENDPOINT_URL": aws.endpoint,
            **{name.upper(): value for name, value in login.items()},
        }
        with served(**environment) as api:
            yield api


def _subjects(api: Served, loop: ClosedLoop, seconds: int) -> dict[str, Run]:
    """By name, in the order of a round."""
    requested = Requested(api, seconds)
    requested.load()

    def sent(kind: Kind) -> Run:
        send = loop.wrk_once if kind.once else loop.wrk
        return lambda: send(kind.method, kind.targets(), kind.headers)

    def watched(count: int) -> Run:
        def flood() -> dict[str, float]:
            return loop.wrk("PUT", requested.puts("watched"), api.write)

        return lambda: watchers.run(api, "watched", BODY, count, flood, seconds)

    return {
        "redis-benchmark GET": lambda: loop.redis_get(len(BODY), HOT),
        "pgbench SELECT": lambda: loop.pgbench(
            "select value from public.pgbench_row where key = :key;", keys=ROWS
        ),
        "pgbench INSERT": lambda: loop.pgbench(
            f"insert into public.pgbench_log (value) values ('{BODY}');",  # noqa: S608 - a constant
            keys=ROWS,
        ),
        **{name: sent(kind) for name, kind in requested.kinds().items()},
        **savers.subjects(api, loop, seconds),
        **{f"watch, {count} watching": watched(count) for count in WATCHERS},
    }


def _told(name: str, run: Run) -> Run:
    def told() -> dict[str, float]:
        print(f"measuring {name}", file=sys.stderr)  # noqa: T201 - it takes minutes
        return run()

    return told


def _write(machine: Mapping[str, Any], runs: list[dict[str, Any]]) -> None:
    content = {
        "machine": machine,
        "scenario": {
            "connections": CONNECTIONS,
            "rounds": ROUNDS,
            "secondsOfARound": SECONDS,
            "documentBytes": len(BODY),
            "secretBytes": len(SECRET),
            "sessionDataBytes": len(SESSION_DATA),
            "documentsOfAPage": 100,
            "documentsOfATransaction": 10,
            "agentsOfASaver": savers.AGENTS,
            "langgraphCheckpointPostgres": version("langgraph-checkpoint-postgres"),
            "writesPerSecondOfAWatchForDelays": watchers.RATE,
            "kms": "the local emulator; the API asks it once for the tenant's data key, and keeps that open for five minutes",
        },
        "unit": "requests per second; CPU microseconds per request; seconds. A step is three calls of a checkpointer. Of a watch: events "
        "delivered per second, CPU microseconds per event delivered (its write included), and seconds from a write's acknowledgement to its event",
        "runs": runs,
        "ratios": _ratios(runs),
    }
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "rooms.json").write_text(json.dumps(content, indent=1) + "\n")
    # Events are no requests, and so many that nothing else would show beside them.
    requests = [run for run in runs if not run["subject"].startswith("watch")]
    others = {other for _, other in COMPARED}
    draw(requests, {*names(requests)} - others, RESULTS / "rooms.svg", height=6, scale="log")


def _ratios(runs: list[dict[str, Any]]) -> dict[str, float]:
    return {
        f"{ours} / {other}": round(median(runs, ours, "perSecond") / median(runs, other, "perSecond"), 2)
        for ours, other in COMPARED
    }


def _print(runs: list[dict[str, Any]]) -> None:
    parts = {"api": "API", "postgres": "PostgreSQL", "redis": "Redis", "redis-tls": "front"}
    titles = ("per second", "CPU µs", *parts.values(), "p50 ms", "p99 ms", "errors")
    print(f"{'':<22}" + "".join(f"{title:>11}" for title in titles))  # noqa: T201 - a benchmark prints its table
    figures = ["perSecond", "cpuMicroseconds", *(f"cpuMicroseconds.{part}" for part in parts)]
    for name in names(runs):
        of_it = [run for run in runs if run["subject"] == name]
        cells = [f"{median(runs, name, key):.0f}" if key in of_it[0] else "" for key in figures]
        cells += [f"{median(runs, name, key) * 1e3:.2f}" if key in of_it[0] else "" for key in ("p50", "p99")]
        cells.append(f"{sum(run['errors'] for run in of_it):.0f}")
        print(f"{name:<22}" + "".join(f"{cell:>11}" for cell in cells))  # noqa: T201
    for name, ratio in _ratios(runs).items():
        print(f"{name}: {ratio}")  # noqa: T201


if __name__ == "__main__":
    started = time.monotonic()
    main(*(int(given) for given in sys.argv[1:]) if len(sys.argv) == 3 else (ROUNDS, SECONDS))
    print(f"{time.monotonic() - started:.0f} s in all.")  # noqa: T201
