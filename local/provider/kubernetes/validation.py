"""What the API server refuses of a manifest by its schema alone, with the path of each field.

It is stricter than the server in one thing: server-side apply drops no unknown field silently here, whatever the server's validation
is set to. Not judged: what the server's code checks beyond the schema, CEL rules, and admission.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from local.provider.kubernetes.kinds import Schema, schema
from local.provider.values import UNKNOWN

Problem = tuple[str, str]

# "Quantity" in the API reference of Kubernetes: a number with a decimal or binary suffix, or an exponent.
_QUANTITY = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)(([KMGTPE]i)|[numkMGTPE]|([eE][+-]?\d+))?")
_INTEGER_BITS = {"int32": 32, "int64": 64}
_REFERENCE = "#/components/schemas/"


def problems(value: Any, expected: Schema, path: str = "") -> list[Problem]:
    """Every (path, reason) for which ``value`` does not fit ``expected``; empty when it fits."""
    if value == UNKNOWN:
        return []
    name = expected.get("$ref", "").removeprefix(_REFERENCE)
    if name:
        return _special(name, value, path) if name in _SPECIAL else problems(value, schema(name), path)
    if value is None:
        return [] if expected.get("nullable") else [(path, "must not be null")]
    found = _of_alternatives(value, expected, path)
    if not found and (kind := _type(expected)):
        found = _TYPES[kind](value, expected, path)
    return found or _of_value(value, expected, path)


def _type(expected: Schema) -> str | None:
    if expected.get("x-kubernetes-int-or-string"):
        return "int-or-string"
    return expected.get("type") or (
        "object" if expected.get("properties") or "required" in expected else None
    )


def _special(name: str, value: Any, path: str) -> list[Problem]:
    fits, what = _SPECIAL[name]
    return [] if fits(value) else [(path, f"must be {what}, not {_named(value)}")]


def _of_alternatives(value: Any, expected: Schema, path: str) -> list[Problem]:
    """``allOf``, ``anyOf``, ``oneOf`` and ``not``; in a definition their members repeat names and carry no types of their own."""
    found = [problem for part in expected.get("allOf", ()) for problem in problems(value, _loose(part), path)]
    for word in ("anyOf", "oneOf"):
        tried = [problems(value, _loose(part), path) for part in expected.get(word, ())]
        fitting = sum(not problem for problem in tried)
        if tried and not fitting:
            found += min(tried, key=len)
        elif word == "oneOf" and fitting > 1:
            found.append((path, f"fits {fitting} of {len(tried)} alternatives that exclude each other"))
    if "not" in expected and not problems(value, _loose(expected["not"]), path):
        found.append((path, "has a combination of values that the schema excludes"))
    return found


def _loose(part: Schema) -> Schema:
    """A member of alternatives judges the fields it names, at every depth; the schema around it knows the others."""
    if "$ref" in part:
        return part
    properties = {name: _loose(known) for name, known in part.get("properties", {}).items()}
    items = {"items": _loose(part["items"])} if "items" in part else {}
    return {**part, **items, "properties": properties, "x-kubernetes-preserve-unknown-fields": True}


def _object(value: Any, expected: Schema, path: str) -> list[Problem]:
    if not isinstance(value, Mapping):
        return [(path, f"must be an object, not {_named(value)}")]
    properties, others = expected.get("properties", {}), expected.get("additionalProperties")
    found = [
        (_under(path, name), "is required")
        for name in expected.get("required", ())
        if value.get(name) is None and "default" not in properties.get(name, {})
    ]
    for name, item in value.items():
        if name in properties:
            # An absent field and a null one are the same to the API server.
            found += problems(item, properties[name], _under(path, name)) if item is not None else []
        elif isinstance(others, Mapping):
            found += problems(item, others, _under(path, name))
        elif properties and not (others or expected.get("x-kubernetes-preserve-unknown-fields")):
            found.append(
                (_under(path, name), f"is not a field that exists here; there are {', '.join(properties)}")
            )
    return found


def _array(value: Any, expected: Schema, path: str) -> list[Problem]:
    if not isinstance(value, list):
        return [(path, f"must be a list, not {_named(value)}")]
    found = [
        problem
        for index, item in enumerate(value)
        for problem in problems(item, expected.get("items", {}), f"{path}[{index}]")
    ]
    return found or _of_keys(value, expected, path)


def _of_keys(value: Sequence[Any], expected: Schema, path: str) -> list[Problem]:
    """Two items of one key, of which server-side apply could keep only one."""
    if expected.get("x-kubernetes-list-type") not in ("map", "set"):
        return []
    seen: list[Any] = []
    names = expected.get("x-kubernetes-list-map-keys", ())
    defaults = _resolved(expected["items"]).get("properties", {})
    for index, item in enumerate(value):
        key = item
        if names and isinstance(item, Mapping):
            key = [item.get(name, defaults.get(name, {}).get("default")) for name in names]
        if key in seen and UNKNOWN not in (key if isinstance(key, list) else [key]):
            what = ", ".join(names) or "value"
            return [(f"{path}[{index}]", f"has the {what} of an item before it")]
        seen.append(key)
    return []


def _resolved(expected: Schema) -> Schema:
    """The schema behind a reference, plain or as the only member of ``allOf``."""
    members = expected.get("allOf", ())
    target = expected.get("$ref") or (members[0].get("$ref") if len(members) == 1 else None)
    return schema(target.removeprefix(_REFERENCE)) if target else expected


def _string(value: Any, expected: Schema, path: str) -> list[Problem]:
    if not isinstance(value, str):
        return [(path, f"must be a string, not {_named(value)}")]
    return _of_length(len(value), expected, path, ("minLength", "maxLength"), "characters")


def _integer(value: Any, expected: Schema, path: str) -> list[Problem]:
    if not isinstance(value, int) or isinstance(value, bool):
        return [(path, f"must be an integer, not {_named(value)}")]
    bits = _INTEGER_BITS.get(expected.get("format", ""), 64)
    return [] if -(2 ** (bits - 1)) <= value < 2 ** (bits - 1) else [(path, f"does not fit into {bits} bits")]


def _number(value: Any, _: Schema, path: str) -> list[Problem]:
    fits = isinstance(value, int | float) and not isinstance(value, bool)
    return [] if fits else [(path, f"must be a number, not {_named(value)}")]


def _boolean(value: Any, _: Schema, path: str) -> list[Problem]:
    return [] if isinstance(value, bool) else [(path, f"must be a boolean, not {_named(value)}")]


def _integer_or_string(value: Any, _: Schema, path: str) -> list[Problem]:
    fits = isinstance(value, int | str) and not isinstance(value, bool)
    return [] if fits else [(path, f"must be an integer or a string, not {_named(value)}")]


def _of_value(value: Any, expected: Schema, path: str) -> list[Problem]:
    """Enumeration, pattern, bounds. The value itself is not repeated: it may be a secret."""
    if "enum" in expected and value not in expected["enum"]:
        return [(path, f"must be one of {', '.join(map(str, expected['enum']))}")]
    if isinstance(value, str) and "pattern" in expected and not _matches(expected["pattern"], value):
        return [(path, f"does not match {expected['pattern']}")]
    if isinstance(value, int | float) and not isinstance(value, bool):
        if "minimum" in expected and value < expected["minimum"]:
            return [(path, f"must be at least {expected['minimum']}")]
        if "maximum" in expected and value > expected["maximum"]:
            return [(path, f"must be at most {expected['maximum']}")]
    if isinstance(value, list):
        return _of_length(len(value), expected, path, ("minItems", "maxItems"), "items")
    if isinstance(value, Mapping):
        return _of_length(len(value), expected, path, ("minProperties", "maxProperties"), "fields")
    return []


def _matches(pattern: str, value: str) -> bool:
    r"""Whether the Go pattern is found in ``value``; Go's ``\z``, classes and flags in the middle are spelled otherwise in Python."""
    flags = re.IGNORECASE if "(?i)" in pattern else 0
    for theirs, ours in (("(?i)", ""), (r"\z", r"\Z"), ("[[:alpha:]]", "[A-Za-z]")):
        pattern = pattern.replace(theirs, ours)
    return bool(re.search(pattern, value, flags))


def _of_length(length: int, expected: Schema, path: str, bounds: tuple[str, str], unit: str) -> list[Problem]:
    least, most = (expected.get(bound) for bound in bounds)
    if least is not None and length < least:
        return [(path, f"must have at least {least} {unit}, not {length}")]
    if most is not None and length > most:
        return [(path, f"must have at most {most} {unit}, not {length}")]
    return []


def _under(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def _named(value: Any) -> str:
    kinds = {
        str: "a string",
        bool: "a boolean",
        int: "an integer",
        float: "a number",
        list: "a list",
        type(None): "null",
    }
    return kinds.get(type(value), "an object")


def _quantity(value: Any) -> bool:
    if isinstance(value, str):
        return bool(_QUANTITY.fullmatch(value))
    return isinstance(value, int | float) and not isinstance(value, bool)


_TYPES: Mapping[str, Callable[[Any, Schema, str], list[Problem]]] = {
    "object": _object,
    "array": _array,
    "string": _string,
    "integer": _integer,
    "number": _number,
    "boolean": _boolean,
    "int-or-string": _integer_or_string,
}

_SPECIAL: Mapping[str, tuple[Callable[[Any], bool], str]] = {
    "io.k8s.apimachinery.pkg.api.resource.Quantity": (_quantity, "a quantity such as 500m or 1Gi"),
    "io.k8s.apimachinery.pkg.util.intstr.IntOrString": (
        lambda value: isinstance(value, int | str) and not isinstance(value, bool),
        "an integer or a string",
    ),
}
