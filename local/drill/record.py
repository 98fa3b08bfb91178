"""What a round of the drill has shown, and what of it was promised."""

from collections.abc import Sequence
from itertools import pairwise
from statistics import median
from typing import Literal

import msgspec

from local.drill.clients import Acknowledged, Event

Kind = Literal["switchover", "killed", "returning", "lagging", "frozen", "full", "cut"]
#: From the loss to the first acknowledged write, in order.
STEPS = ("detect", "decide", "promote", "redirect", "write")


class Lost(msgspec.Struct, frozen=True, kw_only=True):
    """An acknowledged write that the new leader has not."""

    key: str
    revision: int
    seconds_before: float


class Round(msgspec.Struct, kw_only=True, rename="camel"):
    """One change of the region that serves; times in seconds.

    ``steps`` are the parts of ``seconds``, which is how long no write was acknowledged: from the loss, or in a switchover from
    the last write before it, to the first one after it. ``back_seconds`` is the same of the planned way back.
    """

    kind: Kind
    to: str
    seconds: float
    steps: dict[str, float]
    #: All of the round, its load before and after included, and the load of the machine (1 minute) when it began.
    took_seconds: float = 0.0
    load_before: float = 0.0
    back_seconds: float | None = None
    #: What the command answered when it was asked too early.
    refused: list[str] = []
    acknowledged: int = 0
    failed: int = 0
    #: Acknowledged writes that are gone: of those before the loss, and of all others.
    lost: list[Lost] = []
    lost_by_plan: list[Lost] = []
    #: Seconds before the loss at which the oldest lost write was acknowledged: what was really lost of the past. Who is cut off goes
    #: on, so there it is seconds before the other one leads.
    lost_seconds: float = 0.0
    events: int = 0
    events_missed: int = 0
    events_twice: int = 0
    #: Events that were read and are not in the new past, and how often the watch said so.
    events_given_up: int = 0
    turned_back: int = 0
    #: What a reader would miss, untold, who was away from the loss until the new past was longer than the old one.
    late_misses: int = 0
    sessions_invalid: int = 0
    #: Writes that the old region was asked for once it was back, and those that it took.
    old_asked: int = 0
    old_took: int = 0

    @property
    def broken(self) -> list[str]:
        """The promises that were not kept."""
        found = {
            "a planned change lost acknowledged writes": self.lost_by_plan,
            "the old region took a write": self.old_took,
            "the old region was not tried": self.kind != "switchover" and not self.old_asked,
            "a reader of events missed some": self.events_missed,
            "a reader of events got some twice": self.events_twice,
            "a reader who came back late missed events and was not told": self.late_misses,
            "sessions were forgotten": self.sessions_invalid,
            "nothing was written": not self.acknowledged,
        }
        return [promise for promise, happened in found.items() if happened]


def lost(acknowledged: Sequence[Acknowledged], kept: Sequence[Event], gone: float) -> list[Lost]:
    """The ``acknowledged`` writes that are not among the ``kept`` events, with their age at the time ``gone``."""
    known = set(kept)
    return [
        Lost(key=one.key, revision=one.revision, seconds_before=round(max(0.0, gone - one.at), 3))
        for one in acknowledged
        if Event(revision=one.revision, subject=f"state/drill/{one.key}") not in known
    ]


def silence(acknowledged: Sequence[Acknowledged], begun: float) -> tuple[float, float]:
    """The longest time after ``begun`` in which no write was acknowledged: when it began and when it ended."""
    times = [begun, *sorted(one.at for one in acknowledged if one.at > begun)]
    return max(pairwise(times), key=lambda pair: pair[1] - pair[0])


class Summary(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """The rounds of one kind in figures; times in seconds."""

    rounds: int
    median_seconds: float
    worst_seconds: float
    median_took_seconds: float
    median_steps: dict[str, float]
    lost: int
    worst_lost_seconds: float
    median_back_seconds: float | None
    broken: list[str]


def summary(rounds: Sequence[Round]) -> Summary:
    """The figures of ``rounds``, of which there is one at least."""
    seconds = [one.seconds for one in rounds]
    back = [one.back_seconds for one in rounds if one.back_seconds is not None]
    return Summary(
        rounds=len(rounds),
        median_seconds=round(median(seconds), 3),
        worst_seconds=max(seconds),
        median_took_seconds=round(median(one.took_seconds for one in rounds), 1),
        median_steps={step: round(median(one.steps[step] for one in rounds), 3) for step in rounds[0].steps},
        lost=sum(len(one.lost) for one in rounds),
        worst_lost_seconds=max(one.lost_seconds for one in rounds),
        median_back_seconds=round(median(back), 3) if back else None,
        broken=sorted({promise for one in rounds for promise in one.broken}),
    )


class Drill(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """All rounds of one kind, under ``rate`` writes a second, with the facts of the machine."""

    machine: dict[str, float | int | None]
    kind: Kind
    rate: float
    summary: Summary
    rounds: list[Round]
