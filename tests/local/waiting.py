"""Waiting without sleeping longer than it takes."""

import time
from collections.abc import Callable


def until(condition: Callable[[], bool], deadline: float = 30) -> None:
    """Until ``condition`` holds; fails after ``deadline`` seconds."""
    end = time.monotonic() + deadline
    while not condition():
        assert time.monotonic() < end, "the condition did not come true in time"
        time.sleep(0.02)
