"""Names of agents, threads and checkpoints, and how a client makes one of any text."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.agents import names
from client.langgraph import wire


@given(text=st.text(min_size=1, max_size=40))
def test_any_text_is_a_thread_and_comes_back(text: str) -> None:
    name = wire.escape(text)
    assert names.thread_error(name) is None
    assert wire.unescape(name) == text


@given(one=st.text(max_size=10), other=st.text(max_size=10))
def test_two_texts_are_two_threads(one: str, other: str) -> None:
    assert (wire.escape(one) == wire.escape(other)) == (one == other)


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "a b", "é", "a%20", "x" * 513, "a\n"])
def test_what_a_url_could_change_is_no_thread(name: str) -> None:
    assert names.thread_error(name)


@pytest.mark.parametrize("name", ["", ".", "-a", "~", "a/b", "x" * 129, "é", "a\n"])
def test_agents_and_checkpoints_begin_with_a_letter_or_digit(name: str) -> None:
    assert names.agent_error(name)
    assert names.checkpoint_error(name)


def test_a_uuid_names_anything() -> None:
    name = "1f0c8a52-6d1e-6f00-8001-3c2f5a7b9d11"
    assert [names.agent_error(name), names.thread_error(name), names.checkpoint_error(name)] == [None] * 3


@pytest.mark.parametrize("text", ["a\0", "a\n", "\x7f"])
def test_a_namespace_has_no_control_characters(text: str) -> None:
    assert not re.search(names.TEXT_PATTERN, text)
