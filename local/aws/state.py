"""What the emulator knows, on disk before it answers: it would itself save only when it is asked to stop."""

import json
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from local.aws.internals import STATE_DIR, format_version, json_default, loaded_states
from local.home import write

TRIES = 4


class State:
    """The last saved state of each service: a file each, in the emulator's own format, which it reads when it starts."""

    def __init__(self) -> None:
        self._saved: dict[str, str] = {}

    def save(self) -> None:
        """Write the state of every service that has changed; raises OSError when the disk does not take it."""
        for service, state in loaded_states().items():
            text = _text(service, state)
            if text is not None and self._saved.get(service) != text:
                write(Path(STATE_DIR) / f"{service}.json", text)
                self._saved[service] = text


def _text(service: str, state: Callable[[], object]) -> str | None:
    # Another thread may change a dictionary while it is read; that thread's own request saves again.
    for _ in range(TRIES - 1):
        with suppress(RuntimeError):
            return _encode(service, state())
    return _encode(service, state())


def _encode(service: str, payload: object) -> str | None:
    if payload is None:  # a service that could not be loaded: what is on disk is better than nothing
        return None
    return json.dumps(
        {"__ministack_format__": format_version(service), "payload": payload}, default=json_default
    )
