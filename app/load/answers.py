"""What came back, request by request."""

from collections import Counter
from collections.abc import Sequence

import msgspec

from app.load.mix import Kind
from app.load.profile import Objectives


class Answer(msgspec.Struct, frozen=True):
    """One request: when it was ``due`` and how long after that it was answered, in seconds, and how.

    ``status`` is 0 where no answer came; ``error`` then says why.
    """

    kind: Kind
    due: float
    seconds: float
    status: int
    error: str = ""

    @property
    def good(self) -> bool:
        """Whether the client got what it asked for."""
        return 200 <= self.status < 300


class Latency(msgspec.Struct, frozen=True, kw_only=True):
    """Milliseconds of the requests of a kind that succeeded; None where there was none."""

    count: int
    failed: int
    p50: float | None
    p90: float | None
    p99: float | None
    max: float | None


class Second(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """One second of the test: requests that were due in it, those of them that failed, and the p99 in milliseconds."""

    at: int
    due: int
    failed: int
    read_p99: float | None
    write_p99: float | None


class Objective(msgspec.Struct, frozen=True, kw_only=True):
    """What was asked for, what was seen (None: nothing to measure), and whether that is good enough."""

    name: str
    asked: float
    seen: float | None
    held: bool


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """The whole test: by kind, by second, why requests failed and how often, and each objective."""

    kinds: dict[str, Latency]
    seconds: list[Second]
    failures: dict[str, int]
    objectives: list[Objective]

    @property
    def held(self) -> bool:
        """Whether every objective was."""
        return all(objective.held for objective in self.objectives)


def outcome(answers: Sequence[Answer], objectives: Objectives) -> Outcome:
    """What ``answers`` amount to."""
    kinds = {
        kind: _latency([answer for answer in answers if answer.kind == kind]) for kind in ("read", "write")
    }
    good = sum(answer.good for answer in answers)
    availability = good / len(answers) if answers else None
    return Outcome(
        kinds=kinds,
        seconds=_seconds(answers),
        failures=dict(Counter(_why(answer) for answer in answers if not answer.good).most_common()),
        objectives=[
            Objective(
                name="availability",
                asked=objectives.availability,
                seen=availability,
                held=availability is not None and availability >= objectives.availability,
            ),
            _fast("read p99", objectives.read_p99_ms, kinds["read"]),
            _fast("write p99", objectives.write_p99_ms, kinds["write"]),
        ],
    )


def _fast(name: str, asked: float, seen: Latency) -> Objective:
    """A kind that nobody asked for misses nothing; one that only failed does."""
    held = seen.p99 <= asked if seen.p99 is not None else not seen.count
    return Objective(name=f"{name} in ms", asked=asked, seen=seen.p99, held=held)


def _seconds(answers: Sequence[Answer]) -> list[Second]:
    by_second: dict[int, list[Answer]] = {}
    for answer in answers:
        by_second.setdefault(int(answer.due), []).append(answer)
    return [
        Second(
            at=at,
            due=len(some),
            failed=sum(not answer.good for answer in some),
            read_p99=_latency([answer for answer in some if answer.kind == "read"]).p99,
            write_p99=_latency([answer for answer in some if answer.kind == "write"]).p99,
        )
        for at, some in sorted(by_second.items())
    ]


def _latency(answers: Sequence[Answer]) -> Latency:
    times = sorted(answer.seconds * 1000 for answer in answers if answer.good)
    return Latency(
        count=len(answers),
        failed=len(answers) - len(times),
        p50=_percentile(times, 50),
        p90=_percentile(times, 90),
        p99=_percentile(times, 99),
        max=round(times[-1], 3) if times else None,
    )


def _percentile(rising: Sequence[float], percent: int) -> float | None:
    """The smallest value that ``percent`` of 100 do not exceed (nearest rank)."""
    return round(rising[max(0, -(-len(rising) * percent // 100) - 1)], 3) if rising else None


def _why(answer: Answer) -> str:
    return f"{answer.status}" if answer.status else answer.error
