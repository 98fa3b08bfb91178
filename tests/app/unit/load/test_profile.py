"""When requests are due."""

from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.load.profile import PROFILES, Stage, constant, moments

stages = st.lists(
    st.builds(
        Stage, st.floats(0, 20).map(lambda s: round(s, 2)), st.floats(0, 100).map(lambda r: round(r, 1))
    ),
    max_size=5,
)


def area(planned: list[Stage]) -> float:
    rates = [0.0, *(stage.rate for stage in planned)]
    return sum((a + b) / 2 * stage.seconds for (a, b), stage in zip(pairwise(rates), planned, strict=True))


@given(stages)
def test_as_many_requests_are_due_as_the_rates_add_up_to(planned: list[Stage]) -> None:
    assert abs(len(list(moments(planned))) - area(planned)) <= 1


@given(stages)
def test_they_are_due_one_after_the_other_and_within_the_test(planned: list[Stage]) -> None:
    due = [0.0, *moments(planned), sum(stage.seconds for stage in planned)]
    assert all(earlier <= later + 1e-6 for earlier, later in pairwise(due))


def test_a_constant_rate_is_evenly_spread() -> None:
    assert list(moments(constant(4, 1))) == pytest.approx([0.25, 0.5, 0.75, 1.0])


def test_a_ramp_sends_half_of_what_its_end_would() -> None:
    due = list(moments([Stage(10, 20)]))
    assert len(due) == 100
    assert sum(moment <= 5 for moment in due) == 25


def test_the_profiles_that_load_the_most_reach_the_missions_floors() -> None:
    assert max(stage.rate for stage in PROFILES["steady"].stages) >= 1000
    assert PROFILES["crowd"].connections >= 1000


def test_every_profile_is_described() -> None:
    reference = Path(__file__).parents[4] / "docs" / "reference" / "load.md"
    rows = [line.split("`")[1] for line in reference.read_text().splitlines() if line.startswith("| `")]
    assert rows == list(PROFILES)
