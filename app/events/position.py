"""Where somebody is in the events of a tenant: after the event of a revision, which its time tells from any other.

A recovery that lost events counts on from what it has, so a revision may come twice, with another event. No clock is in the same
microsecond twice, so with its time a position says which of the two was read (docs/adr/0034-positions.md).
"""

from datetime import UTC, datetime, timedelta
from typing import NamedTuple

#: What one looks like; a revision alone is taken too, for nobody has to have read an event to know one.
PATTERN = r"[0-9]{1,18}(-[0-9]{1,18})?"

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class Position(NamedTuple):
    """After the event of ``revision`` at ``time``, in microseconds since 1970; a ``time`` of None is not known."""

    revision: int
    time: int | None = None

    def __str__(self) -> str:
        return f"{self.revision}" if self.time is None else f"{self.revision}-{self.time}"


def parse(text: str) -> Position:
    """The position that ``text``, of :data:`PATTERN`, is."""
    revision, _, time = text.partition("-")
    return Position(int(revision), int(time) if time else None)


def microseconds(time: datetime) -> int:
    """The time of a position."""
    return (time - _EPOCH) // _MICROSECOND
