"""Preconditions in headers."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.api import preconditions
from app.api.problems import INVALID_PRECONDITION, ProblemError
from app.state.document import digest, etag


class Headers:
    def __init__(self, *items: tuple[str, str]) -> None:
        self.items = items

    def __contains__(self, key: str) -> bool:
        return any(name == key for name, _ in self.items)

    def get(self, key: str, default: str | None = None) -> str | None:
        return next((value for name, value in self.items if name == key), default)

    def get_all(self, key: str) -> list[str]:
        return [value for name, value in self.items if name == key]


@given(st.lists(st.tuples(st.integers(1, 2**63 - 1), st.binary()), min_size=1, max_size=20), st.booleans())
def test_our_own_tags_are_read_back_from_one_line_or_many(
    versions: list[tuple[int, bytes]], one_line: bool
) -> None:
    tags = [etag(revision, digest(value)) for revision, value in versions]
    lines = [", ".join(tags)] if one_line else tags
    expected = ("match", tuple(tag[1:-1] for tag in tags))
    assert preconditions.of_write(Headers(*(("if-match", line) for line in lines))) == expected


def test_nothing_said_is_no_condition() -> None:
    assert preconditions.of_write(Headers()) == ("none", ())


def test_a_star_means_exists_or_absent() -> None:
    assert preconditions.of_write(Headers(("if-match", " * "))) == ("exists", ())
    assert preconditions.of_write(Headers(("if-none-match", "*"))) == ("absent", ())


def test_last_write_wins_must_be_said_exactly() -> None:
    assert preconditions.of_write(Headers(("vanta-concurrency", "last-write-wins"))) == ("unconditional", ())
    with pytest.raises(ProblemError, match="last-write-wins"):
        preconditions.of_write(Headers(("vanta-concurrency", "yes")))


def test_a_weak_tag_matches_no_write_but_a_read() -> None:
    assert preconditions.of_write(Headers(("if-match", 'W/"1-a"'))) == ("match", ())
    assert preconditions.not_modified(Headers(("if-none-match", 'W/"1-a"')), '"1-a"')


@pytest.mark.parametrize(
    "line",
    [
        "1-a",
        '"1-a',
        '1-a"',
        '"a" "b"',
        '"a",',
        ',"a"',
        "",
        " ",
        "*, *",
        '*, "a"',
        '"a b"',
        '"é"',
        'w/"a"',
        '""a"',
    ],
)
def test_what_is_no_list_of_tags_is_refused(line: str) -> None:
    with pytest.raises(ProblemError) as refused:
        preconditions.of_write(Headers(("if-match", line)))
    assert refused.value.kind is INVALID_PRECONDITION


def test_two_conditions_at_once_are_refused() -> None:
    with pytest.raises(ProblemError, match="only one"):
        preconditions.of_write(Headers(("if-match", '"a"'), ("if-none-match", "*")))


def test_a_write_cannot_be_conditional_on_not_matching_a_tag() -> None:
    with pytest.raises(ProblemError, match="can only be"):
        preconditions.of_write(Headers(("if-none-match", '"a"')))


@given(st.text())
def test_no_header_breaks_the_parser(line: str) -> None:
    with contextlib.suppress(ProblemError):
        condition, _ = preconditions.of_write(Headers(("if-match", line)))
        assert condition in {"exists", "match"}


def test_a_read_is_not_modified_only_for_its_own_tag_or_a_star() -> None:
    assert preconditions.not_modified(Headers(("if-none-match", '"0-x", "1-a"')), '"1-a"')
    assert preconditions.not_modified(Headers(("if-none-match", "*")), '"1-a"')
    assert not preconditions.not_modified(Headers(("if-none-match", '"1-b"')), '"1-a"')
    assert not preconditions.not_modified(Headers(), '"1-a"')


def test_the_tag_of_a_version_depends_on_its_content_too() -> None:
    assert etag(5, digest(b"1")) != etag(5, digest(b"2"))
