"""Which route a path has."""

import pytest

from app.api.messages import Request, Response
from app.api.problems import ProblemError
from app.api.router import Router
from app.api.routes import ROUTES
from app.api.routes.route import Answer, Route


class Room:
    async def answer(self, _: Request) -> Response:
        return Response(status=200)


def route(method: str, path: str) -> Route:
    answers = {200: Answer(description="")}
    return Route(method=method, path=path, handler="room.answer", summary="", description="", answers=answers)


@pytest.fixture
def router() -> Router:
    paths = ["/", "/a", "/a/{one}", "/a/{one}/b", "/k/{one}", "/k/{one}/{+rest}", "/a/fixed"]
    return Router([route("GET", path) for path in paths] + [route("PUT", "/a")], {"room": Room()})


@pytest.mark.parametrize(
    ("path", "served", "parameters"),
    [
        ("/", "/", ()),
        ("/a", "/a", ()),
        ("/a/x", "/a/{one}", ("x",)),
        ("/a/fixed", "/a/fixed", ()),
        ("/a/x/b", "/a/{one}/b", ("x",)),
        ("/k/x", "/k/{one}", ("x",)),
        ("/k/x/y", "/k/{one}/{+rest}", ("x", "y")),
        ("/k/x/y/z/", "/k/{one}/{+rest}", ("x", "y/z/")),
        ("/k/x/", "/k/{one}/{+rest}", ("x", "")),
    ],
)
def test_a_path_has_the_most_literal_route_that_fits(
    router: Router, path: str, served: str, parameters: tuple[str, ...]
) -> None:
    found, given = router.find("GET", path)
    assert (found.route.path, given) == (served, parameters)


@pytest.mark.parametrize("path", ["/b", "/a/x/c", "/a/x/b/c", "/k", "a", ""])
def test_a_path_without_a_route_is_refused(router: Router, path: str) -> None:
    with pytest.raises(ProblemError) as refused:
        router.find("GET", path)
    assert refused.value.kind.name == "no-route"


def test_a_refused_method_is_told_which_ones_there_are(router: Router) -> None:
    with pytest.raises(ProblemError) as refused:
        router.find("DELETE", "/a")
    assert refused.value.headers == (("allow", "GET, PUT"),)


def test_no_route_is_hidden_by_another() -> None:
    """A literal segment beside a parameter is taken first, for good: nothing goes back to try the other."""
    rooms = {room: _Anything() for room in {route.handler.partition(".")[0] for route in ROUTES}}
    router = Router(ROUTES, rooms)
    for route in ROUTES:
        path = "/".join("x" if segment.startswith("{") else segment for segment in route.path.split("/"))
        assert router.find(route.method, path)[0].route is route


class _Anything:
    def __getattr__(self, _: str) -> None:
        return None
