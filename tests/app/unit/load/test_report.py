"""The report of a load test."""

from pathlib import Path

from app.load.answers import Answer, outcome
from app.load.chart import chart
from app.load.profile import Profile, constant
from app.load.report import report

GOLDEN = Path(__file__).parent / "golden.html"
PROFILE = Profile(stages=constant(10, 6))


def drawn() -> str:
    """A test of six seconds in the fourth of which nobody answered."""
    answers = [
        Answer("read" if n % 5 else "write", n / 10, (n % 7 + 1) / 1000, 200)
        if n // 10 != 3
        else Answer("read", n / 10, 1, 0, "ClientConnectorError")
        for n in range(60)
    ]
    return report(
        "http://api.example:8080", "2026-01-31 12:00:00 UTC", PROFILE, outcome(answers, PROFILE.objectives)
    )


def test_the_report_is_as_it_was_looked_at() -> None:
    """Write it anew with `python tests/app/unit/load/test_report.py`, and look at it in a browser."""
    assert drawn() == GOLDEN.read_text(encoding="utf-8")


def test_a_second_without_a_value_is_a_gap_and_not_a_nought() -> None:
    assert chart("t", "ms", {"p99": [(0, 1.0), (1, None), (2, 3.0)]}).count("<polyline") == 2


def test_what_stands_in_the_report_is_text() -> None:
    answers = [Answer("read", 0, 1, 0, "<script>")]
    page = report("http://<b>", "now", PROFILE, outcome(answers, PROFILE.objectives))
    assert "<script>" not in page
    assert "<b>" not in page


if __name__ == "__main__":
    GOLDEN.write_text(drawn(), encoding="utf-8")
