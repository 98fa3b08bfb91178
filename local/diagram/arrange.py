"""Boxes in columns from left to right, so that every line runs from a column to one on its right and crosses no box;
or the same turned, in rows from top to bottom.

The method of Sugiyama, Tagawa and Toda ("Methods for Visual Understanding of Hierarchical System Structures", 1981):
layers by longest path, lanes where a line passes a column, order by barycentre, positions by least squares. Same input,
same picture: every tie is broken by the order of the items.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from local.diagram.columns import Cell, Gaps, flush, ordered, positioned, split
from local.diagram.layers import acyclic, layered

Edge = tuple[str, str]
Point = tuple[float, float]
# The items and lanes that a line goes through, from its first item to its last.
Chain = tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Item:
    """Something to place, in pixels; all that are no ``box`` are as wide as the widest of them in their column.

    The lines of one that is ``spread`` end side by side, for which it may become taller; else they end at its middle.
    """

    key: str
    width: float
    height: float
    box: bool = False
    spread: bool = False


@dataclass(frozen=True, kw_only=True)
class Spacing:
    """How close things stand: ``gaps``, and ``port`` pixels between the ends of two lines at an item that is spread.

    ``aspect`` is the width that the whole should have for each pixel of its height. With ``share``, lines that leave one
    item run in one lane. With ``flush``, every column begins at the top instead of standing level with its neighbours.
    """

    gaps: Gaps
    port: float
    aspect: float
    share: bool
    flush: bool = False


@dataclass(frozen=True, kw_only=True)
class Rect:
    """A rectangle, in pixels from the left and the top."""

    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True, kw_only=True)
class Route:
    """How a line runs, from left to right: straight between the points 0 and 1, 2 and 3, ..., and swinging between 1 and 2,
    3 and 4, ...; a ``downward`` one runs from top to bottom. A ``backward`` one closes a cycle: it leads the other way.
    """

    points: tuple[Point, ...]
    downward: bool
    backward: bool


@dataclass(frozen=True, kw_only=True)
class Arrangement:
    """Where each item is and how each line runs, and the size of the whole."""

    items: Mapping[str, Rect]
    routes: Mapping[Edge, Route]
    width: float
    height: float

    def page(self, aspect: float) -> float:
        """The height of the smallest page, as wide as ``aspect`` times its height, that holds it."""
        return max(self.width / aspect, self.height)


def arrange_down(items: Sequence[Item], edges: Iterable[Edge], spacing: Spacing) -> Arrangement:
    """Place ``items`` so that the lines of ``edges``, (from, to), lead downward."""
    turned = [replace(item, width=item.height, height=item.width) for item in items]
    found = arrange(turned, edges, replace(spacing, aspect=1 / spacing.aspect))
    return Arrangement(
        items={
            key: Rect(x=rect.y, y=rect.x, width=rect.height, height=rect.width)
            for key, rect in found.items.items()
        },
        routes={
            edge: replace(route, points=tuple((y, x) for x, y in route.points), downward=True)
            for edge, route in found.routes.items()
        },
        width=found.height,
        height=found.width,
    )


def arrange(items: Sequence[Item], edges: Iterable[Edge], spacing: Spacing) -> Arrangement:
    """Place ``items`` so that the lines of ``edges``, (from, to), lead to the right."""
    keys, gaps = [item.key for item in items], spacing.gaps
    forward = acyclic(keys, sorted(set(edges)))
    lines = sorted(set(forward.values()))
    cells = {item.key: _cell(item, lines, spacing.port) for item in items}
    layers = layered(keys, lines, {key: cell.height for key, cell in cells.items()})
    columns = split(layers, cells, lines, aspect=spacing.aspect, gaps=gaps)
    chains = _lanes(columns, cells, lines, share=spacing.share)
    links = sorted({link for chain in chains.values() for link in pairwise(chain)})
    columns = ordered(columns, cells, links, gaps)
    tops = flush(columns, cells, gaps) if spacing.flush else positioned(columns, cells, links, gaps)

    place = {key: index for index, column in enumerate(columns) for key in column}
    bounds = _bounds([max(cells[key].width for key in column) for column in columns], gaps.column)
    boxes = {item.key for item in items if item.box}
    rects = {}
    for item in items:
        beside = [cells[key].width for key in columns[place[item.key]] if key not in boxes]
        rects[item.key] = Rect(
            x=bounds[place[item.key]][0],
            y=tops[item.key],
            width=item.width if item.box else max(beside),
            height=cells[item.key].height,
        )
    ports = _ports(links, cells, tops, {item.key for item in items if item.spread}, spacing.port)
    routes = {}
    for edge, line in forward.items():
        chain = chains[line]
        start = rects[chain[0]]
        points = [(start.x + start.width, ports[chain[0], chain[1]])]
        for here, there in pairwise(chain):
            points.append((bounds[place[here]][1], ports[here, there]))
            points.append((bounds[place[there]][0], ports[there, here]))
        routes[edge] = Route(points=tuple(points), downward=False, backward=line != edge)
    height = max((rect.y + rect.height for rect in rects.values()), default=0.0)
    # A lane may be the first or the last of its column.
    height = max([height, *(y for route in routes.values() for _, y in route.points)])
    return Arrangement(items=rects, routes=routes, width=bounds[-1][1] if bounds else 0.0, height=height)


def _cell(item: Item, lines: Sequence[Edge], port: float) -> Cell:
    """The room of an item; a spread one is as tall as the ends of its lines need."""
    ends = (
        max(sum(a == item.key for a, _ in lines), sum(b == item.key for _, b in lines)) if item.spread else 0
    )
    return Cell(width=item.width, height=max(item.height, port * (ends + 1)))


def _lanes(
    columns: list[list[str]], cells: dict[str, Cell], lines: Sequence[Edge], *, share: bool
) -> dict[Edge, Chain]:
    """Put a lane into each column that a line passes; return what each line goes through."""
    place = {key: index for index, column in enumerate(columns) for key in column}
    chains = {}
    for first, last in lines:
        passed = []
        for index in range(place[first] + 1, place[last]):
            lane = f"lane {index} {first}" if share else f"lane {index} {first} {last}"
            if lane not in cells:
                cells[lane] = Cell(width=0.0, height=0.0, lane=True)
                columns[index].append(lane)
            passed.append(lane)
        chains[first, last] = (first, *passed, last)
    return chains


def _bounds(widths: Sequence[float], gap: float) -> list[tuple[float, float]]:
    """Left and right of each column."""
    bounds: list[tuple[float, float]] = []
    left = 0.0
    for width in widths:
        bounds.append((left, left + width))
        left += width + gap
    return bounds


def _ports(
    links: Sequence[Edge], cells: Mapping[str, Cell], tops: Mapping[str, float], spread: set[str], port: float
) -> dict[tuple[str, str], float]:
    """At which height the line between two neighbours meets the first of them: (meets, neighbour)."""
    middles = {key: top + cells[key].height / 2 for key, top in tops.items()}
    sides: dict[tuple[str, str], list[str]] = {}
    for first, second in links:
        sides.setdefault((first, "right"), []).append(second)
        sides.setdefault((second, "left"), []).append(first)
    ports = {}
    for (key, _), others in sides.items():
        step = min(2 * port, cells[key].height / (len(others) + 1)) if key in spread else 0.0
        for index, other in enumerate(sorted(others, key=lambda other: (middles[other], other))):
            ports[key, other] = middles[key] + (index - (len(others) - 1) / 2) * step
    return ports
