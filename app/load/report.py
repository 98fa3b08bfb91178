"""The report of a load test: one HTML file that needs nothing else."""

from collections.abc import Sequence
from html import escape

from app.load.answers import Latency, Objective, Outcome
from app.load.chart import chart
from app.load.profile import Profile

_STYLE = """
:root { color-scheme: light dark; --paper: #fff; --ink: #1f2328; --quiet: #59636e; --rule: #d0d7de; --good: #1a7f37; --bad: #cf222e;
  --one: #0969da; --two: #b35900; }
@media (prefers-color-scheme: dark) { :root { --paper: #0d1117; --ink: #f0f6fc; --quiet: #9198a1; --rule: #3d444d; --good: #56d364;
  --bad: #ff7b72; --one: #58a6ff; --two: #f0883e; } }
body { max-width: 900px; margin: 2rem auto; padding: 0 1rem; background: var(--paper); color: var(--ink); font: 15px/1.5 system-ui, sans-serif; }
h1 { font-size: 1.4rem; margin: 0; } p { margin: .3rem 0 1rem; } .quiet { color: var(--quiet); fill: var(--quiet); }
.verdict { font-weight: 600; } .good { color: var(--good); } .bad { color: var(--bad); }
table { border-collapse: collapse; margin: 1rem 0; width: 100%; font-variant-numeric: tabular-nums; }
th, td { text-align: right; padding: .25rem .6rem; border-bottom: 1px solid var(--rule); } th:first-child, td:first-child { text-align: left; }
th { font-weight: 600; color: var(--quiet); } figure { margin: 1.2rem 0; } figcaption { font-weight: 600; }
figcaption span { font-weight: 400; margin-left: .8rem; } svg { width: 100%; } svg text { font: 11px ui-monospace, monospace; }
.rule { stroke: var(--rule); } .line0, .line1 { fill: none; stroke-width: 1.5; stroke: var(--one); } .line1 { stroke: var(--two); }
.key0 { color: var(--one); } .key1 { color: var(--two); } .asked { stroke: var(--bad); stroke-dasharray: 5 4; } .keyasked { color: var(--bad); }
"""


def report(url: str, started: str, profile: Profile, found: Outcome) -> str:
    """HTML of a test that began at ``started`` against ``url``."""
    held = found.held
    verdict = "Every objective was held." if held else "An objective was missed."
    seconds = found.seconds
    return "".join(
        [
            '<!doctype html><html lang="en"><head><meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width">',
            f"<title>Load test of {escape(url)}</title><style>{_STYLE}</style></head><body>",
            f'<h1>Load test of {escape(url)}</h1><p class="quiet">{escape(started)} · {_described(profile)}</p>',
            f'<p class="verdict {"good" if held else "bad"}">{verdict}</p>',
            _objectives(found.objectives),
            chart(
                "Requests",
                "requests a second",
                {"sent": [(s.at, s.due) for s in seconds], "failed": [(s.at, s.failed) for s in seconds]},
            ),
            chart(
                "Reads, p99",
                "ms",
                {"p99": [(s.at, s.read_p99) for s in seconds]},
                profile.objectives.read_p99_ms,
            ),
            chart(
                "Writes, p99",
                "ms",
                {"p99": [(s.at, s.write_p99) for s in seconds]},
                profile.objectives.write_p99_ms,
            ),
            _kinds(found.kinds),
            _failures(found.failures),
            "</body></html>\n",
        ]
    )


def _described(profile: Profile) -> str:
    peak = max(stage.rate for stage in profile.stages)
    return (
        f"{profile.seconds:g} s, up to {peak:g} requests a second, {profile.reads:.0%} reads, {profile.documents} documents of "
        f"{profile.body_bytes} bytes, {profile.connections} connections"
    )


def _objectives(objectives: list[Objective]) -> str:
    rows = [
        (
            escape(one.name),
            f"{one.asked:g}",
            "—" if one.seen is None else f"{one.seen:.6g}",
            '<span class="good">held</span>' if one.held else '<span class="bad">missed</span>',
        )
        for one in objectives
    ]
    return _table(("objective", "asked", "seen", ""), rows)


def _kinds(kinds: dict[str, Latency]) -> str:
    rows = [
        (
            kind,
            f"{one.count}",
            f"{one.failed}",
            *(_number(value) for value in (one.p50, one.p90, one.p99, one.max)),
        )
        for kind, one in kinds.items()
    ]
    return _table(("", "requests", "failed", "p50 ms", "p90 ms", "p99 ms", "max ms"), rows)


def _failures(failures: dict[str, int]) -> str:
    if not failures:
        return "<p>No request failed.</p>"
    return _table(("failed with", "requests"), [(escape(why), f"{count}") for why, count in failures.items()])


def _number(value: float | None) -> str:
    return "—" if value is None else f"{value:.1f}"


def _table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    lines = ["".join(f"<th>{cell}</th>" for cell in head)]
    lines += ["".join(f"<td>{cell}</td>" for cell in row) for row in rows]
    return "<table>" + "".join(f"<tr>{line}</tr>" for line in lines) + "</table>"
