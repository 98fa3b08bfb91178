"""From a method and a path to a route."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from app.api import problems
from app.api.problems import ProblemError
from app.api.routes.route import Handler, Route


@dataclass(frozen=True, kw_only=True, slots=True)
class Served:
    """A route with the handler behind it; ``path`` is the one that metrics and logs name."""

    route: Route
    handler: Handler
    path: str


@dataclass(slots=True)
class _Node:
    """What may follow one segment of a path."""

    literal: dict[str, "_Node"] = field(default_factory=dict)
    parameter: "_Node | None" = None
    rest: "_Node | None" = None
    methods: dict[str, Served] = field(default_factory=dict)


class Router:
    """Finds routes segment by segment: a literal before a parameter, and a parameter before one that takes all that is left.

    ``rooms`` has the object whose methods are the handlers of each room.
    """

    def __init__(self, routes: Sequence[Route], rooms: Mapping[str, object]) -> None:
        self._root = _Node()
        for route in routes:
            room, _, method = route.handler.partition(".")
            node = self._root
            for segment in route.path.split("/")[1:]:
                if segment.startswith("{+"):
                    node.rest = node = node.rest or _Node()
                elif segment.startswith("{"):
                    node.parameter = node = node.parameter or _Node()
                else:
                    node = node.literal.setdefault(segment, _Node())
            node.methods[route.method] = Served(
                route=route, handler=getattr(rooms[room], method), path=route.plain_path
            )

    def find(self, method: str, path: str) -> tuple[Served, tuple[str, ...]]:
        """The route and the path's parameters; raises :class:`ProblemError` if there is none."""
        segments = path.split("/")
        parameters: list[str] = []
        node, at = self._root, 1
        while at < len(segments):
            segment = segments[at]
            if (below := node.literal.get(segment)) is not None:
                node = below
            elif node.parameter is not None and (node.rest is None or at == len(segments) - 1):
                node = node.parameter
                parameters.append(segment)
            elif node.rest is not None:
                node = node.rest
                parameters.append("/".join(segments[at:]))
                break
            else:
                raise ProblemError(problems.NO_ROUTE, "See /openapi.json for what there is.")
            at += 1
        if served := node.methods.get(method):
            return served, tuple(parameters)
        if not node.methods:
            raise ProblemError(problems.NO_ROUTE, "See /openapi.json for what there is.")
        allowed = ", ".join(sorted(node.methods))
        raise ProblemError(problems.METHOD_NOT_ALLOWED, f"Allowed here: {allowed}.", (("allow", allowed),))
