"""What differs between two sets of properties, by property path."""

from typing import Any

from local.provider.values import Properties


def differences(old: Properties, new: Properties, prefix: str = "") -> dict[str, str]:
    """Paths (``rules[0].status``) that differ, each with ADD, DELETE or UPDATE."""
    found: dict[str, str] = {}
    for name in sorted(old.keys() | new.keys()):
        path = f"{prefix}{name}"
        if name not in old:
            found[path] = "ADD"
        elif name not in new:
            found[path] = "DELETE"
        else:
            found |= _of_value(old[name], new[name], path)
    return found


def _of_value(old: Any, new: Any, path: str) -> dict[str, str]:
    if isinstance(old, dict) and isinstance(new, dict):
        return differences(old, new, f"{path}.")
    if isinstance(old, list) and isinstance(new, list):
        return differences(_by_index(old), _by_index(new), path)
    return {} if old == new else {path: "UPDATE"}


def _by_index(items: list[Any]) -> Properties:
    return {f"[{i}]": item for i, item in enumerate(items)}
