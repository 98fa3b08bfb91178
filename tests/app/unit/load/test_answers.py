"""What the answers of a load test amount to."""

from app.load.answers import Answer, outcome
from app.load.profile import Objectives

OBJECTIVES = Objectives(availability=0.99, read_p99_ms=10, write_p99_ms=20)


def read(due: float, seconds: float, status: int = 200, error: str = "") -> Answer:
    return Answer("read", due, seconds, status, error)


def test_the_slowest_of_a_hundred_is_not_its_p99_but_two_of_them_are() -> None:
    fast = [read(0, 0.001)] * 99
    assert outcome([*fast, read(0, 5)], OBJECTIVES).kinds["read"].p99 == 1
    assert outcome([*fast, read(0, 5), read(0, 5)], OBJECTIVES).kinds["read"].p99 == 5000


def test_a_failure_counts_and_its_time_does_not() -> None:
    found = outcome(
        [read(0, 0.001)] * 97 + [read(0, 9, 503)] * 2 + [read(0, 9, 0, "TimeoutError")], OBJECTIVES
    )
    assert (found.kinds["read"].count, found.kinds["read"].failed, found.kinds["read"].p99) == (100, 3, 1)
    assert found.failures == {"503": 2, "TimeoutError": 1}
    assert [one.name for one in found.objectives if not one.held] == ["availability"]
    assert not found.held


def test_a_refusal_is_a_failure() -> None:
    assert outcome([read(0, 0.001, 412)], OBJECTIVES).kinds["read"].failed == 1


def test_a_kind_that_was_not_asked_for_misses_nothing_and_one_that_only_failed_does() -> None:
    assert outcome([read(0, 0.001)], OBJECTIVES).held
    failed = outcome([read(0, 0.001, 500)], Objectives(availability=0))
    assert [one.name for one in failed.objectives if not one.held] == ["read p99 in ms"]


def test_nothing_sent_is_nothing_held() -> None:
    assert not outcome([], OBJECTIVES).held


def test_each_second_has_its_own_figures() -> None:
    found = outcome([read(0.2, 0.001), read(1.1, 0.004), read(1.9, 0.002, 500)], OBJECTIVES)
    assert [(s.at, s.due, s.failed, s.read_p99, s.write_p99) for s in found.seconds] == [
        (0, 1, 0, 1, None),
        (1, 2, 1, 4, None),
    ]
