"""A line chart over the seconds of a test, as SVG."""

from collections.abc import Mapping, Sequence
from html import escape

WIDTH, HEIGHT = 860, 180
_LEFT, _RIGHT, _TOP, _BOTTOM = 56, 12, 12, 24


def chart(
    title: str, unit: str, lines: Mapping[str, Sequence[tuple[int, float | None]]], asked: float | None = None
) -> str:
    """The ``lines`` by name, each of (second, value); ``asked`` is drawn as a limit. A gap is a second without a value."""
    values = [value for line in lines.values() for _, value in line if value is not None]
    top = _ceiling(max([*values, asked or 0.0, 1e-9]))
    last = max([at for line in lines.values() for at, _ in line] + [1])

    def x(at: float) -> float:
        return _LEFT + at / last * (WIDTH - _LEFT - _RIGHT)

    def y(value: float) -> float:
        return _TOP + (1 - value / top) * (HEIGHT - _TOP - _BOTTOM)

    drawn = [
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(title)}">',
        *(_rule(y(top * part), f"{top * part:g}") for part in (0, 0.5, 1)),
        f'<text class="quiet" x="{WIDTH - _RIGHT}" y="{HEIGHT - 6}" text-anchor="end">{last} s</text>',
        f'<text class="quiet" x="{_LEFT}" y="{HEIGHT - 6}">0 s, in {escape(unit)}</text>',
    ]
    if asked is not None:
        drawn.append(
            f'<line class="asked" x1="{_LEFT}" x2="{WIDTH - _RIGHT}" y1="{y(asked):.1f}" y2="{y(asked):.1f}"/>'
        )
    for number, line in enumerate(lines.values()):
        drawn += [
            f'<polyline class="line{number}" points="{" ".join(f"{x(at):.1f},{y(value):.1f}" for at, value in part)}"/>'
            for part in _runs(line)
        ]
    names = "".join(f'<span class="key{number}">{escape(name)}</span>' for number, name in enumerate(lines))
    limit = '<span class="keyasked">asked for</span>' if asked is not None else ""
    return f"<figure><figcaption>{escape(title)} {names}{limit}</figcaption>{''.join(drawn)}</svg></figure>"


def _rule(y: float, label: str) -> str:
    return (
        f'<line class="rule" x1="{_LEFT}" x2="{WIDTH - _RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>'
        f'<text class="quiet" x="{_LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{label}</text>'
    )


def _runs(line: Sequence[tuple[int, float | None]]) -> list[list[tuple[int, float]]]:
    """The parts of a line between its gaps."""
    runs: list[list[tuple[int, float]]] = [[]]
    for at, value in line:
        if value is None:
            runs.append([])
        else:
            runs[-1].append((at, value))
    return [run for run in runs if run]


def _ceiling(value: float) -> float:
    """The next round number: 1, 2 or 5 times a power of ten."""
    power = 1.0
    while power > value:
        power /= 10
    while power * 10 < value:
        power *= 10
    return next(power * step for step in (1, 2, 5, 10) if power * step >= value * (1 - 1e-12))
