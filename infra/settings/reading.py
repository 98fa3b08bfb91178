"""From the values of a stack file to frozen dataclasses, by their types: whatever does not fit is refused with its key."""

import contextlib
import difflib
import json
import re
from collections.abc import Mapping
from dataclasses import fields
from enum import StrEnum
from typing import Any, Literal, TypeVar, get_args, get_origin, get_type_hints

from infra.refusal import SettingsError, refusal

NAMESPACE = "vanta"

_T = TypeVar("_T")


def read(group: type[_T], given: Mapping[str, Any]) -> _T:
    """``given`` as the dataclass ``group``, whose fields are values or groups of values; a group may come as JSON text.

    Raises:
        SettingsError: a key is unknown or missing, or a value is not of its field's type.
    """
    return _read(group, given, (), known_keys(group))


def known_keys(group: type) -> dict[str, type]:
    """Every key of ``group`` (``database.readers``) and the type of its value."""
    return dict(_leaves(group, ()))


def key_of(field: str) -> str:
    """``backup_retention_days`` as it is spelt in configuration: ``backupRetentionDays``."""
    head, *tail = field.split("_")
    return head + "".join(word.capitalize() for word in tail)


def _leaves(group: type, path: tuple[str, ...]) -> list[tuple[str, type]]:
    found: list[tuple[str, type]] = []
    for field, kind in get_type_hints(group).items():
        here = (*path, key_of(field))
        found += _leaves(kind, here) if _is_group(kind) else [(".".join(here), kind)]
    return found


def _is_group(kind: type) -> bool:
    return hasattr(kind, "__dataclass_fields__")


def _read(group: type[_T], given: Mapping[str, Any], path: tuple[str, ...], known: Mapping[str, type]) -> _T:
    kinds = get_type_hints(group)
    names = {key_of(field.name): field.name for field in fields(group)}  # ty: ignore[invalid-argument-type]  # only ever called with the dataclasses above
    for key in given:
        if key not in names:
            raise _unknown((*path, key), given[key], known)
    values: dict[str, Any] = {}
    for key, field in names.items():
        here = (*path, key)
        if key not in given:
            raise SettingsError(
                f"{NAMESPACE}:{'.'.join(here)} has no value. Run the program from the folder of Pulumi.yaml, "
                f"which has its default, or set it with `pulumi config set --path {'.'.join(here)} VALUE`."
            )
        kind = kinds[field]
        values[field] = (
            _read(kind, _mapping(here, given[key]), here, known)
            if _is_group(kind)
            else _value(here, kind, given[key])
        )
    return group(**values)


def _mapping(path: tuple[str, ...], value: object) -> Mapping[str, Any]:
    if isinstance(value, str):
        # What is no JSON is refused below, in the same words as any other value that is not a mapping.
        with contextlib.suppress(ValueError):
            value = json.loads(value)
    if not isinstance(value, Mapping):
        raise refusal(
            ".".join(path), value, "but holds a group of keys", f"Write its keys below {NAMESPACE}:{path[-1]}"
        )
    return value


def _value(path: tuple[str, ...], kind: Any, value: object) -> Any:
    key = ".".join(path)
    choices = (
        get_args(kind) if get_origin(kind) is Literal else tuple(kind) if issubclass(kind, StrEnum) else ()
    )
    if choices:
        if value in choices:
            return choices[choices.index(value)]
        raise refusal(key, value, "which is none of its values", f"Use {' or '.join(choices)}")
    if kind is bool:
        if str(value).lower() in ("true", "false"):
            return str(value).lower() == "true"
        raise refusal(key, value, "but must be a boolean", "Use true or false")
    if kind is int:
        if not isinstance(value, bool) and re.fullmatch(r"-?[0-9]{1,9}", str(value)):
            return int(str(value))
        raise refusal(key, value, "but must be a whole number", "Write it with digits only")
    if isinstance(value, str):
        return value
    if isinstance(value, int | float) and not isinstance(value, bool):
        raise refusal(key, value, "but must be text", f'Put it in quotes: "{value}"')
    raise refusal(key, value, "but must be text", "Write a string")


def _unknown(path: tuple[str, ...], value: object, known: Mapping[str, type]) -> SettingsError:
    key = ".".join(path)
    if key in known:
        room, leaf = key.split(".")
        return refusal(key, value, "but is written as one flat key", f"Write {leaf} below {NAMESPACE}:{room}")
    rooms = {each.split(".")[0] for each in known}
    close = difflib.get_close_matches(key, [*known, *sorted(rooms)], n=1)
    remedy = (
        f"Did you mean {NAMESPACE}:{close[0]}?"
        if close
        else "Remove it; docs/reference/configuration.md lists all keys"
    )
    return refusal(key, value, "but no such key exists", remedy)
