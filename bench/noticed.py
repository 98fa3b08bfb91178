"""What clients noticed of something that happened under load: counts for a line, and a plot."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

# The outcome of a load test (app.load.answers.Outcome) as plain data.
Outcome = Mapping[str, Any]


def counted(outcome: Outcome) -> tuple[int, int]:
    """How many requests there were, and how many of them failed."""
    kinds = outcome["kinds"].values()
    return sum(kind["count"] for kind in kinds), sum(kind["failed"] for kind in kinds)


def draw(happened: Mapping[str, Mapping[str, Any]], rate: float, file: Path) -> None:
    """Per happening, by name: the p99 of each second, the seconds from ``begun`` to ``ended`` shaded, failures as bars below."""
    import matplotlib.pyplot as plt  # noqa: PLC0415  # ty: ignore[import-not-found] - of the group `bench`, which only drawing needs

    plt.rcParams["svg.hashsalt"] = "vanta"
    slowest = max(
        second[key] or 0
        for one in happened.values()
        for second in one["outcome"]["seconds"]
        for key in ("readP99", "writeP99")
    )
    figure, axes = plt.subplots(
        len(happened), 1, figsize=(9, 1.7 * len(happened)), constrained_layout=True, squeeze=False
    )
    for axis, (name, one) in zip(axes[:, 0], happened.items(), strict=True):
        seconds = one["outcome"]["seconds"]
        at = [second["at"] for second in seconds]
        axis.axvspan(one["begun"], one["ended"], color="0.9")
        axis.plot(at, [second["readP99"] for second in seconds], color="#0969da", label="read p99")
        axis.plot(at, [second["writeP99"] for second in seconds], color="#b35900", label="write p99")
        # The same for all, so that they can be compared.
        axis.set_yscale("log", subs=())
        axis.set_ylim(1, slowest * 2)
        axis.yaxis.set_major_formatter("{x:.0f}")
        axis.set_ylabel("ms")
        failed = axis.twinx()
        failed.bar(at, [second["failed"] for second in seconds], color="#cf222e", alpha=0.6)
        failed.set_ylim(0, rate)
        failed.set_ylabel("failed/s", color="#cf222e")
        axis.set_title(f"{name}: {counted(one['outcome'])[1]} failed", loc="left", fontsize=10)
    axes[0, 0].legend(loc="upper right", fontsize=8)
    axes[-1, 0].set_xlabel("seconds; what happened is shaded")
    figure.savefig(file, metadata={"Date": None})
