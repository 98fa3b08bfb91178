"""What a release costs on a real Kubernetes: ``python -m bench.release``, as root, in ten minutes.

The platform in a cluster of its own, and clients in a process of their own. Writes ``bench/results/release.json`` and draws
``bench/results/release.svg``.
"""

import json
import os
import tempfile
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from app.load.answers import Answer, outcome
from app.load.profile import Objectives
from bench.clients import Clients
from bench.machine import facts
from bench.noticed import counted, draw
from bench.released import NAMESPACE, Released
from local.cluster.cluster import Cluster
from local.cluster.platform import ClusterPlatform
from local.console import Console
from local.home import Home
from local.image.archive import Image
from local.image.build import ARCHIVE

RATE = 200
# Before something and after it, so that what it costs shows beside what is usual.
AROUND_SECONDS = 15.0
ROLLOUTS, STARTS = 2, 5
# To the autoscaler, of the CPU that a pod asks for: the clients here take more, probes take less.
BUSY_PERCENT = 15
RESULTS = Path(__file__).parent / "results"
_MOST_SECONDS = 300.0


def main() -> None:
    """Measure, print, write and draw."""
    machine = facts()
    with tempfile.TemporaryDirectory(prefix="vanta-bench-") as folder, _released(Path(folder)) as (found, up):
        starts = [_start(found) for _ in range(STARTS)]
        rollouts = [_rollout(found, number) for number in range(ROLLOUTS)]
        scaling = _scaling(found)
    sizes = Image(ARCHIVE).sizes()
    content = {
        "machine": machine,
        "unit": "seconds; latencies in milliseconds; bytes",
        "scenario": {"rate": RATE, "busyPercent": BUSY_PERCENT},
        "up": up,
        "podSeenToReady": starts,
        "rollouts": rollouts,
        "scaling": scaling,
        "imageGzipBytes": sum(layer["gzipBytes"] for layer in sizes),
    }
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "release.json").write_text(json.dumps(content, indent=1) + "\n")
    happened = {f"new version, {number}.": one for number, one in enumerate(rollouts, start=1)}
    draw({**happened, "scaling out": scaling}, RATE, RESULTS / "release.svg")
    print(_table(content))  # noqa: T201 - a benchmark prints its table


@contextmanager
def _released(folder: Path) -> Generator[tuple[Released, dict[str, float]]]:
    """The platform in a new cluster, which is gone afterwards, and how long it took to have it and to look for changes."""
    root = folder / ".vanta-cluster"
    cluster = Cluster(Console(), root)
    try:
        running = cluster.up()
        platform = ClusterPlatform(home=Home.at(root), running=running)
        image = platform.load(ARCHIVE)
        began, started = datetime.now(UTC), time.monotonic()
        found = Released(platform, image, platform.up(image).outputs)
        ended = time.monotonic() - started
        assert found.ready() == found.autoscaler()["spec"]["minReplicas"]  # noqa: S101 - it waits for all
        # To a second, as the API tells it: the update goes on until they have been ready for a while.
        ready = max((since - began).total_seconds() for since in found.ready_since())
        started = time.monotonic()
        platform.up(image)
        again = time.monotonic() - started
        seconds = {
            "clusterFromNothing": running.seconds,
            "toPulumiDone": ended,
            "toReadyReplicas": ready,
            "noChange": again,
        }
        yield found, {name: round(value, 1) for name, value in seconds.items()}
    finally:
        cluster.down()


def _start(found: Released) -> float:
    """Delete a pod, and count from when its successor is seen, within a quarter of a second, until that is ready."""
    before = {pod["metadata"]["name"] for pod in found.pods()}
    found.kubectl("delete", "pod", min(before), "--namespace", NAMESPACE, "--wait=false")
    while not (new := {pod["metadata"]["name"] for pod in found.pods()} - before):
        pass
    seen = time.monotonic()
    found.kubectl(
        "wait", "--for=condition=Ready", f"pod/{min(new)}", "--namespace", NAMESPACE, "--timeout=60s"
    )
    return round(time.monotonic() - seen, 2)


def _rollout(found: Released, number: int) -> dict[str, Any]:
    """Roll to another version under load, as ``pulumi up`` does it."""
    version = found.version(f"bench-{number}", {"version": str(number)})
    with found.clients(RATE) as sent:
        time.sleep(AROUND_SECONDS)
        begun = sent.now
        with _aside():
            found.platform.up(version)
        ended = sent.now
        time.sleep(AROUND_SECONDS)
    assert found.images() == {version}  # noqa: S101 - or nothing was measured
    return _noticed(sent, begun, ended)


@contextmanager
def _aside() -> Generator[None]:
    """Leave the cores to the node first: whoever releases works elsewhere in production, and here beside it."""
    # Linux weighs sessions before it weighs the processes in them; the clients have one of their own.
    session = Path("/proc/self/autogroup")
    weighed = session.exists()
    try:
        os.setpriority(os.PRIO_PROCESS, 0, 19)
        if weighed:
            session.write_text("19")
        yield
    finally:
        os.setpriority(os.PRIO_PROCESS, 0, 0)
        if weighed:
            session.write_text("0")


def _scaling(found: Released) -> dict[str, Any]:
    """How long under load until the autoscaler wants more pods and has them, and after it until they are gone."""
    least = found.autoscaler()["spec"]["minReplicas"]
    # What came before is in the metrics for a while.
    _until(lambda: _busy(found) < BUSY_PERCENT / 2)
    with found.scaling_at(BUSY_PERCENT):
        _until(lambda: len(found.pods()) == found.ready() == least)
        with found.clients(RATE) as sent:
            _until(lambda: found.autoscaler()["status"]["desiredReplicas"] > least)
            wanted = sent.now
            _until(lambda: found.ready() > least)
            there = sent.now
            time.sleep(AROUND_SECONDS)
        stopped = time.monotonic()
        _until(lambda: len(found.pods()) == least)
        gone = time.monotonic() - stopped
    seconds = {"toWanted": round(wanted, 1), "toReady": round(there, 1), "toGone": round(gone, 1)}
    return {**seconds, **_noticed(sent, 0, there)}


def _busy(found: Released) -> float:
    """The share of their requested CPU that the pods use, in percent, as the autoscaler sees it."""
    metrics = found.autoscaler()["status"].get("currentMetrics") or ()
    seen = [
        one["resource"]["current"].get("averageUtilization") for one in metrics if one["type"] == "Resource"
    ]
    return next((share for share in seen if share is not None), float("inf"))


def _noticed(sent: Clients, begun: float, ended: float) -> dict[str, Any]:
    return {
        "begun": round(begun, 2),
        "ended": round(ended, 2),
        "late": round(sent.late, 3),
        "p99Before": _p99([answer for answer in sent.answers if answer.due < begun]),
        "p99During": _p99([answer for answer in sent.answers if begun <= answer.due < ended]),
        "outcome": msgspec.to_builtins(sent.outcome()),
    }


def _p99(answers: Sequence[Answer]) -> dict[str, float | None]:
    return {kind: one.p99 for kind, one in outcome(answers, Objectives()).kinds.items()}


def _until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + _MOST_SECONDS
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError(
                f"What was waited for did not come in {_MOST_SECONDS:.0f} s: is the machine busy?"
            )
        time.sleep(0.1)


def _table(content: dict[str, Any]) -> str:
    up, scaling = content["up"], content["scaling"]
    lines = [
        (
            f"cluster from nothing {up['clusterFromNothing']} s; up to ready replicas {up['toReadyReplicas']} s; "
            f"up without a change {up['noChange']} s"
        ),
        f"pod seen to ready {max(content['podSeenToReady'])} s at worst",
    ]
    for one in content["rollouts"]:
        count, failed = counted(one["outcome"])
        ratio = {kind: one["p99During"][kind] / one["p99Before"][kind] for kind in ("read", "write")}
        lines.append(
            f"rollout {one['ended'] - one['begun']:.1f} s, {count} requests, {failed} failed; p99 during it times that before: "
            f"reads {ratio['read']:.1f}, writes {ratio['write']:.1f}"
        )
    lines += [
        (
            f"scaling: more pods wanted after {scaling['toWanted']} s, ready after {scaling['toReady']} s, gone {scaling['toGone']} s "
            f"after the load; {counted(scaling['outcome'])[1]} failed"
        ),
        f"image {content['imageGzipBytes'] / 1e6:.0f} MB compressed",
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    main()
