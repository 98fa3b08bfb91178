"""Property values as plain Python: what crosses between the engine's wire format and the providers."""

from typing import Any, TypeAlias

from google.protobuf import json_format
from google.protobuf.struct_pb2 import Struct
from pulumi.runtime import rpc

Value: TypeAlias = "bool | int | float | str | list[Value] | dict[str, Value] | None"
Properties: TypeAlias = dict[str, Any]

# What the engine sends during a preview for a value that only an update will know.
UNKNOWN = rpc.UNKNOWN


def from_struct(struct: Struct) -> Properties:
    """Plain properties of ``struct``: absent instead of null, integers instead of whole floats."""
    return {
        name: _integers(value)
        for name, value in json_format.MessageToDict(struct).items()
        if value is not None
    }


def in_clear(value: Any) -> Any:
    """``value`` without the wrapping of its secrets: the engine sends a provider's configuration with it, whatever was agreed."""
    value = rpc.unwrap_rpc_secret(value)
    if isinstance(value, dict):
        return {name: in_clear(item) for name, item in value.items()}
    return [in_clear(item) for item in value] if isinstance(value, list) else value


def to_struct(properties: Properties) -> Struct:
    """``properties`` on the wire; a property that is None is left out."""
    return json_format.ParseDict({k: v for k, v in properties.items() if v is not None}, Struct())


def _integers(value: Any) -> Any:
    """``value`` with each whole float as an int: protobuf's Struct has only doubles."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, list):
        return [_integers(item) for item in value]
    if isinstance(value, dict):
        return {name: _integers(item) for name, item in value.items()}
    return value


def overlaid(below: Properties, above: Properties) -> Properties:
    """``above`` laid over ``below``, object by object at every depth."""
    merged = dict(below)
    for name, value in above.items():
        known = merged.get(name)
        both = isinstance(known, dict) and isinstance(value, dict)
        merged[name] = overlaid(known, value) if both else value
    return merged


def has_unknown(value: Any) -> bool:
    """Whether a value that only an update will know is anywhere in ``value``."""
    if isinstance(value, dict):
        return any(has_unknown(item) for item in value.values())
    if isinstance(value, list):
        return any(has_unknown(item) for item in value)
    return value == UNKNOWN
