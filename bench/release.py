"""What a release costs on a real Kubernetes: ``python -m bench.release``, as root, in five minutes.

The platform in a cluster of its own, and clients in a process of their own. Writes ``bench/results/release.json`` and draws
``bench/results/release.svg``.
"""

import json
import tempfile
import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec

from app.load.answers import Answer, outcome
from app.load.profile import Objectives
from bench.machine import facts
from bench.released import Released
from local.cluster.cluster import Cluster
from local.cluster.platform import ClusterPlatform
from local.console import Console
from local.home import Home
from local.image.archive import Image
from local.image.build import ARCHIVE

RATE = 200
# Before a rollout and after it, so that what it costs shows beside what is usual.
AROUND_SECONDS = 15.0
ROLLOUTS = 2
RESULTS = Path(__file__).parent / "results"


def main() -> None:
    """Measure, print, write and draw."""
    machine = facts()
    with released() as found:
        rollouts = [_rollout(found, number) for number in range(ROLLOUTS)]
    sizes = Image(ARCHIVE).sizes()
    content = {
        "machine": machine,
        "unit": "seconds; latencies in milliseconds; bytes",
        "scenario": {"rate": RATE},
        "rollouts": rollouts,
        "imageGzipBytes": sum(layer["gzipBytes"] for layer in sizes),
    }
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "release.json").write_text(json.dumps(content, indent=1) + "\n")
    _draw(rollouts)
    print(_table(content))  # noqa: T201 - a benchmark prints its table


@contextmanager
def released() -> Generator[Released]:
    """The platform in a new cluster, which is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="vanta-bench-") as folder:
        root = Path(folder) / ".vanta-cluster"
        cluster = Cluster(Console(), root)
        try:
            platform = ClusterPlatform(home=Home.at(root), running=cluster.up())
            image = platform.load(ARCHIVE)
            yield Released(platform, image, platform.up(image).outputs)
        finally:
            cluster.down()


def _rollout(found: Released, number: int) -> dict[str, Any]:
    """Roll to another version under load, as ``pulumi up`` does it."""
    version = found.version(f"bench-{number}", {"version": str(number)})
    with found.clients(RATE) as sent:
        time.sleep(AROUND_SECONDS)
        begun = sent.now
        found.platform.up(version)
        ended = sent.now
        time.sleep(AROUND_SECONDS)
    assert found.images() == {version}  # noqa: S101 - or nothing was measured
    return {
        "begun": round(begun, 2),
        "ended": round(ended, 2),
        "late": round(sent.late, 3),
        "podsReadyAfter": _readiness(found),
        "steadyP99": _p99([a for a in sent.answers if a.due < begun]),
        "rollingP99": _p99([a for a in sent.answers if begun <= a.due < ended]),
        "outcome": msgspec.to_builtins(sent.outcome()),
    }


def _readiness(found: Released) -> list[dict[str, float]]:
    """Of each pod, seconds from its creation and from the start of its container until it was ready; the API tells whole ones."""
    seconds = []
    for pod in found.pods():
        status = pod["status"]
        ready = next(one for one in status["conditions"] if one["type"] == "Ready")
        times = {
            "created": pod["metadata"]["creationTimestamp"],
            "started": status["containerStatuses"][0]["state"]["running"]["startedAt"],
        }
        at = datetime.fromisoformat(ready["lastTransitionTime"])
        seconds.append(
            {key: (at - datetime.fromisoformat(text)).total_seconds() for key, text in times.items()}
        )
    return seconds


def _p99(answers: Sequence[Answer]) -> dict[str, float | None]:
    return {kind: one.p99 for kind, one in outcome(answers, Objectives()).kinds.items()}


def _table(content: dict[str, Any]) -> str:
    lines = []
    for one in content["rollouts"]:
        kinds = one["outcome"]["kinds"].values()
        count, failed = sum(kind["count"] for kind in kinds), sum(kind["failed"] for kind in kinds)
        ratio = {kind: one["rollingP99"][kind] / one["steadyP99"][kind] for kind in ("read", "write")}
        lines.append(
            f"rollout {one['ended'] - one['begun']:.1f} s, {count} requests, {failed} failed; p99 during it times that before: "
            f"reads {ratio['read']:.1f}, writes {ratio['write']:.1f}; pods ready after {one['podsReadyAfter']} s"
        )
    lines.append(f"image {content['imageGzipBytes'] / 1e6:.0f} MB compressed")
    return "\n".join(lines)


def _draw(rollouts: Sequence[dict[str, Any]]) -> None:
    """Per rollout: the p99 of each second, the seconds of the rollout shaded."""
    import matplotlib.pyplot as plt  # noqa: PLC0415  # ty: ignore[import-not-found] - of the group `bench`, which only drawing needs

    plt.rcParams["svg.hashsalt"] = "vanta"
    figure, axes = plt.subplots(len(rollouts), 1, figsize=(9, 2 * len(rollouts)), constrained_layout=True)
    for axis, one in zip(axes, rollouts, strict=True):
        seconds = one["outcome"]["seconds"]
        at = [second["at"] for second in seconds]
        axis.axvspan(one["begun"], one["ended"], color="0.9")
        axis.plot(at, [second["readP99"] for second in seconds], color="#0969da", label="read p99")
        axis.plot(at, [second["writeP99"] for second in seconds], color="#b35900", label="write p99")
        axis.set_yscale("log")
        axis.set_ylabel("ms")
        failed = sum(second["failed"] for second in seconds)
        axis.set_title(f"new version under {RATE} requests/s: {failed} failed", loc="left", fontsize=10)
    axes[0].legend(loc="upper right", fontsize=8)
    axes[-1].set_xlabel("seconds; the rollout is shaded")
    figure.savefig(RESULTS / "release.svg", metadata={"Date": None})


if __name__ == "__main__":
    main()
