"""A laid-out graph as SVG text: light and dark, with a title and a description for those who do not see it."""

import math
from collections import Counter
from pathlib import Path
from xml.etree import ElementTree as ET

from local.diagram.arrange import Point, Route
from local.diagram.graph import Graph, Resource
from local.diagram.kinds import MEANING, Kind, kind_of
from local.diagram.layout import (
    CHIP_LEFT,
    CHIP_RIGHT,
    HEADING_SIZE,
    NAME_SIZE,
    TYPE_SIZE,
    Line,
    Picture,
    Shape,
    heading,
    lay_out,
)
from local.diagram.text import fitted, width_of

_STYLE = Path(__file__).with_name("style.css").read_text(encoding="utf-8")
_MARGIN = 28.0
_TOP = 118.0
_TITLE_SIZE = 20.0
_NOTE = "A line leads from what is needed to what needs it; its number counts dependencies between the boxes; what a longer way shows has no line."


def draw(graph: Graph) -> str:
    """``graph`` as an SVG document; the same graph and engine give the same bytes."""
    picture = lay_out(graph)
    kinds = Counter(kind_of(resource.label) for resource in graph.things)
    width = max(picture.width, width_of(_NOTE, NAME_SIZE), _legend_width(kinds)) + 2 * _MARGIN
    height = picture.height + _TOP + _MARGIN
    root = _element(
        None,
        "svg",
        xmlns="http://www.w3.org/2000/svg",
        viewBox=f"0 0 {_number(width)} {_number(height)}",
        width=_number(width),
        height=_number(height),
        role="img",
        aria_labelledby="title description",
        data_graph=graph.fingerprint,
    )
    title = f"Stack {graph.stack}"
    facts = (
        f"{len(graph.things)} resources in {len(graph.rooms)} rooms · {len(graph.edges)} dependencies"
        f" · Pulumi {graph.engine}"
    )
    _element(root, "title", f"{title}: {facts}", id="title")
    _element(root, "desc", _description(graph, picture), id="description")
    _element(root, "style", _STYLE)
    _element(root, "rect", class_="paper", width="100%", height="100%")
    _text(root, title, _MARGIN, 42, _TITLE_SIZE, "heading")
    _text(root, facts, _MARGIN + width_of(title, _TITLE_SIZE) + 14, 42, HEADING_SIZE, "quiet")
    _legend(root, kinds)
    _text(root, _NOTE, _MARGIN, 96, NAME_SIZE, "quiet")

    body = _element(root, "g", transform=f"translate({_number(_MARGIN)} {_number(_TOP)})")
    # A line is above the box that it runs in and below the boxes that it leads to.
    depths = sorted({shape.depth for shape in picture.shapes})
    for depth in depths:
        for line in picture.lines:
            if line.depth == depth:
                _line(body, line, graph)
        for shape in picture.shapes:
            if shape.depth == depth:
                (_box if shape.resource.component else _chip)(body, shape, graph)
    # Counts are above everything: they stand where a line arrives.
    for line in picture.lines:
        if len(line.stands_for) > 1:
            _count(body, line)
    ET.indent(root, " ")
    return ET.tostring(root, encoding="unicode") + "\n"


def _box(parent: ET.Element, shape: Shape, graph: Graph) -> None:
    rect = shape.rect
    name, note = heading(shape.resource, _within(shape.resource, graph))
    group = _element(parent, "g", data_component=_place(shape.resource, graph))
    _element(
        group,
        "rect",
        class_="part" if shape.depth else "room",
        x=_number(rect.x),
        y=_number(rect.y),
        width=_number(rect.width),
        height=_number(rect.height),
        rx="8",
    )
    _text(group, name, rect.x + 14, rect.y + 20, HEADING_SIZE, "heading")
    _text(group, note, rect.x + 22 + width_of(name, HEADING_SIZE), rect.y + 20, NAME_SIZE, "quiet")


def _chip(parent: ET.Element, shape: Shape, graph: Graph) -> None:
    resource, rect = shape.resource, shape.rect
    room = rect.width - CHIP_LEFT - CHIP_RIGHT
    group = _element(
        parent,
        "g",
        class_=kind_of(resource.label),
        data_resource=_place(resource, graph),
        transform=f"translate({_number(rect.x)} {_number(rect.y)})",
    )
    guarded = " · protected" if resource.protected else ""
    _element(group, "title", f"{resource.name}\n{resource.type}{guarded}")
    _element(group, "rect", class_="body", width=_number(rect.width), height=_number(rect.height), rx="5")
    _element(
        group, "path", class_="strip", d=f"M5 0H4A4 4 0 0 0 0 4V{_number(rect.height - 4)}a4 4 0 0 0 4 4h1z"
    )
    _text(group, fitted(resource.name, NAME_SIZE, room), CHIP_LEFT, 14.5, NAME_SIZE)
    _text(group, fitted(resource.label, TYPE_SIZE, room), CHIP_LEFT, 26.5, TYPE_SIZE, "quiet")
    if resource.protected:
        _lock(group, rect.width - 12, 6)


def _lock(parent: ET.Element, x: float, y: float) -> None:
    group = _element(parent, "g", transform=f"translate({_number(x)} {_number(y)})")
    _element(group, "rect", class_="lock", y="4", width="8", height="6", rx="1")
    _element(group, "path", class_="shackle", d="M1.8 4V2.6a2.2 2.2 0 0 1 4.4 0V4")


def _line(parent: ET.Element, line: Line, graph: Graph) -> None:
    names = sorted(
        f"{_place(graph.by_urn[a], graph)} → {_place(graph.by_urn[b], graph)}" for a, b in line.stands_for
    )
    group = _element(parent, "g", class_="dependency")
    _element(group, "title", "\n".join(names))
    width = 1 + math.log2(len(names)) / 3
    style = {} if len(names) == 1 else {"style": f"stroke-width:{_number(width)}"}
    _element(group, "path", class_="line", d=_path(line.route), **style)
    (x, y), forward = _end(line.route)
    turn = (90 if line.route.downward else 0) + (0 if forward else 180)
    place = f"translate({_number(x)} {_number(y)})" + (f" rotate({turn})" if turn else "")
    _element(group, "path", class_="tip", d="M0 0l-5 -3v6z", transform=place)


def _count(parent: ET.Element, line: Line) -> None:
    """How many dependencies a line stands for, just before it arrives."""
    number = str(len(line.stands_for))
    (x, y), forward = _end(line.route)
    width, height = width_of(number, TYPE_SIZE) + 7, 12.0
    along = (height if line.route.downward else width) / 2 + 6
    before = -along if forward else along
    x, y = (x, y + before) if line.route.downward else (x + before, y)
    _element(
        parent,
        "rect",
        class_="count",
        x=_number(x - width / 2),
        y=_number(y - height / 2),
        width=_number(width),
        height=_number(height),
        rx="6",
    )
    _text(parent, number, x - width / 2 + 3.5, y + 3.2, TYPE_SIZE)


def _end(route: Route) -> tuple[Point, bool]:
    """Where a line arrives, and whether it does so from the left or from above."""
    return (route.points[0], False) if route.backward else (route.points[-1], True)


def _path(route: Route) -> str:
    """The line: straight pieces and swings by turns, each swing leaving and arriving in the line's direction."""
    points = [f"{_number(x)} {_number(y)}" for x, y in route.points]
    drawn = [f"M{points[0]}"]
    for index in range(1, len(points)):
        (x, y), (to_x, to_y) = route.points[index - 1 : index + 1]
        if index % 2:
            drawn.append(f"L{points[index]}" if points[index] != points[index - 1] else "")
        elif route.downward:
            middle = _number((y + to_y) / 2)
            drawn.append(f"C{_number(x)} {middle} {_number(to_x)} {middle} {points[index]}")
        else:
            middle = _number((x + to_x) / 2)
            drawn.append(f"C{middle} {_number(y)} {middle} {_number(to_y)} {points[index]}")
    return "".join(drawn)


def _legend(parent: ET.Element, kinds: Counter[Kind]) -> None:
    x = _MARGIN
    for kind in Kind:
        if kinds[kind]:
            group = _element(parent, "g", class_=kind, transform=f"translate({_number(x)} 60)")
            words = _legend_words(kind, kinds)
            _element(group, "rect", class_="body", width="14", height="14", rx="3")
            _element(group, "rect", class_="strip", width="4", height="14", rx="1")
            _text(group, words, 20, 11, NAME_SIZE)
            x += 40 + width_of(words, NAME_SIZE)
    group = _element(parent, "g", class_="setting")
    _lock(group, x, 62)
    _text(group, _PROTECTED, x + 14, 71, NAME_SIZE)


_PROTECTED = "the engine refuses to delete it"


def _legend_words(kind: Kind, kinds: Counter[Kind]) -> str:
    return f"{MEANING[kind]} · {kinds[kind]}"


def _legend_width(kinds: Counter[Kind]) -> float:
    words = [_legend_words(kind, kinds) for kind in Kind if kinds[kind]]
    return sum(40 + width_of(text, NAME_SIZE) for text in words) + 14 + width_of(_PROTECTED, NAME_SIZE)


def _description(graph: Graph, picture: Picture) -> str:
    """The picture in words: the rooms, and what each needs of which."""
    needs: dict[str, list[str]] = {}
    for line in picture.lines:
        if line.depth == 0:
            needed, needing = (graph.path(urn)[0] for urn in line.stands_for[0])
            needs.setdefault(needing, []).append(f"{graph.by_urn[needed].name} ({len(line.stands_for)})")
    sentences = []
    for child in graph.children(None):
        size = f": {_within(child, graph)} resources" if child.component else f": {child.label}"
        needed = f", needs {', '.join(sorted(needs[child.urn]))}" if child.urn in needs else ""
        sentences.append(f"{child.name}{size}{needed}.")
    sentences.append(f"Dependencies without a line because a longer way shows them: {picture.implied}.")
    return " ".join(sentences)


def _within(component: Resource, graph: Graph) -> int:
    """How many resources are in a component, at any depth."""
    return sum(_within(child, graph) if child.component else 1 for child in graph.children(component.urn))


def _place(resource: Resource, graph: Graph) -> str:
    """A resource as a reader finds it: its components, its type and its name."""
    names = [graph.by_urn[urn].name for urn in graph.path(resource.urn)[:-1]]
    return "/".join([*names, f"{resource.label} {resource.name}"])


def _text(parent: ET.Element, text: str, x: float, y: float, size: float, class_: str = "") -> None:
    styled = {"class_": class_} if class_ else {}
    _element(parent, "text", text, x=_number(x), y=_number(y), font_size=_number(size), **styled)


def _element(
    parent: ET.Element | None, tag: str, text: str | None = None, /, **attributes: str
) -> ET.Element:
    """An element; an attribute's ``_`` stands for ``-``, one at its end for nothing."""
    named = {name.rstrip("_").replace("_", "-"): str(value) for name, value in attributes.items()}
    element = ET.Element(tag, named) if parent is None else ET.SubElement(parent, tag, named)
    element.text = text
    return element


def _number(value: float) -> str:
    return f"{round(value, 1):g}" if abs(value) < 100_000 else f"{value:.0f}"
