"""What a resource type accepts and gives, read from the provider's own Python SDK.

The SDK classes are generated from the provider's schema, so names, types and requiredness in them are the provider's own: an argument
refused here is an argument that the real provider does not know.
"""

import enum
import functools
import importlib
import inspect
import keyword
import re
import threading
import typing
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import NoneType
from typing import Any

import pulumi
from pulumi.runtime import rpc

from local.provider.values import UNKNOWN, Value

# By which the engine tells an archive from a map with the same names.
SIGNATURE, ARCHIVE = rpc._special_sig_key, rpc._special_archive_sig  # noqa: SLF001  # its only definition in the SDK

# The SDK's modules import one another in circles: two threads that import at once can see one half made.
_IMPORTING = threading.Lock()


class UnknownTypeError(Exception):
    """The token names no resource type of the SDK."""


@dataclass(frozen=True)
class Object:
    """An object type: its properties by Pulumi name, the required ones among them."""

    properties: Mapping[str, Any]
    required: frozenset[str]


@dataclass(frozen=True)
class ResourceSchema:
    """Inputs of a resource type and the names of everything that its state carries."""

    inputs: Object
    outputs: frozenset[str]


@functools.cache
def resource_schema(package: str, token: str) -> ResourceSchema:
    """The schema of ``token`` (``aws:kms/key:Key``, ``kubernetes:helm.sh/v3:Release``) in the SDK ``package`` (``pulumi_aws``).

    Raises:
        UnknownTypeError: the SDK has no such resource.
    """
    _, module, name = token.split(":")
    module = _module(module)
    try:
        with _IMPORTING:
            sdk = importlib.import_module(package if module == "index" else f"{package}.{module}")
            resource = getattr(sdk, name)
            # Where the schema has an object type of the resource's own name, the generator calls the inputs ...InitArgs.
            args = getattr(sdk, f"{name}InitArgs", None) or getattr(sdk, f"{name}Args")
    except (ImportError, AttributeError) as error:
        raise UnknownTypeError(f"{token} is not a resource type of {package}") from error
    outputs = {
        getattr(member.fget, "_pulumi_name", attribute)
        for attribute, member in inspect.getmembers(resource, lambda m: isinstance(m, property))
    }
    return ResourceSchema(inputs=_object(args), outputs=frozenset(outputs - {"urn", "pulumi_resource_name"}))


def provider_schema(package: str) -> Object:
    """What the provider ``package`` itself can be configured with."""
    with _IMPORTING:
        sdk = importlib.import_module(package)
    return _object(sdk.ProviderArgs)


def _module(name: str) -> str:
    """Where the SDK keeps the module ``name`` of a token: ``s3/bucket`` in ``s3``, ``helm.sh/v3`` in ``helm.v3``."""
    group, _, part = name.partition("/")
    if re.fullmatch(r"v\d\w*", part):
        return f"{group.split('.')[0]}.{part}"
    # A module that would be a word of Python, such as lambda, is spelled with an underscore.
    return group + "_" * keyword.iskeyword(group)


@functools.cache
def _object(args: type) -> Object:
    """The object type behind a generated ``...Args`` class."""
    names = {
        attribute: getattr(member.fget, "_pulumi_name", attribute)
        for attribute, member in inspect.getmembers(args, lambda m: isinstance(m, property))
    }
    # Input[T] leaves the forward reference "Output[T]" behind, which only pulumi's own namespace resolves.
    namespace = {"Output": pulumi.Output, "T": typing.Any}
    hints = typing.get_type_hints(args.__init__, localns=namespace)
    parameters = {n: p for n, p in inspect.signature(args.__init__).parameters.items() if n in names}
    return Object(
        properties={names[n]: hints[n] for n in parameters},
        required=frozenset(names[n] for n, p in parameters.items() if p.default is inspect.Parameter.empty),
    )


def problems(value: Mapping[str, Value], expected: Object, path: str = "") -> list[tuple[str, str]]:
    """Every (property path, reason) for which ``value`` does not fit ``expected``; empty when it fits."""
    found = [
        (f"{path}{name}", f"is not a property of this type; it has {', '.join(sorted(expected.properties))}")
        for name in value
        if name not in expected.properties
    ]
    found += [(f"{path}{name}", "is required") for name in sorted(expected.required - value.keys())]
    for name, hint in expected.properties.items():
        if value.get(name) is not None:
            found += _mismatches(value[name], hint, f"{path}{name}")
    return found


def _mismatches(value: Value, hint: Any, path: str) -> list[tuple[str, str]]:
    if value == UNKNOWN:
        return []
    alternatives = [_mismatches_one(value, option, path) for option in _options(hint)]
    return min(alternatives, key=len, default=[])


def _options(hint: Any) -> list[Any]:
    """The plain types among the alternatives of an ``Input[...]``: no Awaitable, no Output, no TypedDict twin."""
    if typing.get_origin(hint) is not typing.Union:
        wrappers = (typing.get_origin(typing.Awaitable[Any]), pulumi.Output)
        plain = (
            typing.get_origin(hint) not in wrappers and hint is not NoneType and not typing.is_typeddict(hint)
        )
        return [hint] if plain else []
    return [option for member in typing.get_args(hint) for option in _options(member)]


def _mismatches_one(value: Value, hint: Any, path: str) -> list[tuple[str, str]]:
    origin = typing.get_origin(hint)
    if hint is Any:
        return []
    if origin is typing.Literal:
        known = typing.get_args(hint)
        return [] if value in known else [(path, f"must be {' or '.join(map(str, known))}")]
    if origin is not None and issubclass(origin, Mapping):
        if not isinstance(value, dict):
            return [(path, f"must be a map, not {_kind(value)}")]
        return [p for k, v in value.items() for p in _mismatches(v, typing.get_args(hint)[1], f"{path}.{k}")]
    if origin is not None and issubclass(origin, Sequence):
        if not isinstance(value, list):
            return [(path, f"must be a list, not {_kind(value)}")]
        return [
            p for i, v in enumerate(value) for p in _mismatches(v, typing.get_args(hint)[0], f"{path}[{i}]")
        ]
    if inspect.isclass(hint) and issubclass(hint, enum.Enum):
        return _mismatches_one(value, str, path)
    if hint in _SCALARS:
        word, fits = _SCALARS[hint]
        return [] if fits(value) else [(path, f"must be {word}, not {_kind(value)}")]
    if not isinstance(value, dict):
        return [(path, f"must be an object, not {_kind(value)}")]
    if inspect.isclass(hint) and issubclass(hint, pulumi.Archive):
        return [] if value.get(SIGNATURE) == ARCHIVE else [(path, "must be an archive")]
    return problems(value, _object(hint), f"{path}.")


_SCALARS = {
    str: ("a string", lambda v: isinstance(v, str)),
    bool: ("a boolean", lambda v: isinstance(v, bool)),
    # The wire has one number type: an integer arrives as 3.0.
    int: ("an integer", lambda v: isinstance(v, int) and not isinstance(v, bool)),
    float: ("a number", lambda v: isinstance(v, int | float) and not isinstance(v, bool)),
}


def _kind(value: Value) -> str:
    return {str: "a string", bool: "a boolean", int: "an integer", float: "a number", list: "a list"}.get(
        type(value), "an object"
    )
