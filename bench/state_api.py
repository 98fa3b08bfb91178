"""The state API beside the engines it stands on, and beside etcd where that is installed: ``python -m bench.state_api``.

Closed loop: 64 connections, one kind of request at a time, ours and the engine's own benchmark in turns, so that both meet
the same noise. Open loop: requests leave on schedule whatever the answers do. Every feature is on: TLS to both engines,
authentication, row-level security, quotas, history and event of each write.

Needs ``wrk`` and ``redis-benchmark`` (Debian packages wrk and redis-tools) and Go for the open loop (vegeta, built once).
Writes ``bench/results/state_api.json`` and draws ``bench/results/state_api.svg``.
"""

import base64
import json
import random
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bench import open_loop
from bench.closed_loop import CONNECTIONS, ClosedLoop, Run, Target, draw, interleaved, median, names
from bench.etcd import Etcd, etcd
from bench.machine import facts
from bench.served import Served, served

ROUNDS, SECONDS = 5, 5
HOT, COLD = 2000, 400_000
# 210 bytes, the size of a small state of an agent.
BODY = json.dumps({"state": "working", "step": 7, "plan": "x" * 168})
RESULTS = Path(__file__).parent / "results"


def main() -> None:
    """Measure, print, write and draw."""
    machine = facts()
    with served() as api, tempfile.TemporaryDirectory() as folder:
        bench = Subjects(api, ClosedLoop(api, Path(folder), SECONDS))
        bench.load()
        with etcd(Path(folder) / "etcd") as other:
            subjects = {**bench.subjects(), **(bench.subjects_of_etcd(other) if other else {})}
            closed = interleaved(subjects, ROUNDS)
        # What the closed loops have left to be written is not the open loop's.
        api.sql("checkpoint")
        opened = open_loop.measure(api, [f"/v1/state/hot/{key}" for key in range(HOT)], BODY)
    content = {
        "machine": machine,
        "scenario": {
            "connections": CONNECTIONS,
            "bodyBytes": len(BODY),
            "hotDocuments": HOT,
            "coldDocuments": COLD,
        },
        "unit": "requests per second; CPU microseconds per request; seconds",
        "closed": closed,
        "open": opened,
    }
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "state_api.json").write_text(json.dumps(content, indent=1) + "\n")
    _print(closed, opened)
    draw(closed, ("GET hit", "GET miss", "PUT"), RESULTS / "state_api.svg", height=3.2)


class Subjects:
    """The subjects that are compared."""

    def __init__(self, api: Served, loop: ClosedLoop) -> None:
        self._api = api
        self._loop = loop
        self._cold = 0
        self._random = random.Random(7)  # noqa: S311 - the same keys in every run

    def load(self) -> None:
        """Documents to read, and a table of the same size for pgbench."""
        self._api.sql(
            """
            with given as (
                select n, case when n < $3::int then 'hot' else 'cold' end as collection,
                       (case when n < $3::int then n else n - $3::int end)::text as key
                from generate_series(0, $3::int + $4::int - 1) n
            ), versions as (
                insert into vanta.document_version (tenant_id, collection, key, revision, value, written_at)
                select $1::uuid, collection, key, n + 1, $2::text, now() from given
            ), heads as (
                insert into vanta.document (tenant_id, collection, key, revision, digest)
                select $1::uuid, collection, key, n + 1, '0123456789abcdef' from given
            )
            update vanta.tenant_head set revision = $3::int + $4::int where tenant_id = $1::uuid
            """,
            self._api.tenant,
            BODY,
            HOT,
            COLD,
        )
        self._api.sql(
            "create table public.pgbench_row (key int primary key, value text) with (fillfactor = 80)"
        )
        self._api.sql(
            "insert into public.pgbench_row select n, $1::text from generate_series(0, $2::int - 1) n",
            BODY,
            COLD,
        )
        for table in ("vanta.document", "vanta.document_version", "public.pgbench_row"):
            self._api.sql(f"vacuum analyze {table}")
        self._api.sql("checkpoint")

    def subjects(self) -> Mapping[str, Run]:
        """By name, in the order of a round: each of ours is next to what it is compared with."""
        return {
            "GET hit": self._get_hit,
            "redis-benchmark GET": lambda: self._loop.redis_get(len(BODY), HOT),
            "GET miss": self._get_miss,
            "pgbench SELECT": lambda: self._loop.pgbench(
                "select value from public.pgbench_row where key = :key;", keys=COLD
            ),
            "PUT": self._put,
            "pgbench upsert": lambda: self._loop.pgbench(
                f"insert into public.pgbench_row values (:key, '{BODY}') "  # noqa: S608 - a constant
                "on conflict (key) do update set value = excluded.value;",
                keys=COLD,
            ),
            "pgbench same write": self._pgbench_same_write,
        }

    def subjects_of_etcd(self, other: Etcd) -> Mapping[str, Run]:
        """The same through etcd's JSON gateway, its way to be asked over HTTP."""

        def coded(text: str) -> str:
            return base64.b64encode(text.encode()).decode()

        def run(path: str, body: Mapping[str, str]) -> dict[str, float]:
            targets = [
                Target(path, json.dumps({**body, "key": coded(f"hot/{number}")})) for number in range(HOT)
            ]
            return self._loop.wrk(
                "POST", targets, {"Content-Type": "application/json"}, other.url, {"etcd": other.process}
            )

        return {
            "etcd PUT": lambda: run("/v3/kv/put", {"value": coded(BODY)}),
            "etcd GET": lambda: run("/v3/kv/range", {}),
        }

    def _get_hit(self) -> dict[str, float]:
        keys = self._random.sample(range(HOT), HOT)
        return self._loop.wrk("GET", [Target(f"/v1/state/hot/{key}") for key in keys], self._api.read)

    def _get_miss(self) -> dict[str, float]:
        """Documents that nobody has read before: a part of the cold ones, next round the next part."""
        share = COLD // ROUNDS
        first, self._cold = self._cold, self._cold + share
        targets = [Target(f"/v1/state/cold/{first + n}") for n in range(share)]
        return self._loop.wrk("GET", targets, self._api.read)

    def _put(self) -> dict[str, float]:
        keys = [self._random.randrange(COLD) for _ in range(50_000)]
        targets = [Target(f"/v1/state/cold/{key}", BODY) for key in keys]
        return self._loop.wrk("PUT", targets, self._api.write)

    def _pgbench_same_write(self) -> dict[str, float]:
        """What a PUT does in PostgreSQL, with its history and event and as the same role, but a transaction each."""
        ((epoch,),) = self._api.sql("select epoch from vanta.cache_epoch")
        # Documents that nothing reads, for these writes mark no cache.
        return self._loop.pgbench(
            f"select outcome from vanta.write_documents('{epoch}', array['{self._api.tenant}'::uuid], array[1], "  # noqa: S608 - what this run has made
            f"array['uncached'], array[:key::text], array['{BODY}'], array['0123456789abcdef'], array[null::int], "
            "array['unconditional'], array[''], array[null]);",
            login="database-app",
            keys=HOT,
        )


def _print(closed: list[dict[str, Any]], opened: list[dict[str, Any]]) -> None:
    print(f"{'closed loop':<22}{'per second':>12}{'CPU':>10}{'errors':>9}")  # noqa: T201 - a benchmark prints its table
    for name in names(closed):
        rate, cpu = (median(closed, name, figure) for figure in ("perSecond", "cpuMicroseconds"))
        errors = sum(run["errors"] for run in closed if run["subject"] == name)
        print(f"{name:<22}{rate:>12.0f}{cpu:>7.0f} µs{errors:>9.0f}")  # noqa: T201
    for run in opened:
        print(f"open loop, {run['name']}: " + ", ".join(f"{k} {v}" for k, v in run.items() if k != "name"))  # noqa: T201


if __name__ == "__main__":
    started = time.monotonic()
    main()
    print(f"{time.monotonic() - started:.0f} s in all.")  # noqa: T201
