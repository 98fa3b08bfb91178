"""Moments, as bodies show them."""

from datetime import UTC, datetime
from typing import overload


@overload
def utc(milliseconds: int) -> datetime: ...


@overload
def utc(milliseconds: None) -> None: ...


def utc(milliseconds: int | None) -> datetime | None:
    """Unix milliseconds as a moment in UTC."""
    return None if milliseconds is None else datetime.fromtimestamp(milliseconds / 1000, UTC)
