"""Which items come before which: cycles opened, then each item one layer to the right of what it needs."""

from collections.abc import Iterable, Mapping, Sequence

Edge = tuple[str, str]


def acyclic(keys: Sequence[str], edges: Sequence[Edge]) -> dict[Edge, Edge]:
    """Each edge as it leads to the right: itself, or turned round where it would close a cycle.

    Resources have no cycles, but rooms may: two can each need something of the other.
    """
    waiting = {key: {before for before, after in edges if after == key} for key in keys}
    order: dict[str, int] = {}
    while waiting:
        key = min(waiting, key=lambda key: len(waiting[key]))
        del waiting[key]
        order[key] = len(order)
        for needed in waiting.values():
            needed.discard(key)
    return {(a, b): (a, b) if order[a] < order[b] else (b, a) for a, b in edges}


def layered(keys: Sequence[str], edges: Iterable[Edge], heights: Mapping[str, float]) -> list[list[str]]:
    """The layers from left to right; ``edges`` have no cycle. What no edge touches evens their heights out."""
    before: dict[str, list[str]] = {key: [] for key in keys}
    after: dict[str, list[str]] = {key: [] for key in keys}
    for first, second in edges:
        before[second].append(first)
        after[first].append(second)
    layer: dict[str, int] = {}
    ready = [key for key in keys if not before[key]]
    missing = {key: len(before[key]) for key in keys}
    for key in ready:  # grows while it is read
        layer[key] = max((layer[needed] + 1 for needed in before[key]), default=0)
        for needing in after[key]:
            missing[needing] -= 1
            if not missing[needing]:
                ready.append(needing)
    for key in keys:
        if not before[key] and after[key]:
            # What needs nothing stands next to what needs it first: a shorter line.
            layer[key] = min(layer[needing] for needing in after[key]) - 1
    alone = [key for key in keys if not before[key] and not after[key]]
    layers: list[list[str]] = [[] for _ in range(max(layer.values(), default=-1) + 1)]
    for key in keys:
        if key not in alone:
            layers[layer[key]].append(key)
    for key in alone:
        min(layers, key=lambda keys: sum(heights[key] for key in keys)).append(key)
    return layers


def reduced(edges: Sequence[Edge]) -> list[Edge]:
    """``edges``, which have no cycle, without those that a longer way implies."""
    after: dict[str, list[str]] = {}
    for first, second in edges:
        after.setdefault(first, []).append(second)
    reached: dict[str, set[str]] = {}

    def reach(key: str) -> set[str]:
        if key not in reached:
            reached[key] = set()
            for needing in after.get(key, ()):
                reached[key] |= {needing} | reach(needing)
        return reached[key]

    return [
        (first, second)
        for first, second in edges
        if not any(second in reach(other) for other in after[first] if other != second)
    ]
