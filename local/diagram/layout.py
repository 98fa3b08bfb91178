"""Where everything of a graph stands: resources in their components, components in rooms, rooms in the order data flows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from local.diagram.arrange import Arrangement, Edge, Item, Rect, Route, Spacing, arrange, arrange_down
from local.diagram.columns import Gaps
from local.diagram.graph import Graph, Resource
from local.diagram.layers import reduced
from local.diagram.text import width_of

NAME_SIZE = 11.0
TYPE_SIZE = 9.0
HEADING_SIZE = 13.0
CHIP_HEIGHT = 34.0
# Left and right of a chip's text; the left one has the strip of its kind, the right one the lock.
CHIP_LEFT, CHIP_RIGHT = 11.0, 15.0
_CHIP_WIDTHS = (90.0, 214.0)
_PADDING = 14.0
_HEADING = 30.0

# A picture is looked at on a wide screen. Between rooms and parts there is space for counts: in a cycle, for two.
_ROOMS = Spacing(gaps=Gaps(column=76, row=26, lane=13), port=26, aspect=1.7, share=False, flush=True)
_PARTS = Spacing(gaps=Gaps(column=48, row=12, lane=7), port=13, aspect=1.3, share=True)
_CHIPS = Spacing(gaps=Gaps(column=30, row=9, lane=7), port=13, aspect=1.3, share=True)


@dataclass(frozen=True, kw_only=True)
class Shape:
    """A resource or a component and where it is drawn; ``depth`` counts the components around it."""

    resource: Resource
    rect: Rect
    depth: int


@dataclass(frozen=True, kw_only=True)
class Line:
    """A drawn line, the dependencies (needed, needing) that it stands for, and the components around it."""

    route: Route
    stands_for: tuple[Edge, ...]
    depth: int


@dataclass(frozen=True, kw_only=True)
class Picture:
    """Everything to draw, in pixels; ``shapes`` has what is behind before what is in front of it.

    ``implied`` counts the dependencies that have no line because a longer way shows them.
    """

    shapes: tuple[Shape, ...]
    lines: tuple[Line, ...]
    implied: int
    width: float
    height: float


def lay_out(graph: Graph) -> Picture:
    """Lay out ``graph``; the same graph gives the same picture."""
    return _Layout(graph).component(None, depth=0)


class _Layout:
    """The graph's dependencies, each lifted to the two things side by side between which its line is drawn."""

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self._lifted: dict[str | None, dict[Edge, list[Edge]]] = {}
        for needed, needing in graph.edges:
            ours, theirs = graph.path(needed), graph.path(needing)
            common = sum(a == b for a, b in zip(ours, theirs, strict=False))
            if common < min(len(ours), len(theirs)):
                component = ours[common - 1] if common else None
                bundles = self._lifted.setdefault(component, {})
                bundles.setdefault((ours[common], theirs[common]), []).append((needed, needing))

    def component(self, urn: str | None, *, depth: int) -> Picture:
        """What is in a component, or in the program itself, from (0, 0) on."""
        children = self._graph.children(urn)
        inner = {
            child.urn: self.component(child.urn, depth=depth + 1) for child in children if child.component
        }
        bundles = self._lifted.get(urn, {})
        direct = [edge for edge in bundles if not inner.keys() & edge]
        implied = set(direct) - set(reduced(direct))
        edges = [edge for edge in bundles if edge not in implied]
        items = [
            _box(child, inner[child.urn]) if child.component else _chip(child, edges, bundles)
            for child in children
        ]
        placed = arrange(items, edges, _PARTS if inner else _CHIPS) if urn else _rooms(items, edges)

        shapes: list[Shape] = []
        lines = [
            Line(route=placed.routes[edge], stands_for=tuple(bundles[edge]), depth=depth) for edge in edges
        ]
        for child in children:
            rect = placed.items[child.urn]
            shapes.append(Shape(resource=child, rect=rect, depth=depth))
            if child.component:
                moved = _moved(inner[child.urn], rect.x + _PADDING, rect.y + _HEADING)
                shapes += moved.shapes
                lines += moved.lines
        return Picture(
            shapes=tuple(shapes),
            lines=tuple(lines),
            implied=len(implied) + sum(picture.implied for picture in inner.values()),
            width=placed.width,
            height=placed.height,
        )


def _rooms(items: Sequence[Item], edges: Sequence[Edge]) -> Arrangement:
    """The rooms side by side or one below the other, whichever fits a page better: two steps of large rooms make a row,
    ten make a column."""
    turned = (arrange(items, edges, _ROOMS), arrange_down(items, edges, _ROOMS))
    return min(turned, key=lambda placed: placed.page(_ROOMS.aspect))


def heading(component: Resource, count: int) -> tuple[str, str]:
    """What stands above a component: its name, and beside it its class and how many resources are in it."""
    return component.name, f"{component.label} · {count}"


def _box(component: Resource, content: Picture) -> Item:
    count = sum(not shape.resource.component for shape in content.shapes)
    name, note = heading(component, count)
    words = width_of(name, HEADING_SIZE) + width_of(note, NAME_SIZE) + 12
    return Item(
        key=component.urn,
        width=max(content.width, words) + 2 * _PADDING,
        height=content.height + _HEADING + _PADDING,
        box=True,
        spread=True,
    )


def _chip(resource: Resource, edges: Sequence[Edge], bundles: Mapping[Edge, Sequence[Edge]]) -> Item:
    """As wide as its longer text, within bounds; spread if the counts of several bundles would hide each other."""
    arriving = [len(bundles[edge]) for edge in edges if edge[1] == resource.urn]
    text = max(width_of(resource.name, NAME_SIZE), width_of(resource.label, TYPE_SIZE))
    least, most = _CHIP_WIDTHS
    return Item(
        key=resource.urn,
        width=min(max(least, text + CHIP_LEFT + CHIP_RIGHT), most),
        height=CHIP_HEIGHT,
        spread=sum(count > 1 for count in arriving) > 1,
    )


def _moved(picture: Picture, x: float, y: float) -> Picture:
    return replace(
        picture,
        shapes=tuple(
            replace(shape, rect=replace(shape.rect, x=shape.rect.x + x, y=shape.rect.y + y))
            for shape in picture.shapes
        ),
        lines=tuple(
            replace(
                line, route=replace(line.route, points=tuple((a + x, b + y) for a, b in line.route.points))
            )
            for line in picture.lines
        ),
    )
