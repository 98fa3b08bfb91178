"""What is shown where nobody watches a terminal."""

import pytest

from local.console import Console


def test_a_step_ends_with_one_line_that_says_its_outcome_and_time(capsys: pytest.CaptureFixture[str]) -> None:
    with Console().step("migrate") as step:
        step.report("0001", 1, 3)
        step.outcome = "3 migrations"
    shown = capsys.readouterr().err
    assert len(shown.splitlines()) == 1
    assert shown.startswith("✓ migrate")
    assert " s   3 migrations" in shown
    assert "\x1b" not in shown


def test_a_failed_step_says_so_and_the_error_goes_on(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ValueError, match="why"), Console().step("migrate"):
        raise ValueError("why")
    assert capsys.readouterr().err.startswith("✗ migrate")


def test_a_long_step_tells_a_log_each_quarter(capsys: pytest.CaptureFixture[str]) -> None:
    with Console().step("engine") as step:
        for done in range(1, 2001):
            step.report("compiling", done, 2000)
    shown = capsys.readouterr().err.splitlines()
    assert shown[:4] == [f"  engine: compiling, {percent} %" for percent in (25, 50, 75, 100)]
    assert len(shown) == 5
