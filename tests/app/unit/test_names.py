"""Names of documents."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.state import names


def test_who_has_another_key_is_told_what_to_do() -> None:
    assert "encode anything else, for example as base64url" in (names.key_error("a b") or "")


@pytest.mark.parametrize(
    "key", ["a", "planner/7", "user@example.com", "a.b/..c/d..", "A~!$&'()*+,;=:@-_", "x" * 512]
)
def test_a_key_may_have_segments_and_all_that_a_path_allows(key: str) -> None:
    assert names.key_error(key) is None


@pytest.mark.parametrize(
    "key",
    [
        "",
        "/",
        "/a",
        "a/",
        "a//b",
        ".",
        "..",
        "a/./b",
        "a/../b",
        "../a",
        "a b",
        "a%41",
        "é",
        "a\0",
        "a\n",
        "a\\b",
        "a?b",
        "x" * 513,
    ],
)
def test_a_key_that_a_proxy_could_change_or_nobody_could_type_is_refused(key: str) -> None:
    assert names.key_error(key)


@pytest.mark.parametrize("name", ["a", "0", "agent-state.v1_x", "a" * 63])
def test_a_collection_is_a_short_lower_case_word(name: str) -> None:
    assert names.collection_error(name) is None


@pytest.mark.parametrize("name", ["", "A", "-a", ".a", "a/b", "a b", "é", "a\n", "a" * 64])
def test_other_collections_are_refused(name: str) -> None:
    assert names.collection_error(name)


@given(st.text(max_size=40))
def test_the_published_pattern_admits_no_key_that_is_refused_but_for_dots_and_length(key: str) -> None:
    published = re.search(names.KEY_PATTERN, key) is not None
    dots = any(segment in {".", ".."} for segment in key.split("/"))
    assert (names.key_error(key) is None) == (published and not dots)
