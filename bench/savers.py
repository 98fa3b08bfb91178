"""Our LangGraph checkpointer beside LangGraph's own on the same PostgreSQL: the same agents, in a process of their own.

A step is what LangGraph asks for one: put the checkpoint, put what a task wrote, read the newest. Each of :data:`AGENTS` threads has
a checkpointer for itself, because one of LangGraph's does one thing at a time.
"""

import itertools
import json
import secrets
import sys
import time
from collections.abc import Generator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from typing import Any

import psutil
from langgraph.checkpoint.base import BaseCheckpointSaver

from bench import conversation
from bench.closed_loop import ClosedLoop, Run, per_request
from bench.served import Served
from client.langgraph import VantaSaver

AGENTS = 8
DATABASE = "langgraph"

Times = dict[str, list[float]]


def subjects(api: Served, loop: ClosedLoop, seconds: int) -> dict[str, Run]:
    """Both checkpointers, by name."""
    who = api.settings.secrets.login("database-master")
    postgres = {
        "host": api.database.host,
        "port": api.database.port,
        "dbname": DATABASE,
        "user": who.username,
        "password": who.password,
        "sslmode": "verify-full",
        "sslrootcert": str(api.database.ca),
    }
    api.sql(f"create database {DATABASE}")

    def run(processes: Mapping[str, psutil.Process], **given: Any) -> dict[str, float]:
        # On standard input, for there is a password in it.
        done, cpu = loop.measured(
            [sys.executable, "-m", "bench.savers"],
            given=json.dumps({"seconds": seconds, **given}),
            processes=processes,
        )
        found = json.loads(done)
        return {**found, **per_request(cpu, found["steps"])}

    return {
        "step, VantaSaver": lambda: run(api.processes, url=api.url, key=api.key),
        "step, PostgresSaver": lambda: run({"postgres": api.processes["postgres"]}, postgres=postgres),
    }


def main(given: Mapping[str, Any]) -> None:
    """Print what :data:`AGENTS` agents did together: a failure of any is one of the run."""
    with ExitStack() as stack:
        savers = [stack.enter_context(_opened(given)) for _ in range(AGENTS)]
        for saver in savers:
            saver.get_tuple(conversation.config_of("nobody"))
        began, used = time.perf_counter(), time.process_time()
        end = began + given["seconds"]
        with ThreadPoolExecutor(AGENTS) as threads:
            agents = [*threads.map(lambda saver: _agent(saver, end), savers)]
        elapsed, used = time.perf_counter() - began, time.process_time() - used
    steps = sum(len(agent["step"]) for agent in agents)
    found = {
        "steps": steps,
        "perSecond": steps / elapsed,
        "clientCpuMicroseconds": used / steps * 1e6,
        "errors": 0,
    }
    for what, prefix in {
        "step": "",
        "put": "put.",
        "put_writes": "putWrites.",
        "get_tuple": "getTuple.",
    }.items():
        times = sorted(itertools.chain.from_iterable(agent[what] for agent in agents))
        for percent in (50, 99):
            found[f"{prefix}p{percent}"] = times[len(times) * percent // 100]
    print(json.dumps(found))  # noqa: T201 - what its parent reads


@contextmanager
def _opened(given: Mapping[str, Any]) -> Generator[BaseCheckpointSaver[Any]]:
    if "url" in given:
        with VantaSaver(given["url"], given["key"], "bench") as saver:
            yield saver
        return
    # Of the group `bench`, which nothing else needs.
    from langgraph.checkpoint.postgres import PostgresSaver  # noqa: PLC0415  # ty: ignore[import-not-found]
    from psycopg import Connection, rows  # noqa: PLC0415  # ty: ignore[import-not-found]

    # As its from_conn_string connects.
    with Connection.connect(
        **given["postgres"], autocommit=True, prepare_threshold=0, row_factory=rows.dict_row
    ) as connection:
        saver = PostgresSaver(connection)
        saver.setup()
        yield saver


def _agent(saver: BaseCheckpointSaver[Any], end: float) -> Times:
    """Have conversations until ``end``; the seconds that each step took, and each of its parts."""
    took: Times = {"step": [], "put": [], "put_writes": [], "get_tuple": []}

    parts = {"put": conversation.put, "put_writes": conversation.put_writes, "get_tuple": _read}
    while True:
        for step in conversation.steps(secrets.token_hex(8)):
            if time.perf_counter() > end:
                return took
            times = [time.perf_counter()]
            for work in parts.values():
                work(saver, step)
                times.append(time.perf_counter())
            took["step"].append(times[-1] - times[0])
            for name, (began, ended) in zip(parts, itertools.pairwise(times), strict=True):
                took[name].append(ended - began)


def _read(saver: BaseCheckpointSaver[Any], step: conversation.Step) -> None:
    found = saver.get_tuple(conversation.config_of(step.thread))
    if found is None or found.checkpoint["channel_values"] != step.checkpoint["channel_values"]:
        raise AssertionError(f"{type(saver).__name__} does not give back what was put.")
    if len(found.pending_writes or ()) != len(step.writes):
        raise AssertionError(f"{type(saver).__name__} lacks a write that was put.")


if __name__ == "__main__":
    main(json.load(sys.stdin))
