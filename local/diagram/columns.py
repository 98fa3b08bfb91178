"""The order and the height of what stands in one column, given what stands in the others."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

Edge = tuple[str, str]

_SWEEPS = 8
# Into how many columns the tallest layer may be split.
_MOST_PARTS = 12


@dataclass(frozen=True, kw_only=True)
class Cell:
    """The room that an item, or a ``lane`` for a line that passes its column, takes: pixels."""

    width: float
    height: float
    lane: bool = False


@dataclass(frozen=True, kw_only=True)
class Gaps:
    """Pixels between two columns, between two items of one, and between a lane and what is next to it."""

    column: float
    row: float
    lane: float

    def between(self, above: Cell, below: Cell) -> float:
        """The gap that these two keep in a column."""
        return self.lane if above.lane or below.lane else self.row


def split(
    layers: Sequence[Sequence[str]],
    cells: Mapping[str, Cell],
    edges: Sequence[Edge],
    *,
    aspect: float,
    gaps: Gaps,
) -> list[list[str]]:
    """The columns, a tall layer as several of them: those that fit best into a page as wide as ``aspect`` times its height."""
    rank: dict[str, float] = {}
    lines = []
    for keys in layers:
        lines.append(
            sorted(keys, key=lambda key: _mean([rank[a] for a, b in edges if b == key and a in rank], 0.0))
        )
        rank |= {key: index / len(keys) for index, key in enumerate(lines[-1])}
    most = max((_height(line, cells, gaps) for line in lines), default=0.0)
    tries = [_cut(lines, cells, gaps, most / parts) for parts in range(1, _MOST_PARTS + 1)]
    return min(tries, key=lambda columns: _page(columns, cells, gaps, aspect))


def _cut(
    lines: Sequence[Sequence[str]], cells: Mapping[str, Cell], gaps: Gaps, limit: float
) -> list[list[str]]:
    """Each line in as few columns, of about the same height, as ``limit`` pixels ask for."""
    columns: list[list[str]] = []
    for line in lines:
        total = _height(line, cells, gaps)
        # A little over the limit is no reason for one more column that would be half empty.
        share = total / max(round(total / limit), 1)
        columns.append([])
        filled = 0.0
        for key in line:
            if columns[-1] and filled + cells[key].height / 2 > share:
                columns.append([])
                filled = 0.0
            columns[-1].append(key)
            filled += cells[key].height + gaps.row
    return columns


def _page(columns: Sequence[Sequence[str]], cells: Mapping[str, Cell], gaps: Gaps, aspect: float) -> float:
    """The height of the smallest page of the wished aspect that holds the columns."""
    width = sum(max(cells[key].width for key in column) + gaps.column for column in columns)
    height = max((_height(column, cells, gaps) for column in columns), default=0.0)
    return max(width / aspect, height)


def _height(column: Sequence[str], cells: Mapping[str, Cell], gaps: Gaps) -> float:
    return sum(cells[key].height + gaps.row for key in column)


def ordered(
    columns: Sequence[Sequence[str]], cells: Mapping[str, Cell], links: Sequence[Edge], gaps: Gaps
) -> list[list[str]]:
    """Each column in the order that lets the fewest ``links``, each between neighbouring columns, cross."""
    left, right = _neighbours(links)
    current = [list(column) for column in columns]
    middles: dict[str, float] = {}
    for column in current:
        middles |= _stacked(column, cells, gaps)
    best, fewest = [list(column) for column in current], _crossings(current, links)
    for sweep in range(_SWEEPS):
        near, indices = (
            (left, range(len(current))) if sweep % 2 == 0 else (right, reversed(range(len(current))))
        )
        for index in indices:
            current[index].sort(
                key=lambda key: _mean([middles[other] for other in near.get(key, ())], middles[key])
            )
            middles |= _stacked(current[index], cells, gaps)
        crossings = _crossings(current, links)
        if crossings < fewest:
            best, fewest = [list(column) for column in current], crossings
    return best


def positioned(
    columns: Sequence[Sequence[str]], cells: Mapping[str, Cell], links: Sequence[Edge], gaps: Gaps
) -> dict[str, float]:
    """The top of each item, in pixels: as near as its column allows to the height of what it is linked to."""
    left, right = _neighbours(links)
    middles: dict[str, float] = {}
    for column in columns:
        middles |= _stacked(column, cells, gaps)
    for sweep in range(_SWEEPS):
        for column in columns if sweep % 2 else reversed(columns):
            wished = [
                _mean([middles[other] for other in (*left.get(key, ()), *right.get(key, ()))], middles[key])
                for key in column
            ]
            middles |= dict(zip(column, _apart(wished, [cells[key] for key in column], gaps), strict=True))
    first = min((middles[key] - cells[key].height / 2 for key in middles), default=0.0)
    return {key: middle - cells[key].height / 2 - first for key, middle in middles.items()}


def flush(columns: Sequence[Sequence[str]], cells: Mapping[str, Cell], gaps: Gaps) -> dict[str, float]:
    """The top of each item, in pixels, if every column begins at zero."""
    tops: dict[str, float] = {}
    for column in columns:
        top = 0.0
        for key, below in zip(column, (*column[1:], column[-1]), strict=True):
            tops[key] = top
            top += cells[key].height + gaps.between(cells[key], cells[below])
    return tops


def _apart(wished: Sequence[float], cells: Sequence[Cell], gaps: Gaps) -> list[float]:
    """The middles nearest to those wished for, in least squares, at which no two cells touch.

    Pool adjacent violators: what would overlap moves as one block to the mean of its wishes.
    """
    offsets = [0.0]
    for above, below in pairwise(cells):
        offsets.append(offsets[-1] + (above.height + below.height) / 2 + gaps.between(above, below))
    blocks: list[tuple[float, int]] = []
    for wish, offset in zip(wished, offsets, strict=True):
        mean, size = wish - offset, 1
        while blocks and blocks[-1][0] > mean:
            other, count = blocks.pop()
            mean, size = (mean * size + other * count) / (size + count), size + count
        blocks.append((mean, size))
    means = [mean for mean, size in blocks for _ in range(size)]
    return [mean + offset for mean, offset in zip(means, offsets, strict=True)]


def _stacked(column: Sequence[str], cells: Mapping[str, Cell], gaps: Gaps) -> dict[str, float]:
    """The middles of a column stacked around zero."""
    middles = _apart([0.0] * len(column), [cells[key] for key in column], gaps)
    return dict(zip(column, middles, strict=True))


def _neighbours(links: Sequence[Edge]) -> tuple[dict[str, list[str]], dict[str, list[str]]]:
    left: dict[str, list[str]] = {}
    right: dict[str, list[str]] = {}
    for first, second in links:
        left.setdefault(second, []).append(first)
        right.setdefault(first, []).append(second)
    return left, right


def _crossings(columns: Sequence[Sequence[str]], links: Sequence[Edge]) -> int:
    """How many pairs of links cross."""
    place = {key: (index, row) for index, column in enumerate(columns) for row, key in enumerate(column)}
    gutters: dict[int, list[Edge]] = {}
    for link in links:
        gutters.setdefault(place[link[0]][0], []).append(link)
    crossings = 0
    for gutter in gutters.values():
        ends = sorted((place[first][1], place[second][1]) for first, second in gutter)
        crossings += sum(
            below[1] < above[1] and above[0] < below[0]
            for index, above in enumerate(ends)
            for below in ends[index + 1 :]
        )
    return crossings


def _mean(values: Sequence[float], otherwise: float) -> float:
    return sum(values) / len(values) if values else otherwise
