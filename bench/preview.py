"""What a preview of ``prod`` costs, and how that grows with the number of resources: ``python -m bench.preview``.

The stack is previewed as committed, and with more and more further buckets of the same kind as the archive, each time
in a process of its own. Writes ``bench/results/preview.json`` and draws ``bench/results/preview.svg``.
"""

import json
import re
import resource
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psutil

from bench.machine import facts
from infra.aws.bucket import BucketArgs, PrivateBucket
from infra.names import Names
from infra.program import program
from infra.settings.lifetime import Lifetime
from local.aws.emulator import ACCOUNT, Aws
from local.home import REPOSITORY, Home
from local.processes import Processes
from local.pulumi.engine import find_engine
from local.pulumi.stack import Stack

ROUNDS = 3
EXTRA_BUCKETS = (0, 25, 50, 100)
RESULTS = Path(__file__).parent / "results"


def main() -> None:
    """Measure, print, write and draw."""
    machine = facts()
    with tempfile.TemporaryDirectory(prefix="vanta-bench-") as folder:
        home = Home.at(Path(folder) / "home")
        emulator = Aws(home)
        try:
            emulator.start()
            runs = [_child(extra, emulator.endpoint) for _ in range(ROUNDS) for extra in EXTRA_BUCKETS]
        finally:
            Processes(home).stop_all()
    RESULTS.mkdir(exist_ok=True)
    content = {"machine": machine, "unit": "seconds; bytes", "runs": runs}
    (RESULTS / "preview.json").write_text(json.dumps(content, indent=1) + "\n")
    print(f"{'resources':>9}{'preview':>10}{'program':>10}{'engine':>10}{'program and providers':>23}")  # noqa: T201 - a benchmark prints its table
    for row in _medians(runs):
        print(  # noqa: T201
            f"{row['resources']:>9}{row['previewSeconds']:>9.1f}s{row['programSeconds']:>9.1f}s"
            f"{row['engineBytes'] / 2**20:>6.0f} MiB{row['programBytes'] / 2**20:>19.0f} MiB"
        )
    _draw(runs)


def _child(extra: int, endpoint: str) -> dict[str, Any]:
    """One preview in a process of its own, so that its peak of memory is its own."""
    command = [sys.executable, "-m", "bench.preview", str(extra), endpoint]
    return json.loads(
        subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=True).stdout
    )


def measure(extra: int, endpoint: str) -> dict[str, Any]:
    """The cost of one preview with ``extra`` further buckets; memory in bytes, at its peak."""
    engine = find_engine()
    if engine is None:
        sys.exit("There is no cached engine: run `make up` and `make down` first.")
    declaring = 0.0

    def declare() -> None:
        nonlocal declaring
        started = time.monotonic()
        program()
        _further(extra)
        declaring = time.monotonic() - started

    with tempfile.TemporaryDirectory() as folder, _peak_of_children() as peak:
        stack = Stack("prod", folder=Path(folder), engine=engine, endpoint=endpoint, declare=declare)
        started = time.monotonic()
        operations = stack.preview().operations
        seconds = time.monotonic() - started
    return {
        "extraBuckets": extra,
        "resources": operations["create"],
        "previewSeconds": round(seconds, 3),
        "programSeconds": round(declaring, 3),
        "programBytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
        "engineBytes": peak(),
    }


@contextmanager
def _peak_of_children() -> Generator[Callable[[], int]]:
    """The largest resident size in bytes that a child of this process has had.

    From each child's own high-water mark: what ``getrusage`` tells of children counts their parent's memory at the fork.
    """
    peak, ended = 0, threading.Event()

    def watch() -> None:
        nonlocal peak
        while not ended.wait(0.05):
            for child in psutil.Process().children(recursive=True):
                with suppress(OSError):
                    status = Path(f"/proc/{child.pid}/status").read_text()
                    if found := re.search(r"VmHWM:\s+(\d+) kB", status):
                        peak = max(peak, int(found[1]) * 1024)

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield lambda: peak
    finally:
        ended.set()
        thread.join()


def _further(count: int) -> None:
    names = Names(stack="prod", owner="platform", account_id=ACCOUNT, region="eu-west-1")
    for number in range(count):
        PrivateBucket(
            f"further-{number:03}",
            BucketArgs(
                names=names, lifetime=Lifetime.PERMANENT, layer="analytics", classification="confidential"
            ),
        )


def _medians(runs: list[dict[str, Any]]) -> list[dict[str, float]]:
    grouped = [[run for run in runs if run["extraBuckets"] == extra] for extra in EXTRA_BUCKETS]
    return [{key: statistics.median(run[key] for run in group) for key in group[0]} for group in grouped]


def _draw(runs: list[dict[str, Any]]) -> None:
    import matplotlib.pyplot as plt  # noqa: PLC0415  # ty: ignore[import-not-found] - of the group `bench`, which only drawing needs

    figure, (left, right) = plt.subplots(1, 2, figsize=(8, 3), layout="constrained")
    medians = _medians(runs)
    resources = [row["resources"] for row in medians]
    series = [
        (left, "previewSeconds", 1, "preview", "#4c78a8"),
        (left, "programSeconds", 1, "of which the program declares", "#f58518"),
        (right, "engineBytes", 2**20, "engine", "#4c78a8"),
        (right, "programBytes", 2**20, "program and providers", "#f58518"),
    ]
    for axes, key, unit, label, colour in series:
        axes.plot(resources, [row[key] / unit for row in medians], color=colour, label=label)
        axes.plot([run["resources"] for run in runs], [run[key] / unit for run in runs], ".", color=colour)
    for axes, unit in ((left, "seconds"), (right, "MiB at the peak")):
        axes.set(xlabel="resources", ylabel=unit, xlim=(0, None), ylim=(0, None))
        axes.legend(frameon=False)
        axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(RESULTS / "preview.svg", metadata={"Date": None})


if __name__ == "__main__":
    if len(sys.argv) == 3:
        print(json.dumps(measure(int(sys.argv[1]), sys.argv[2])))  # noqa: T201 - read by the process that started this one
    else:
        main()
