"""What a run changes: read, compared, and written only where it differs."""

import json
from collections.abc import Callable
from typing import Any, TypeVar

T = TypeVar("T")


class Ledger:
    """The changes of one run in their order; ``dry_run`` tells them without making them.

    Args:
        tell: called with a line a step and a line a change, as they happen.
    """

    def __init__(self, *, dry_run: bool, tell: Callable[[str], None]) -> None:
        self.changes: list[str] = []
        self.dry_run = dry_run
        self.step = ""
        self._tell = tell

    def begin(self, step: str) -> None:
        """Name what comes next; errors name it too."""
        self.step = step
        self._tell(step)

    def change(self, what: str, make: Callable[[], T]) -> T | None:
        """Make one change and answer with what AWS said of it; None in a dry run."""
        self.changes.append(f"{self.step}: {what}")
        self._tell(f"  {'would ' if self.dry_run else ''}{what}")
        return None if self.dry_run else make()

    def settle(self, what: str, *, current: Any, wanted: Any, write: Callable[[], object]) -> None:
        """Write ``wanted`` where ``current`` (None: there is nothing) does not have it already."""
        if not has(current, wanted):
            self.change(f"{'set' if current is None else 'mend'} {what}", write)


def has(current: Any, wanted: Any) -> bool:
    """Whether everything in ``wanted`` stands in ``current``; AWS may add keys of its own to a mapping, not items to a list."""
    if isinstance(wanted, dict):
        return isinstance(current, dict) and all(
            has(current.get(key), value) for key, value in wanted.items()
        )
    if isinstance(wanted, list):
        return (
            isinstance(current, list)
            and len(current) == len(wanted)
            and all(has(now, then) for now, then in zip(current, wanted, strict=True))
        )
    return bool(current == wanted)


def canonical(policy: str | dict[str, Any] | None) -> Any:
    """A policy document for comparison: AWS returns lists in another order, and a list of one as its item."""
    document = json.loads(policy) if isinstance(policy, str) else policy
    return _canonical(document, "")


def _canonical(value: Any, key: str) -> Any:
    if isinstance(value, dict):
        return {name: _canonical(inner, name) for name, inner in value.items()}
    if isinstance(value, list):
        items = [_canonical(item, key) for item in value]
        if key == "Statement":
            return items
        return items[0] if len(items) == 1 else sorted(items)
    return value
