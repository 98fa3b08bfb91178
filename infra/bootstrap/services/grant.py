"""One AWS service as a deployment uses it.

A resource pattern is filled in for each stack: ``{partition}``, ``{account}``, ``{stack}`` and ``{boundary}``; one with
``{primary}`` for each stack that it follows. Where AWS gives resources an id instead of a name, a tag stands in for the name.

Source: Service Authorization Reference, "Actions, resources, and condition keys for AWS services".
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

_EVERY = ("*",)


@dataclass(frozen=True, kw_only=True)
class Grant:
    """One statement: ``need`` says for what; ``actions`` without the service's prefix."""

    sid: str
    need: str
    actions: tuple[str, ...]
    resources: tuple[str, ...] = _EVERY
    condition: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Service:
    """One AWS service.

    Args:
        reads: actions that tell of resources and change nothing; a preview and a look for drift need these too.
        read_from: the resources that ``reads`` is limited to.
        changes: what a deployment does.
        emptying: what only a throw-away stack's deployment does: take the data out of what it removes.
        passed_to: service principals that take a role of the stack.
        linked: service principals whose own role the service makes at its first use.
    """

    reads: tuple[str, ...] = ()
    read_from: tuple[str, ...] = _EVERY
    changes: tuple[Grant, ...] = ()
    emptying: tuple[Grant, ...] = ()
    passed_to: tuple[str, ...] = ()
    linked: tuple[str, ...] = ()
