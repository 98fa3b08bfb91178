"""Which bodies are documents: I-JSON (RFC 7493), not nested too deep, without NUL.

So every document means the same to every reader, survives ``value::jsonb`` in PostgreSQL, and round-trips.
"""

import json
from typing import Any

import msgspec

MAX_BYTES = 1024 * 1024
MAX_DEPTH = 64

_decoder = msgspec.json.Decoder()


class MalformedError(Exception):
    """The body is not JSON in UTF-8."""


class UnacceptableError(Exception):
    """The body is JSON but not a document; the message says why."""


def check(body: bytes) -> str:
    """``body`` as text if it is a document; raises :class:`MalformedError` or :class:`UnacceptableError`.

    Neither message quotes the body.
    """
    try:
        text = body.decode("utf-8")
        value = _decoder.decode(body)
    except UnicodeDecodeError as error:
        raise MalformedError(f"The body is not UTF-8: byte {error.start} is wrong.") from None
    except RecursionError:
        raise UnacceptableError(f"The document is nested deeper than {MAX_DEPTH} levels.") from None
    except msgspec.ValidationError:
        # The one thing it refuses of valid JSON when no type is asked for.
        raise UnacceptableError("A number is beyond the range of a 64-bit float.") from None
    except msgspec.DecodeError as error:
        if b"\\u" in body and _has_lone_surrogate(body.decode()):
            raise UnacceptableError(
                "A string contains half of a surrogate pair (\\ud800 to \\udfff)."
            ) from None
        raise MalformedError(f"The body is not JSON: {error}.") from None
    members = _measure(value)
    # As many colons as members: no member was dropped as a duplicate. Colons in strings need the slower look.
    if body.count(b":") != members:
        json.loads(text, object_pairs_hook=_refuse_duplicates)
    if b"\\u0000" in body and _has_nul(value):
        raise UnacceptableError("A string contains NUL (\\u0000).")
    return text


def _measure(value: Any) -> int:
    """How many members its objects have in all; refuses what is nested deeper than :data:`MAX_DEPTH`."""
    members = depth = 0
    level = [value]
    while level:
        below: list[Any] = []
        for one in level:
            if type(one) is dict:
                members += len(one)
                below.extend(one.values())
            elif type(one) is list:
                below.extend(one)
        if below:
            depth += 1
            if depth > MAX_DEPTH:
                raise UnacceptableError(f"The document is nested deeper than {MAX_DEPTH} levels.")
        level = below
    return members


def _refuse_duplicates(pairs: list[tuple[str, Any]]) -> None:
    if len({name for name, _ in pairs}) != len(pairs):
        raise UnacceptableError("An object has two members of the same name.")


def _has_lone_surrogate(text: str) -> bool:
    """Whether that is all that keeps ``text`` from being JSON: the message of the decoder does not tell it from a cut."""
    try:
        value = json.loads(text, parse_constant=_refuse_constant)
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return True
    except (ValueError, RecursionError):
        return False
    return False


def _refuse_constant(name: str) -> None:
    raise ValueError(name)


def _has_nul(value: Any) -> bool:
    if isinstance(value, str):
        return "\0" in value
    if isinstance(value, dict):
        return any("\0" in name or _has_nul(below) for name, below in value.items())
    return isinstance(value, list) and any(_has_nul(below) for below in value)
