"""What a load test sends, and what it asks for."""

from collections.abc import Iterator, Sequence
from math import sqrt

import msgspec


class Stage(msgspec.Struct, frozen=True):
    """``seconds`` in which the rate goes from where the stage before ended, evenly, to ``rate`` requests a second."""

    seconds: float
    rate: float


class Objectives(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """The share of requests that must succeed, and milliseconds in which 99 of 100 must be answered, by kind."""

    availability: float = 0.999
    read_p99_ms: float = 50.0
    write_p99_ms: float = 50.0


class Profile(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Stages one after the other; ``reads`` of all requests read, over ``documents`` of ``body_bytes`` each."""

    stages: tuple[Stage, ...]
    reads: float = 0.8
    documents: int = 1000
    body_bytes: int = 200
    connections: int = 64
    objectives: Objectives = Objectives()

    @property
    def seconds(self) -> float:
        """How long requests leave."""
        return sum(stage.seconds for stage in self.stages)


#: The mission's floors, 1000 requests a second and 1000 connections, and what is of use on the way there.
PROFILES = {
    "smoke": Profile(stages=(Stage(10, 50),)),
    "steady": Profile(stages=(Stage(5, 1000), Stage(60, 1000))),
    "ramp": Profile(stages=(Stage(60, 2000),)),
    "spike": Profile(stages=(Stage(20, 200), Stage(1, 2000), Stage(10, 2000), Stage(1, 200), Stage(20, 200))),
    "crowd": Profile(stages=(Stage(5, 2000), Stage(30, 2000)), connections=1000),
    "soak": Profile(stages=(Stage(10, 500), Stage(3600, 500))),
}


def constant(rate: float, seconds: float) -> tuple[Stage, ...]:
    """``rate`` from the first moment to the last."""
    return (Stage(0, rate), Stage(seconds, rate))


def moments(stages: Sequence[Stage]) -> Iterator[float]:
    """Seconds after the start at which the requests are due: where the integral of the rate passes a whole number."""
    begun, sent, passed, rate = 0.0, 0, 0.0, 0.0
    for stage in stages:
        slope = (stage.rate - rate) / stage.seconds if stage.seconds else 0.0
        area = (rate + stage.rate) / 2 * stage.seconds
        while sent + 1 <= passed + area + 1e-9:
            sent += 1
            yield begun + _reached(sent - passed, rate, slope)
        begun, passed, rate = begun + stage.seconds, passed + area, stage.rate


def _reached(count: float, rate: float, slope: float) -> float:
    """When ``count`` requests have left since a rate of ``rate`` began to change by ``slope`` a second."""
    if not slope:
        return count / rate
    return (sqrt(max(rate * rate + 2 * slope * count, 0.0)) - rate) / slope
