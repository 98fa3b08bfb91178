"""What a write expects of what is there: it is refused otherwise, so no update is lost."""

from collections.abc import Mapping
from enum import Enum
from typing import Literal, NewType

#: Which version it is; opaque, quotes included.
ETag = NewType("ETag", str)


class Expect(Enum):
    """What is there, whichever version it is."""

    ABSENT = "absent"
    PRESENT = "present"
    #: Write whatever is there, lost updates included.
    ANYTHING = "anything"


#: What is expected by a write; None: absent, unless the collection's settings say otherwise.
Expected = ETag | Expect | None
#: What is expected by a deletion.
Held = ETag | Literal[Expect.PRESENT, Expect.ANYTHING] | None


def said(expected: Expected) -> Mapping[str, str]:
    """The header that says it."""
    match expected:
        case None:
            return {}
        case Expect.ABSENT:
            return {"If-None-Match": "*"}
        case Expect.PRESENT:
            return {"If-Match": "*"}
        case Expect.ANYTHING:
            return {"Vanta-Concurrency": "last-write-wins"}
        case _:
            return {"If-Match": expected}
