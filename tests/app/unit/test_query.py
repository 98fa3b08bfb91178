"""What a query string may say."""

from typing import Annotated

import msgspec
import pytest

from app.api import query
from app.api.problems import ProblemError


class Listing(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    prefix: str = ""
    limit: Annotated[int, msgspec.Meta(ge=1, le=1000)] = 100
    keys_only: bool = False


def test_parameters_have_the_types_of_the_schema() -> None:
    asked = query.parse("prefix=a%2Fb+c&limit=5&keysOnly=true", Listing)
    assert asked == Listing(prefix="a/b c", limit=5, keys_only=True)


def test_nothing_asked_is_the_defaults() -> None:
    assert query.parse("", Listing) == Listing()
    assert query.parse("", None) is None


@pytest.mark.parametrize(
    "text",
    [
        "limit=0",
        "limit=1001",
        "limit=x",
        "limit=1&limit=1",
        "Limit=1",
        "keys_only=true",
        "limit",
        "prefix=%ff",
        "&".join(["limit=1"] * 17),
    ],
)
def test_what_does_not_fit_is_refused(text: str) -> None:
    with pytest.raises(ProblemError) as refused:
        query.parse(text, Listing)
    assert refused.value.kind.name == "invalid-query"


def test_a_query_that_nobody_reads_is_refused() -> None:
    with pytest.raises(ProblemError, match="leave it out"):
        query.parse("limit=1", None)
