"""From a method and a path to a route."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from app.api import problems
from app.api.problems import ProblemError
from app.api.routes import Handler, Route


@dataclass(frozen=True, kw_only=True, slots=True)
class Served:
    """A route with the handler behind it."""

    route: Route
    handler: Handler


@dataclass(frozen=True, kw_only=True, slots=True)
class _Path:
    prefix: str
    parameters: int
    methods: dict[str, Served]


class Router:
    """Finds routes by exact path, or by prefix for paths with parameters; the last of those takes all that is left."""

    def __init__(self, routes: Sequence[Route], handlers: Mapping[str, Handler]) -> None:
        self._exact: dict[str, _Path] = {}
        self._prefixed: dict[str, _Path] = {}
        for route in routes:
            prefix, brace, _ = route.path.partition("{")
            table = self._prefixed if brace else self._exact
            path = table.setdefault(
                prefix, _Path(prefix=prefix, parameters=route.path.count("{"), methods={})
            )
            path.methods[route.method] = Served(route=route, handler=handlers[route.handler])

    def find(self, method: str, path: str) -> tuple[Served, tuple[str, ...]]:
        """The route and the path's parameters; raises :class:`ProblemError` if there is none."""
        for prefix, found in self._prefixed.items():
            if path.startswith(prefix):
                parameters = tuple(path[len(prefix) :].split("/", found.parameters - 1))
                if len(parameters) == found.parameters:
                    return self._method(found, method), parameters
        if found := self._exact.get(path):
            return self._method(found, method), ()
        raise ProblemError(problems.NO_ROUTE, "See /openapi.json for what there is.")

    def _method(self, path: _Path, method: str) -> Served:
        if served := path.methods.get(method):
            return served
        allowed = ", ".join(sorted(path.methods))
        raise ProblemError(problems.METHOD_NOT_ALLOWED, f"Allowed here: {allowed}.", (("allow", allowed),))
