"""The reference documents say what the code does, no more and no less."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openapi_spec_validator import validate
from prometheus_client.metrics import MetricWrapperBase

from app import metrics
from app.api import openapi, problems
from app.api.routes import ROUTES

REFERENCE = Path(__file__).parents[3] / "docs" / "reference"


def _table(name: str) -> list[list[str]]:
    rows = [line for line in (REFERENCE / name).read_text().splitlines() if line.startswith("| `")]
    return [[cell.strip().strip("`") for cell in row.strip("|").split("|")] for row in rows]


def test_every_problem_is_documented_and_every_documented_problem_exists() -> None:
    documented = {row[0]: int(row[1]) for row in _table("errors.md")}
    assert documented == {kind.uri: kind.status for kind in problems.ALL.values()}


def test_every_metric_is_documented_and_every_documented_metric_exists() -> None:
    documented = {
        row[0]: (row[1], [label for label in row[2].split(", ") if label]) for row in _table("metrics.md")
    }
    collected = [metric for metric in vars(metrics).values() if isinstance(metric, MetricWrapperBase)]
    described = [family for metric in collected for family in metric.describe()]
    labels = {metric.describe()[0].name: list(metric._labelnames) for metric in collected}  # noqa: SLF001 - no other way to ask
    names = {
        family.name: family.name + ("_total" if family.type == "counter" else "") for family in described
    }
    assert documented == {names[family.name]: (family.type, labels[family.name]) for family in described}


def _patterns(schema: object) -> Iterator[str]:
    """Every pattern in a JSON-like value."""
    if isinstance(schema, dict):
        if isinstance(pattern := schema.get("pattern"), str):
            yield pattern
        for value in schema.values():
            yield from _patterns(value)
    elif isinstance(schema, list):
        for value in schema:
            yield from _patterns(value)


@pytest.mark.parametrize("pattern", sorted({*_patterns(openapi.document(ROUTES, "0"))}))
@settings(max_examples=10)
@given(data=st.data())
def test_no_pattern_lets_a_newline_follow_that_it_does_not_name(pattern: str, data: st.DataObject) -> None:
    text = data.draw(st.from_regex(pattern, fullmatch=True)) + "\n"
    # What validates bodies searches, and Python's $ matches before a newline at the end.
    assert (re.search(pattern, text) is None) == (re.fullmatch(pattern, text) is None)


def test_every_route_is_documented_and_every_documented_route_exists() -> None:
    documented = {tuple(row[0].split(" ", 1)) for row in _table("api.md") if row[0].split(" ")[0].isupper()}
    assert documented == {(route.method, route.plain_path) for route in ROUTES}


def test_every_header_of_a_route_is_documented() -> None:
    text = (REFERENCE / "api.md").read_text()
    for route in ROUTES:
        for header in [
            *route.headers,
            *(header for answer in route.answers.values() for header in answer.headers),
        ]:
            assert f"`{header.name}" in text, header.name


def test_every_problem_belongs_to_a_route_but_those_before_routing() -> None:
    of_routes = {kind.name for route in ROUTES for kind in route.problems}
    assert set(problems.ALL) - of_routes == {"no-route", "method-not-allowed"}


def test_the_openapi_document_is_valid() -> None:
    validate(openapi.document(ROUTES, "1.0.0"))


def test_the_openapi_document_has_every_route_with_its_statuses() -> None:
    paths = openapi.document(ROUTES, "1.0.0")["paths"]
    for route in ROUTES:
        operation = paths[route.plain_path][route.method.lower()]
        expected = {*route.answers, *(kind.status for kind in route.problems)}
        assert {int(status) for status in operation["responses"]} == expected
        assert ("security" in operation) == bool(route.verb)


def test_operation_ids_are_unique() -> None:
    paths = openapi.document(ROUTES, "1.0.0")["paths"]
    ids = [operation["operationId"] for path in paths.values() for operation in path.values()]
    assert len(ids) == len(set(ids))


def test_problem_names_are_lower_case_words() -> None:
    assert all(re.fullmatch(r"[a-z]+(-[a-z]+)*", name) for name in problems.ALL)
