"""Answers that come bit by bit: server-sent events, which are resumed, and lines of an export, which are counted.

Source: HTML Living Standard, "Server-sent events".
"""

from collections.abc import Callable, Generator
from dataclasses import dataclass, replace
from typing import Any, Generic, TypeVar

import httpx
import msgspec

from client.call import Call, Request
from client.flow import Chunk, Found, Step, Wait, Walk, accepted, backoff

T = TypeVar("T")

# A watch outlives a server that is being replaced: half a minute of trying.
_RECONNECTIONS = 10


@dataclass(frozen=True, kw_only=True)
class Watch(Generic[T]):
    """Server-sent events from ``call``, of whose data ``read`` makes items."""

    call: Call[None]
    read: Callable[[bytes], T]

    def walk(self, retries: int) -> Walk[T]:
        """Every event once and in order, over as many connections as it takes; it ends with a refusal, or when nobody answers."""
        request = replace(self.call.request(), stream=True)
        failures = 0
        while True:
            yield from accepted(request, retries)
            retries = _RECONNECTIONS
            seconds, heard = 1.0, False
            position, data = None, b""
            lines = _Lines()
            while (line := (yield from lines.next())) is not None:
                heard = True
                name, _, value = line.partition(b":")
                value = value.removeprefix(b" ")
                if name == b"id":
                    position = value.decode()
                elif name == b"data":
                    data += value
                elif name == b"retry" and value.isdigit():
                    seconds = int(value) / 1000
                elif not line:
                    # Only now: of an event that was cut off its id may be known and its data not.
                    if position is not None:
                        request = _after(request, position)
                    if data:
                        yield Found(self.read(data))
                    position, data = None, b""
            failures = 0 if heard else failures + 1
            if failures > _RECONNECTIONS:
                raise httpx.RemoteProtocolError("The server ends every watch before it begins.")
            yield Wait(seconds + backoff(failures) if seconds else 0.0)


class ExportLine(msgspec.Struct, frozen=True, kw_only=True):
    """A row of a table, named by ``type``."""

    type: str
    data: Any


@dataclass(frozen=True, kw_only=True)
class Export:
    """Lines of JSON, the last of which says how many stand before it."""

    call: Call[None]

    def walk(self, retries: int) -> Walk[ExportLine]:
        """Every line but the last; ``httpx.RemoteProtocolError`` if the export is not whole."""
        yield from accepted(replace(self.call.request(), stream=True), retries)
        lines, count = _Lines(), 0
        while (text := (yield from lines.next())) is not None:
            line = msgspec.json.decode(text, type=ExportLine)
            if line.type == "end":
                if line.data == count:
                    return
                break
            count += 1
            yield Found(line)
        raise httpx.RemoteProtocolError("The export ended before its last line: ask for it again.")


class _Lines:
    """Cuts chunks into lines at line feeds alone: JSON may hold what else Unicode takes for the end of a line."""

    def __init__(self) -> None:
        self._rest = b""
        self._ready: list[bytes] = []

    def next(self) -> Generator[Step, bytes | None, bytes | None]:
        """The next line, None at the end; what follows the last line feed is none."""
        while not self._ready:
            chunk = yield Chunk()
            if chunk is None:
                return None
            *lines, self._rest = (self._rest + chunk).split(b"\n")
            self._ready = lines[::-1]
        return self._ready.pop()


def _after(request: Request, event_id: str) -> Request:
    return replace(request, headers={**request.headers, "Last-Event-ID": event_id})
