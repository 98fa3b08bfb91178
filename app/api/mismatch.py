"""Why JSON does not fit its schema, as one sentence for whoever sent it: with the place of what is wrong, never its value."""

import re
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any

import msgspec

from app.agents import names as agent_names
from app.state import names
from app.tenancy.tenants import NAME_PATTERN

# Of a place as msgspec writes it: one member, or one element.
_STEP = re.compile(r"\.(\w+)|\[[^]]*\]")

# Python's $ lets a newline follow but for this, which nobody needs to read.
_NO_NEWLINE = r"(?!\n)"
# What a text must be that has to match a pattern, for those that are read more easily so.
_FORMS = {
    names.COLLECTION_PATTERN: names.collection_error(""),
    names.KEY_PATTERN: names.key_error(""),
    agent_names.THREAD_PATTERN: agent_names.thread_error(""),
    agent_names.CHECKPOINT_PATTERN: agent_names.checkpoint_error(""),
    NAME_PATTERN: 'A tenant is named by 1 to 63 lower-case letters, digits and "-", a letter or digit first.',
}


def sentence(error: msgspec.ValidationError, schema: type[msgspec.Struct]) -> str:
    """What ``error``, of reading a ``schema``, says."""
    text = str(error)
    if not text.startswith(("Invalid enum value ", "Expected `str` matching regex ")):
        return f"{text}."
    place = text.rpartition(" - at ")[2]
    if not place.startswith("`$"):
        return f"This name is not allowed - at {place}."
    wanted = _wanted(schema, tuple(step or None for step in _STEP.findall(place)))
    return f"{wanted.removesuffix('.')} - at {place}."


def _wanted(schema: type[msgspec.Struct], steps: Sequence[str | None]) -> str:
    root, components = _components(schema)
    for node in _at(root, steps, components):
        if "enum" in node:
            return f"Expected one of {', '.join(map(str, node['enum']))}"
        if pattern := node.get("pattern"):
            return _FORMS.get(pattern) or f"Expected text that matches {pattern.removesuffix(_NO_NEWLINE)}"
    return "Expected another value"


@cache
def _components(schema: type[msgspec.Struct]) -> tuple[dict[str, Any], dict[str, Any]]:
    (root,), components = msgspec.json.schema_components([schema], ref_template="{name}")
    return root, components


def _at(
    node: dict[str, Any], steps: Sequence[str | None], components: dict[str, Any]
) -> Iterator[dict[str, Any]]:
    """The schemas that may hold after ``steps``: the name of a member, None for an element of an array or any member."""
    if "$ref" in node:
        yield from _at(components[node["$ref"]], steps, components)
    for branch in node.get("anyOf", ()):
        yield from _at(branch, steps, components)
    if not steps:
        yield node
        return
    step, *rest = steps
    below = (
        node.get("properties", {}).get(step)
        if step
        else node.get("items") or node.get("additionalProperties")
    )
    if isinstance(below, dict):
        yield from _at(below, rest, components)
