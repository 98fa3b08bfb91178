"""What a write says in a header is read, or refused."""

import pytest

from app.api import access, openapi
from app.api.problems import UNREAD_HEADER, ProblemError
from app.api.routes import ROUTES
from app.api.routes.route import Route

from .test_preconditions import Headers

WORDS = ("if-match", "if-none-match", "vanta-concurrency", "vanta-ttl", "idempotency-key")


def route(method: str, path: str) -> Route:
    return next(route for route in ROUTES if (route.method, route.path) == (method, path))


def _name(route: Route) -> str:
    return f"{route.method} {route.path}"


@pytest.mark.parametrize("route", [one for one in ROUTES if one.method not in {"GET", "HEAD"}], ids=_name)
def test_every_write_reads_or_refuses_each_word(route: Route) -> None:
    read = {header.name.lower() for header in route.headers}
    for word in WORDS:
        refused = None
        try:
            access.check_headers(Headers((word, "x"), ("accept", "*/*")), route)
        except ProblemError as error:
            refused = error.kind
        assert (refused is UNREAD_HEADER) == (word not in read)


def test_the_refusal_names_the_header_and_those_that_are_read() -> None:
    with pytest.raises(ProblemError) as refused:
        access.check_headers(Headers(("if-match", '"1-a"')), route("POST", "/v1/transactions"))
    assert refused.value.detail == "if-match means nothing here: leave it out. Read here: Idempotency-Key."


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "PATCH"])
def test_nothing_is_looked_for_on_the_way_of_documents(method: str) -> None:
    assert route(method, "/v1/state/{collection}/{+key}").unread == ()


def test_openapi_has_the_refusal_where_there_is_one() -> None:
    paths = openapi.document(ROUTES, "0")["paths"]
    for one in ROUTES:
        refusals = str(paths[one.plain_path][one.method.lower()]["responses"].get("400"))
        assert ("`unread-header`" in refusals) == bool(one.unread)
