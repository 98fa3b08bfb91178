"""What clients did and what they were told: the record that is checked."""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

Method = Literal["GET", "PUT", "DELETE"]
#: What a write expects: nothing to be there, a certain version, any, whatever there is, or it does not say.
Condition = Literal["absent", "match", "exists", "whatever", "unsaid"]


@dataclass(kw_only=True)
class Operation:
    """One request; times are nanoseconds of the recorder's monotonic clock.

    ``returned`` is None while its outcome is not known, and stays so when it never was: no answer, or 503 to a write.
    """

    id: int
    method: Method
    key: str
    invoked: int
    condition: Condition = "unsaid"
    expected: str | None = None
    api: int = 0
    status: int | None = None
    etag: str | None = None
    #: The operation that wrote what a GET returned, by the document's own word.
    written_by: int | None = None
    returned: int | None = None

    @property
    def traceparent(self) -> str:
        """What the event of this write will carry, so that it can be told who wrote a version."""
        return f"00-{self.id + 1:032x}-{1:016x}-01"

    @property
    def acknowledged(self) -> bool:
        """Whether the client was told that the write is done."""
        return self.method != "GET" and self.status in {200, 201, 204}


@dataclass(frozen=True, kw_only=True)
class Version:
    """One write as the outbox has it; ``etag`` None: a deletion."""

    revision: int
    key: str
    etag: str | None
    operation: int


def save(path: Path, operations: Iterable[Operation], versions: Iterable[Version]) -> None:
    """Write a history to ``path``, one JSON object a line: operations first, then what the outbox has."""
    rows = [asdict(row) for row in (*operations, *versions)]
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows))


def load(path: Path) -> tuple[list[Operation], list[Version]]:
    """What :func:`save` wrote."""
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    return (
        [Operation(**row) for row in rows if "id" in row],
        [Version(**row) for row in rows if "revision" in row],
    )
