"""How long the platform takes to come up on this machine, and what it costs while idle: ``python -m bench.one_machine``.

Every round starts with an empty home folder and a cached engine, and ends with ``down``. Writes
``bench/results/one_machine.json`` and draws ``bench/results/one_machine.svg``.
"""

import json
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bench.machine import facts
from local.aws.emulator import Aws
from local.home import REPOSITORY, Home
from local.pulumi.engine import find_engine
from local.pulumi.stack import Stack

ROUNDS = 5
RESULTS = Path(__file__).parent / "results"


def main() -> None:
    """Measure, print, write and draw."""
    engine = find_engine()
    if engine is None:
        sys.exit(
            "There is no cached engine, and its build would be measured too: run `make up` and `make down` first."
        )
    machine = facts()
    rounds = [_round(engine) for _ in range(ROUNDS)]
    RESULTS.mkdir(exist_ok=True)
    content = {"machine": machine, "unit": "seconds; bytes for idleBytes", "rounds": rounds}
    (RESULTS / "one_machine.json").write_text(json.dumps(content, indent=1) + "\n")
    times = [name for name in rounds[0] if name not in ("idleBytes", "processes")]
    print(f"{'':<24}{'median':>9}{'worst':>9}")  # noqa: T201 - a benchmark prints its table
    for name in times:
        values = [r[name] for r in rounds]
        print(f"{name:<24}{statistics.median(values):>8.2f}s{max(values):>8.2f}s")  # noqa: T201
    print(f"{'idle resident memory':<24}{statistics.median(r['idleBytes'] for r in rounds) / 2**20:>6.0f}MiB")  # noqa: T201
    _draw({name: [r[name] for r in rounds] for name in times})


def _round(engine: Path) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(prefix="vanta-bench-") as folder:
        home = Path(folder) / ".vanta"
        result: dict[str, Any] = {}
        try:
            result["upToFirstRequest"] = _timed(lambda: _first_request(home))
            result["secondUp"] = _timed(lambda: _local(home, "up"))
            status = json.loads(_local(home, "status", "--json"))["processes"]
            result["idleBytes"] = sum(usage["residentBytes"] for usage in status.values())
            result["processes"] = {name: usage["residentBytes"] for name, usage in status.items()}
            endpoint = Aws(Home.at(home)).endpoint
            stack = Stack("local", folder=home / "stack", engine=engine, endpoint=endpoint)
            result["previewOfLocal"] = _timed(stack.preview)
        finally:
            result["down"] = _timed(lambda: _local(home, "down"))
        return result


def _first_request(home: Path) -> None:
    """Bring the platform up and write a document through the API."""
    _local(home, "up")
    key, url = (home / "api-key").read_text(), (home / "url").read_text()
    request = urllib.request.Request(  # noqa: S310 - the URL is the platform's own
        f"{url}/v1/state/notes/first",
        data=b'{"hello":"world"}',
        headers={"Authorization": f"Bearer {key}", "Content-Type": "application/json"},
        method="PUT",
    )
    with urllib.request.urlopen(request) as response:  # noqa: S310
        response.read()


def _local(home: Path, *arguments: str) -> str:
    command = [sys.executable, "-m", "local", "--home", str(home), *arguments]
    return subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=True).stdout


def _timed(action: Callable[[], object]) -> float:
    started = time.monotonic()
    action()
    return round(time.monotonic() - started, 3)


def _draw(times: dict[str, list[float]]) -> None:
    import matplotlib.pyplot as plt  # noqa: PLC0415  # ty: ignore[import-not-found] - of the group `bench`, which only drawing needs

    figure, axes = plt.subplots(figsize=(7, 2.6), layout="constrained")
    names = list(times)
    axes.barh(names, [statistics.median(values) for values in times.values()], color="#4c78a8")
    for row, values in enumerate(times.values()):
        axes.plot(values, [row] * len(values), "o", color="#222222", markersize=3)
    axes.invert_yaxis()
    axes.set_xlabel("seconds: median of the rounds, each round a dot")
    axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(RESULTS / "one_machine.svg", metadata={"Date": None})


if __name__ == "__main__":
    main()
