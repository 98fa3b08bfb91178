"""Cursors of listings."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.state import cursor

LISTING = ("0" * 32, "documents", "agents", "planner/", "/")
_positions = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7F), min_size=1, max_size=520)


@given(_positions)
def test_a_cursor_leads_back_to_its_position(position: str) -> None:
    assert cursor.decode(LISTING, cursor.encode(LISTING, position)) == position


@pytest.mark.parametrize("part", range(len(LISTING)))
def test_a_cursor_is_of_no_use_for_another_listing(part: int) -> None:
    other = (*LISTING[:part], "f" * 32, *LISTING[part + 1 :])
    with pytest.raises(cursor.CursorError):
        cursor.decode(other, cursor.encode(LISTING, "planner/7"))


@given(st.data())
def test_a_changed_cursor_is_none(data: st.DataObject) -> None:
    good = cursor.encode(LISTING, data.draw(_positions))
    at = data.draw(st.integers(0, len(good) - 2))
    changed = good[:at] + ("A" if good[at] != "A" else "B") + good[at + 1 :]
    with pytest.raises(cursor.CursorError):
        cursor.decode(LISTING, changed)


@given(st.text(max_size=40))
def test_what_is_no_cursor_is_refused_whatever_it_is(text: str) -> None:
    with pytest.raises(cursor.CursorError):
        cursor.decode(LISTING, text)


@pytest.mark.parametrize("position", ["", "\0", "a\nb", "é", "x" * 601])
def test_a_position_that_nobody_gave_out_is_refused_although_its_digest_is_right(position: str) -> None:
    with pytest.raises(cursor.CursorError):
        cursor.decode(LISTING, cursor.encode(LISTING, position))
