"""The reference documents say what the code does, no more and no less."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openapi_spec_validator import validate
from prometheus_client.metrics import MetricWrapperBase

from app import metrics
from app.api import openapi, problems
from app.api.routes import ROUTES
from app.secrets.secret import Change
from app.settings import Settings, SettingsError
from app.tenancy.export import EXPORTED

ROOT = Path(__file__).parents[3]
REFERENCE = ROOT / "docs" / "reference"


def _table(name: str) -> list[list[str]]:
    rows = [line for line in (REFERENCE / name).read_text().splitlines() if line.startswith("| `")]
    return [[cell.strip().strip("`") for cell in row.strip("|").split("|")] for row in rows]


def test_every_type_of_event_is_documented_and_every_documented_type_exists() -> None:
    sources = [*(ROOT / "app/db/migrations/functions").glob("*.sql"), ROOT / "app/api/webhooks.py"]
    named = {
        name
        for source in sources
        for name in re.findall(r"""['"](vanta\.[a-z]+\.[a-z.]*)['"]""", source.read_text())
    }
    # What a change made of it comes after the dot: app/db/migrations/functions says it in its own words.
    built = {
        "vanta.state.document.": {"created", "replaced", "deleted"},
        "vanta.secret.": {"created", "replaced", *get_args(Change)},
        "vanta.session.": {"created", "extended", "revoked"},
    }
    assert {name for name in named if name.endswith(".")} == {*built}
    emitted = {name for name in named if not name.endswith(".")}
    emitted |= {start + end for start, ends in built.items() for end in ends}
    assert {row[0] for row in _table("events.md")} == emitted


def test_every_type_of_line_of_an_export_is_documented() -> None:
    section = (REFERENCE / "api.md").read_text().split("| types of lines |")[1].split("\n\n")[0]
    rows = [row.split("|")[1].strip() for row in section.splitlines()[2:]]
    assert {name for row in rows for name in row.split(", ")} == {"tenant", *EXPORTED}


@pytest.mark.parametrize(
    "document", [ROOT / "README.md", *sorted(REFERENCE.glob("*.md"))], ids=lambda path: path.name
)
def test_no_document_installs_a_package_of_our_name_that_is_not_ours(document: Path) -> None:
    assert not re.search(r"pip install [^/\n]*vanta", document.read_text())


class _Environment(Mapping[str, str]):
    """Knows what it was asked for."""

    def __init__(self, content: dict[str, str]) -> None:
        self._content = content
        self.asked: set[str] = set()

    def __getitem__(self, name: str) -> str:
        self.asked.add(name)
        return self._content[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._content)

    def __len__(self) -> int:
        return len(self._content)


def test_every_setting_is_documented_with_its_default_and_values(tmp_path: Path) -> None:
    rows = [row for row in _table("settings.md") if row[0].startswith("VANTA_")]
    least = {
        "VANTA_SECRETS_DIR": str(tmp_path),
        **{f"VANTA_{engine}_HOST": "h" for engine in ("DATABASE", "CACHE")},
        **{f"VANTA_{engine}_PORT": "1" for engine in ("DATABASE", "CACHE")},
        "VANTA_DATABASE_NAME": "vanta",
    }
    environment = _Environment(least)
    settings = Settings.from_environment(environment)
    assert {row[0] for row in rows} == environment.asked
    for name, default, values, _ in rows:
        if default:
            assert Settings.from_environment({**least, name: default}) == settings, name
        else:
            assert name in least or name.endswith(("_CA", "_ARN")), f"{name} has a default"
        if values.startswith(("a whole number", "one of")):
            with pytest.raises(SettingsError, match=re.escape(values)):
                Settings.from_environment({**least, name: "wrong"})


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
    of_routes = {kind.name for route in ROUTES for kind in route.refusals}
    assert set(problems.ALL) - of_routes == {"no-route", "method-not-allowed"}


def test_the_openapi_document_is_valid() -> None:
    validate(openapi.document(ROUTES, "1.0.0"))


def test_the_openapi_document_has_every_route_with_its_statuses() -> None:
    paths = openapi.document(ROUTES, "1.0.0")["paths"]
    for route in ROUTES:
        operation = paths[route.plain_path][route.method.lower()]
        expected = {*route.answers, *(kind.status for kind in route.refusals)}
        assert {int(status) for status in operation["responses"]} == expected
        assert ("security" in operation) == bool(route.verb)


def test_operation_ids_are_unique() -> None:
    paths = openapi.document(ROUTES, "1.0.0")["paths"]
    ids = [operation["operationId"] for path in paths.values() for operation in path.values()]
    assert len(ids) == len(set(ids))


def test_problem_names_are_lower_case_words() -> None:
    assert all(re.fullmatch(r"[a-z]+(-[a-z]+)*", name) for name in problems.ALL)
