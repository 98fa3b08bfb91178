"""Between Pulumi properties and AWS API parameters, guided by botocore's service models.

Both sides name the same things, in lowerCamelCase here and in the API's own spelling there, so most properties find their parameter by
comparing letters. What differs is said in the table (``names``). Every enumeration, length and range that the service model states is
checked, because an emulator does not.
"""

import functools
import re
from collections.abc import Iterator, Mapping
from typing import Any

from botocore.model import ListShape, MapShape, OperationModel, Shape, StructureShape

from local.provider.values import UNKNOWN, Properties

_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?")


class TranslationError(Exception):
    """A property has no counterpart in the API, or a value that the service model refuses."""


@functools.cache
def letters(name: str) -> str:
    """What two spellings of one name have in common: ``kmsKeyId`` and ``KMSKeyId`` are both ``kmskeyid``."""
    return re.sub(r"[^a-z0-9]", "", name.lower())


def member(shape: Shape, name: str) -> str | None:
    """The member of ``shape`` that ``name`` spells, or None."""
    return _members(shape).get(letters(name)) if isinstance(shape, StructureShape) else None


@functools.cache
def _members(shape: StructureShape) -> Mapping[str, str]:
    """The members of ``shape`` by their letters; where two have the same ones, the first."""
    return {letters(name): name for name in reversed(shape.members)}


def parameters(operation: OperationModel, properties: Properties, names: Mapping[str, str]) -> dict[str, Any]:
    """The parameters of ``operation`` that ``properties`` give; those it has no parameter for are left out.

    ``names`` maps a property to its parameter's path (``LifecycleConfiguration.Rules``; a trailing ``[]`` wraps the value in a list).

    Raises:
        TranslationError: a nested property has no counterpart, or the service model refuses a value.
    """
    result: dict[str, Any] = {}
    for name, value in properties.items():
        path = taken(operation, name, names)
        if path is not None and value is not None and value != UNKNOWN:
            _place(result, path, operation.input_shape, value, name, names)
    return result


def taken(operation: OperationModel, name: str, names: Mapping[str, str]) -> str | None:
    """The path of the parameter of ``operation`` that property ``name`` fills, or None."""
    path = names.get(name, name)
    first = re.split(r"[.\[]", path)[0]
    found = member(operation.input_shape, first) if operation.input_shape else None
    return None if found is None else found + path[len(first) :]


def _place(
    result: dict[str, Any], path: str, shape: Shape, value: Any, name: str, names: Mapping[str, str]
) -> None:
    *parents, last = path.split(".")
    for parent in parents:
        result, shape = result.setdefault(parent, {}), _member_shape(shape, parent)
    wrapped = last.endswith("[]")
    last = last.removesuffix("[]")
    result[last] = convert([value] if wrapped else value, _member_shape(shape, last), name, names)


def _member_shape(shape: Shape, name: str) -> Shape:
    if not isinstance(shape, StructureShape):
        raise TranslationError(f"{name} is no member of {shape.name}")
    return shape.members[name]


def convert(value: Any, shape: Shape, path: str, names: Mapping[str, str]) -> Any:
    """``value`` of property ``path`` as the API's ``shape`` wants it.

    Raises:
        TranslationError: the value has a part without counterpart, or outside what the service model allows.
    """
    if value == UNKNOWN:
        return None
    if isinstance(shape, ListShape):
        return _list(value, shape, path, names)
    if isinstance(shape, MapShape):
        return {key: convert(item, shape.value, f"{path}.{key}", names) for key, item in value.items()}
    if isinstance(shape, StructureShape):
        # Some types keep as a list what there is one of.
        alone = value[0] if isinstance(value, list) and len(value) == 1 else value
        return _structure(alone, shape, path, names)
    value = _scalar(value, shape)
    _check_limits(value, shape, path)
    return value


def _list(value: Any, shape: ListShape, path: str, names: Mapping[str, str]) -> list[Any]:
    if isinstance(value, dict) and (key := _tag_key(shape.member)):
        return [{key: name, _tag_value(shape.member): str(item)} for name, item in value.items()]
    items = value if isinstance(value, list) else [value]
    return [convert(item, shape.member, f"{path}[{i}]", names) for i, item in enumerate(items)]


def _tag_key(shape: Shape) -> str | None:
    if isinstance(shape, StructureShape) and set(shape.members) == {"Name", "Value"}:
        return "Name"
    return next((n for n in ("Key", "TagKey", "key") if member(shape, n) == n), None)


def _tag_value(shape: Shape) -> str:
    return next(n for n in ("TagValue", "Value", "value") if member(shape, n) == n)


def _structure(value: Any, shape: StructureShape, path: str, names: Mapping[str, str]) -> dict[str, Any]:
    if not isinstance(value, dict):
        if list(shape.members) == ["Value"]:  # EC2 wraps a boolean attribute
            return {"Value": value}
        raise TranslationError(f"{path} must be an object with {', '.join(shape.members)}")
    result = {}
    plain = re.sub(r"\[.*?]", "", path)
    for name, item in value.items():
        found = member(shape, names.get(f"{plain}.{name}", name))
        if found is None:
            raise TranslationError(f"{path}.{name} has no counterpart in the AWS API ({shape.name})")
        if item is not None and item != UNKNOWN:
            result[found] = convert(item, shape.members[found], f"{path}.{name}", names)
    return result


def _scalar(value: Any, shape: Shape) -> Any:
    if shape.type_name == "string" and not isinstance(value, str):
        return str(value).lower() if isinstance(value, bool) else str(value)
    if shape.type_name == "blob" and isinstance(value, str):
        return value.encode()
    if shape.type_name == "boolean" and value in ("true", "false"):  # where the SDK wants a third state
        return value == "true"
    if shape.type_name in ("double", "float") and isinstance(value, str) and _NUMBER.fullmatch(value):
        return float(value)
    return value


def check(value: Any, shape: Shape, path: str = "") -> None:
    """Hold parameters of the API to every enumeration, length and range of the service model; botocore itself checks least values alone.

    Raises:
        TranslationError: a value is outside what the service model allows.
    """
    if isinstance(value, str) and UNKNOWN in value:
        return
    if isinstance(shape, StructureShape) and isinstance(value, Mapping):
        for name in value.keys() & shape.members.keys():
            check(value[name], shape.members[name], f"{path}.{name}" if path else name)
    elif isinstance(shape, MapShape) and isinstance(value, Mapping):
        for key, item in value.items():
            check(key, shape.key, path)
            check(item, shape.value, f"{path}.{key}")
    elif isinstance(shape, ListShape) and isinstance(value, list):
        _check_limits(value, shape, path)
        for i, item in enumerate(value):
            check(item, shape.member, f"{path}[{i}]")
    else:
        _check_limits(value, shape, path)


def _check_limits(value: Any, shape: Shape, path: str) -> None:
    allowed = getattr(shape, "enum", None)
    if allowed and value not in allowed:
        raise TranslationError(f"{path} is {value!r}; AWS knows {', '.join(allowed)}")
    low, high = shape.metadata.get("min"), shape.metadata.get("max")
    unit = "items" if isinstance(value, list) else "characters" if isinstance(value, str | bytes) else None
    size = len(value) if unit else value
    if isinstance(size, bool) or not isinstance(size, int | float):
        return
    if (low is not None and size < low) or (high is not None and size > high):
        # The value itself stays out of the message: it may be a secret.
        what = f"has {size} {unit}" if unit else f"is {size}"
        allows = f"at least {low}" if high is None else f"{low or 0} to {high}"
        raise TranslationError(f"{path} {what}; AWS allows {allows}")


def camel(name: str) -> str:
    """An API name as Pulumi spells it: ``SecretArn`` -> ``secretArn``, ``ARN`` -> ``arn``."""
    head = re.match(r"[A-Z]+(?![a-z])|[A-Z]", name)
    return name if head is None else head.group().lower() + name[head.end() :]


def properties(value: Any) -> Any:
    """An API answer with Pulumi's spelling of its names."""
    if isinstance(value, dict):
        return {camel(name): properties(item) for name, item in value.items()}
    if isinstance(value, list):
        return [properties(item) for item in value]
    return value.isoformat() if hasattr(value, "isoformat") else value


def observed(
    answer: Mapping[str, Any], names: Mapping[str, str], wanted: set[str]
) -> Iterator[tuple[str, Any]]:
    """Which of the ``wanted`` properties the API's ``answer`` tells, under their Pulumi names."""
    by_letters = {letters(name): value for name, value in answer.items()}
    for name in wanted:
        spelling = letters(names.get(name, name))
        if by_letters.get(spelling) is not None:
            yield name, properties(by_letters[spelling])
