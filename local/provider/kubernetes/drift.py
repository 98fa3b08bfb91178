"""What of a manifest an object still has: its own values where they differ, however the API server spells and fills them."""

from decimal import Decimal, InvalidOperation
from typing import Any

from kubernetes.utils.quantity import parse_quantity

from local.provider.values import Properties

# Written and never read back: the API server moves it into ``data``.
_WRITE_ONLY = {"stringData"}


def observed(inputs: Properties, found: Properties) -> Properties:
    """``inputs`` with the values of ``found``; what the program does not say is left to the cluster."""
    return {
        name: value if name in _WRITE_ONLY else _observed(value, found.get(name))
        for name, value in inputs.items()
        if name in found or not _says_something(name, value)
    }


def _says_something(name: str, value: Any) -> bool:
    """Whether an absent field is drift: the API server leaves out what is empty."""
    return name not in _WRITE_ONLY and value not in ("", 0, False, None, [], {})


def _observed(value: Any, found: Any) -> Any:
    if found is None:
        return value
    if isinstance(value, dict) and isinstance(found, dict):
        return observed(value, found)
    if isinstance(value, list) and isinstance(found, list):
        return _items(value, found)
    return value if value == found or _same_quantity(value, found) else found


def _items(value: list[Any], found: list[Any]) -> list[Any]:
    """Items by name where they have one, so that what others put in between is not ours; else by place."""
    if all(isinstance(item, dict) and "name" in item for item in value + found):
        there = {item["name"]: item for item in found}
        return [observed(item, there[item["name"]]) for item in value if item["name"] in there]
    if len(value) != len(found):
        return found
    return [_observed(item, other) for item, other in zip(value, found, strict=True)]


def _same_quantity(value: Any, found: Any) -> bool:
    """Whether both are one amount: the API server writes 1000m as 1."""
    amount = _amount(value)
    return amount is not None and amount == _amount(found)


def _amount(value: Any) -> Decimal | None:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    try:
        return parse_quantity(value)
    except (InvalidOperation, ValueError):
        return None
