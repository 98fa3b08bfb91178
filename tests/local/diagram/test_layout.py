"""Nothing overlaps, nothing is lost, and no line crosses what it does not concern."""

import itertools
from collections.abc import Callable, Iterable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from local.diagram.arrange import Item, Rect, Route, Spacing, arrange
from local.diagram.columns import Gaps
from local.diagram.graph import Graph
from local.diagram.layers import reduced
from local.diagram.layout import Picture, Shape, lay_out

SPACING = Spacing(gaps=Gaps(column=30, row=9, lane=7), port=13, aspect=1.3, share=False)
ROUNDING = 1e-6


@pytest.fixture(scope="module")
def large(made_up: Callable[..., Graph]) -> tuple[Graph, Picture]:
    """400 resources."""
    graph = made_up(400)
    return graph, lay_out(graph)


def _overlap(one: Rect, other: Rect) -> bool:
    return (
        one.x + ROUNDING < other.x + other.width
        and other.x + ROUNDING < one.x + one.width
        and one.y + ROUNDING < other.y + other.height
        and other.y + ROUNDING < one.y + one.height
    )


def _within(inner: Rect, outer: Rect) -> bool:
    right, bottom = inner.x + inner.width, inner.y + inner.height
    return (
        outer.x <= inner.x + ROUNDING
        and outer.y <= inner.y + ROUNDING
        and right <= outer.x + outer.width + ROUNDING
        and bottom <= outer.y + outer.height + ROUNDING
    )


def _along(route: Route) -> Iterable[tuple[float, float]]:
    """Points of the line as it is drawn: straight pieces, and cubic swings whose ends lie in the line's direction."""
    for index, (start, end) in enumerate(itertools.pairwise(route.points)):
        for step in range(21):
            t = step / 20
            bend = 3 * t * t - 2 * t**3
            # The control points share their main coordinate: the other one follows the smooth step.
            main = t if index % 2 == 0 else 1.5 * t * (1 - t) + t**3
            x, y = (bend, main) if route.downward else (main, bend)
            yield start[0] + (end[0] - start[0]) * x, start[1] + (end[1] - start[1]) * y


def _chips(picture: Picture) -> list[Shape]:
    return [shape for shape in picture.shapes if not shape.resource.component]


def test_no_two_of_400_chips_touch(large: tuple[Graph, Picture]) -> None:
    chips = _chips(large[1])
    assert len(chips) == 400
    assert not [pair for pair in itertools.combinations(chips, 2) if _overlap(pair[0].rect, pair[1].rect)]


def test_everything_is_within_its_component_and_components_do_not_touch(large: tuple[Graph, Picture]) -> None:
    graph, picture = large
    rects = {shape.resource.urn: shape.rect for shape in picture.shapes}
    page = Rect(x=0, y=0, width=picture.width, height=picture.height)
    for resource in graph.resources:
        assert _within(rects[resource.urn], rects[resource.parent] if resource.parent else page)
        beside = [other for other in graph.children(resource.parent) if other is not resource]
        assert not [other for other in beside if _overlap(rects[resource.urn], rects[other.urn])]


def test_every_dependency_has_a_line_or_a_longer_way(large: tuple[Graph, Picture]) -> None:
    graph, picture = large
    drawn = {edge for line in picture.lines for edge in line.stands_for}
    assert sum(len(line.stands_for) for line in picture.lines) == len(drawn)
    assert len(drawn) + picture.implied == len(graph.edges)
    for needed, needing in set(graph.edges) - drawn:
        reached, frontier = set(), {needed}
        while frontier:
            frontier = {b for a, b in drawn if a in frontier} - reached
            reached |= frontier
        assert needing in reached


def test_a_line_runs_from_one_of_its_ends_to_the_other_and_crosses_no_box_between(
    large: tuple[Graph, Picture],
) -> None:
    graph, picture = large
    rects = {shape.resource.urn: shape.rect for shape in picture.shapes}
    for line in picture.lines:
        needed, needing = (graph.path(urn)[line.depth] for urn in line.stands_for[0])
        beside = {child.urn: rects[child.urn] for child in graph.children(graph.by_urn[needed].parent)}
        for x, y in _along(line.route):
            met = [urn for urn, rect in beside.items() if _overlap(rect, Rect(x=x, y=y, width=0, height=0))]
            assert not met
        first, last = (needing, needed) if line.route.backward else (needed, needing)
        for urn, (x, y) in ((first, line.route.points[0]), (last, line.route.points[-1])):
            assert _within(Rect(x=x, y=y, width=0, height=0), beside[urn])


def test_what_is_needed_stands_before_what_needs_it_unless_that_closes_a_cycle(
    large: tuple[Graph, Picture],
) -> None:
    graph, picture = large
    rects = {shape.resource.urn: shape.rect for shape in picture.shapes}
    for line in picture.lines:
        needed, needing = (rects[graph.path(urn)[line.depth]] for urn in line.stands_for[0])
        if line.route.backward:
            needed, needing = needing, needed
        before = (
            needed.y + needed.height < needing.y
            if line.route.downward
            else needed.x + needed.width < needing.x
        )
        assert before


def test_the_same_graph_gives_the_same_picture(
    large: tuple[Graph, Picture], made_up: Callable[..., Graph]
) -> None:
    assert lay_out(made_up(400)) == large[1]


@settings(deadline=None, max_examples=60)
@given(
    st.lists(st.tuples(st.integers(0, 7), st.integers(0, 7)).filter(lambda pair: pair[0] != pair[1])),
    st.lists(st.booleans(), min_size=8, max_size=8),
)
def test_any_graph_is_placed_without_overlap_even_one_with_cycles(
    pairs: list[tuple[int, int]], boxes: list[bool]
) -> None:
    items = [
        Item(key=str(index), width=80 + 30 * index, height=34 + 9 * index * box, box=box)
        for index, box in enumerate(boxes)
    ]
    edges = [(str(a), str(b)) for a, b in pairs]
    placed = arrange(items, edges, SPACING)
    assert placed.routes.keys() == set(edges)
    for one, other in itertools.combinations(placed.items.values(), 2):
        assert not _overlap(one, other)
    for route in placed.routes.values():
        for x, y in _along(route):
            assert not [r for r in placed.items.values() if _overlap(r, Rect(x=x, y=y, width=0, height=0))]


def test_of_two_things_that_need_each_other_one_line_leads_back() -> None:
    items = [Item(key=key, width=90, height=40, box=True) for key in "ab"]
    routes = arrange(items, [("a", "b"), ("b", "a")], SPACING).routes
    assert sorted(route.backward for route in routes.values()) == [False, True]


def test_an_edge_that_a_longer_way_implies_is_left_out() -> None:
    assert reduced([("a", "b"), ("a", "c"), ("b", "c"), ("a", "d")]) == [("a", "b"), ("b", "c"), ("a", "d")]
