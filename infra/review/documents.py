"""Documents within a property, such as policies: judged place by place, not as one text of two thousand letters."""

import json
from collections.abc import Iterator, Mapping
from typing import Any


def leaves(value: Any) -> dict[str, Any] | None:
    """From place to value, ``{".Statement[ReadIt].Effect": "Allow"}``, of a text that is a JSON document; None if it is none.

    A list of plain values is one leaf. Statements are told apart by their ``Sid``: a new one in between moves no other.
    """
    if not isinstance(value, str) or not value.startswith(("{", "[")):
        return None
    try:
        return dict(_leaves("", json.loads(value)))
    except (ValueError, RecursionError):
        return None


def _leaves(place: str, value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping) and value:
        for key, item in value.items():
            yield from _leaves(f"{place}.{key}", item)
    elif isinstance(value, list) and any(isinstance(item, Mapping | list) for item in value):
        for key, item in zip(_keys(value), value, strict=True):
            yield from _leaves(f"{place}[{key}]", item)
    else:
        yield place, value


def _keys(items: list[Any]) -> list[str]:
    named = [str(item.get("Sid", "")) if isinstance(item, Mapping) else "" for item in items]
    return named if all(named) and len(set(named)) == len(named) else [str(at) for at in range(len(items))]
