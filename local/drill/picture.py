"""The rounds of a drill as a timeline: one HTML file that needs nothing else."""

from collections.abc import Sequence
from html import escape

from local.drill.record import Drill, Round

_WIDTH, _LEFT, _BAR, _GAP = 860, 56, 14, 5
_STYLE = """
:root { color-scheme: light dark; --paper: #fff; --ink: #1f2328; --quiet: #59636e; --rule: #d0d7de; --good: #1a7f37; --bad: #cf222e;
  --step0: #8250df; --step1: #bf8700; --step2: #0969da; --step3: #1b7c83; --step4: #57ab5a; }
@media (prefers-color-scheme: dark) { :root { --paper: #0d1117; --ink: #f0f6fc; --quiet: #9198a1; --rule: #3d444d; --good: #56d364;
  --bad: #ff7b72; } }
body { max-width: 900px; margin: 2rem auto; padding: 0 1rem; background: var(--paper); color: var(--ink); font: 15px/1.5 system-ui, sans-serif; }
h1 { font-size: 1.4rem; margin: 0; } p { margin: .3rem 0 1rem; } .quiet { color: var(--quiet); fill: var(--quiet); }
.verdict { font-weight: 600; } .good { color: var(--good); } .bad { color: var(--bad); } svg { width: 100%; }
svg text { font: 11px ui-monospace, monospace; } .rule { stroke: var(--rule); } rect.rule { fill: none; }
table { border-collapse: collapse; margin: 1rem 0; width: 100%; font-variant-numeric: tabular-nums; }
th, td { text-align: right; padding: .25rem .6rem; border-bottom: 1px solid var(--rule); } th:first-child, td:first-child { text-align: left; }
th { font-weight: 600; color: var(--quiet); } .key { display: inline-block; width: .8em; height: .8em; margin-right: .5em; }
""" + "".join(f".step{n} {{ fill: var(--step{n}); background: var(--step{n}); }} " for n in range(5))


def picture(found: Drill) -> str:
    """HTML of ``found``."""
    held = not found.summary.broken
    verdict = "Every promise was kept." if held else f"Broken: {'; '.join(found.summary.broken)}."
    machine = f"{found.machine['cores']} cores, load {found.machine['loadBefore']} before"
    return "".join(
        [
            '<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">',
            f"<title>Drill: {found.kind}</title><style>{_STYLE}</style></head><body><h1>Drill: {found.kind}</h1>",
            f'<p class="quiet">{found.summary.rounds} rounds, {found.rate:g} writes a second; {machine}</p>',
            f'<p class="verdict {"good" if held else "bad"}">{escape(verdict)}</p>',
            "<p>Seconds without an acknowledged write, round by round.</p>",
            _timeline(found.rounds),
            _steps(found),
            _rounds(found.rounds),
            _lost(found.rounds),
            "</body></html>\n",
        ]
    )


def _timeline(rounds: Sequence[Round]) -> str:
    """A bar a round, a piece a step."""
    longest = max(one.seconds for one in rounds)
    scale = (_WIDTH - _LEFT - 60) / longest
    height = len(rounds) * (_BAR + _GAP) + 24
    drawn = [f'<svg viewBox="0 0 {_WIDTH} {height}" role="img" aria-label="timeline of each round">']
    for second in range(int(longest) + 1):
        x = _LEFT + second * scale
        drawn.append(f'<line class="rule" x1="{x:.1f}" x2="{x:.1f}" y1="0" y2="{height - 20}"/>')
        drawn.append(f'<text class="quiet" x="{x:.1f}" y="{height - 6}">{second} s</text>')
    for row, one in enumerate(rounds):
        y, x = row * (_BAR + _GAP), float(_LEFT)
        drawn.append(f'<text class="quiet" x="{_LEFT - 8}" y="{y + 11}" text-anchor="end">{row + 1}</text>')
        for number, (step, seconds) in enumerate(one.steps.items()):
            drawn.append(
                f'<rect class="step{number}" x="{x:.1f}" y="{y}" width="{seconds * scale:.1f}" height="{_BAR}">'
                f"<title>{escape(step)}: {seconds:.2f} s</title></rect>"
            )
            x += seconds * scale
        drawn.append(
            f'<text x="{x + 6:.1f}" y="{y + 11}" style="fill: var(--ink)">{one.seconds:.2f} s</text>'
        )
    return "".join([*drawn, "</svg>"])


def _steps(found: Drill) -> str:
    whole = sum(found.summary.median_steps.values())
    rows = [
        (
            f'<span class="key step{number}"></span>{escape(step)}',
            f"{seconds:.2f}",
            f"{max(one.steps[step] for one in found.rounds):.2f}",
            f"{seconds / whole:.0%}",
        )
        for number, (step, seconds) in enumerate(found.summary.median_steps.items())
    ]
    rows.append(("all", f"{found.summary.median_seconds:.2f}", f"{found.summary.worst_seconds:.2f}", ""))
    return _table(("step", "median s", "worst s", "share"), rows)


def _rounds(rounds: Sequence[Round]) -> str:
    rows = [
        (
            f"{number} to {escape(one.to)}",
            f"{one.acknowledged}",
            f"{one.failed}",
            f"{len(one.lost)}",
            f"{one.events}",
            f"{one.events_missed}",
            f"{one.events_twice}",
            f"{one.sessions_invalid}",
            f"{one.old_took} of {one.old_asked}",
            "—" if one.back_seconds is None else f"{one.back_seconds:.2f}",
        )
        for number, one in enumerate(rounds, start=1)
    ]
    head = ("round", "acknowledged", "failed", "lost", "events", "missed", "twice", "sessions lost")
    return _table((*head, "old took", "way back s"), rows)


def _lost(rounds: Sequence[Round]) -> str:
    rows = [
        (f"{number}", escape(lost.key), f"{lost.revision}", f"{lost.seconds_before:.3f}")
        for number, one in enumerate(rounds, start=1)
        for lost in [*one.lost, *one.lost_by_plan]
    ]
    if not rows:
        return "<p>No acknowledged write was lost.</p>"
    return _table(("lost in round", "key", "revision", "acknowledged s before"), rows)


def _table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    lines = ["".join(f"<th>{cell}</th>" for cell in head)]
    lines += ["".join(f"<td>{cell}</td>" for cell in row) for row in rows]
    return "<table>" + "".join(f"<tr>{line}</tr>" for line in lines) + "</table>"
