"""Masking: nothing that a preview marks as secret, or that is named like one, reaches a comment.

The engine writes ``[secret]`` for every value that it knows to be secret. What is done here holds even where a provider
or a program forgot to say so.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

MASK = "[secret]"
# The key by which the engine's wire format marks a wrapped secret: sdk/go/common/resource/sig, `Key` and `Secret`.
SIGNATURE = "4dabf18193072939515e22adb298388d"
# What is shorter is a word that stands elsewhere too; its own place is masked all the same.
_SHORTEST = 6
_NAMED_SECRET = re.compile(
    r"(password|passphrase|secretstring|secretbinary|token|privatekey|apikey)(wo)?$", re.IGNORECASE
)


class Secrets:
    """The secret texts found in a preview, and how they are taken out of what is shown."""

    def __init__(self, states: Iterable[Mapping[str, Any]]) -> None:
        found: set[str] = set()
        for state in states:
            named = frozenset(state.get("additionalSecretOutputs") or ())
            for side in ("inputs", "outputs"):
                for name, value in (state.get(side) or {}).items():
                    found |= set(_texts(value) if name in named else _hidden(name, value))
        # A message may show a key line by line, or without the line break at its end.
        found |= {line.strip() for text in found for line in (text, *text.splitlines())}
        long = {text for text in found if len(text) >= _SHORTEST and text != MASK}
        # Inside another text that is JSON, such as a policy, a quote is escaped.
        long |= {json.dumps(text, ensure_ascii=False)[1:-1] for text in long}
        long |= {json.dumps(text)[1:-1] for text in long}
        self._texts = sorted(long, key=lambda text: (-len(text), text))

    def masked(self, state: Mapping[str, Any], side: str) -> dict[str, Any]:
        """The ``inputs`` or ``outputs`` of a state with every secret replaced."""
        named = state.get("additionalSecretOutputs") or ()
        return {
            name: MASK if name in named else self._value(name, value)
            for name, value in (state.get(side) or {}).items()
        }

    def value(self, value: Any) -> Any:
        """A JSON value without any of the secrets."""
        return self._value("", value)

    def text(self, text: str) -> str:
        """``text`` without any of the secrets."""
        for secret in self._texts:
            text = text.replace(secret, MASK)
        return text

    def _value(self, name: str, value: Any) -> Any:
        if _is_secret(name, value):
            return MASK
        if isinstance(value, Mapping):
            return {self.text(key): self._value(key, item) for key, item in value.items()}
        if isinstance(value, list):
            return [self._value(name, item) for item in value]
        return self.text(value) if isinstance(value, str) else value


def _is_secret(name: str, value: Any) -> bool:
    if isinstance(value, Mapping):
        return SIGNATURE in value
    return isinstance(value, str) and _NAMED_SECRET.search(name) is not None


def _hidden(name: str, value: Any) -> Iterator[str]:
    """The texts of the secrets within ``value``."""
    if _is_secret(name, value):
        yield from _texts(value)
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from _hidden(key, item)
    elif isinstance(value, list):
        for item in value:
            yield from _hidden(name, item)


def _texts(value: Any) -> Iterator[str]:
    """Every text within a secret value; a text that is JSON, such as a credential, is its parts as well."""
    if isinstance(value, Mapping):
        for key, item in value.items():
            if key != SIGNATURE:
                yield from _texts(item)
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)
    elif isinstance(value, str):
        yield value
        try:
            inner = json.loads(value)
        except ValueError:
            return
        if inner != value:
            yield from _texts(inner)
