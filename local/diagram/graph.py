"""What is drawn: the resources of a stack, the component each is in, and what each depends on."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

_STACK = "pulumi:pulumi:Stack"


@dataclass(frozen=True, kw_only=True)
class Resource:
    """One registration; ``parent`` and ``dependencies`` are URNs, ``parent`` is None for what the program itself makes.

    ``component`` says that it is a group of others and nothing in the cloud; ``protected`` that the engine refuses to
    delete it.
    """

    urn: str
    type: str
    name: str
    parent: str | None
    component: bool
    protected: bool
    dependencies: tuple[str, ...]

    @property
    def label(self) -> str:
        """The type as a reader knows it, e.g. ``s3 Bucket``; a component's is its class alone."""
        package, module, noun = self.type.split(":")
        if self.component:
            return noun
        service = module.split("/", maxsplit=1)[0]
        return f"{package if service == 'index' else service} {noun}"


@dataclass(frozen=True, kw_only=True)
class Graph:
    """The resources of one stack in the order of their URNs, and the version of the engine that registered them."""

    stack: str
    engine: str
    resources: tuple[Resource, ...]

    @cached_property
    def by_urn(self) -> Mapping[str, Resource]:
        """Each resource by its URN."""
        return {resource.urn: resource for resource in self.resources}

    @cached_property
    def edges(self) -> tuple[tuple[str, str], ...]:
        """Each dependency as (what is needed, what needs it); a resource's own component is no dependency of it."""
        return tuple(
            (needed, resource.urn)
            for resource in self.resources
            for needed in resource.dependencies
            if needed not in self.path(resource.urn)
        )

    @cached_property
    def things(self) -> tuple[Resource, ...]:
        """The resources that are something in the cloud."""
        return tuple(resource for resource in self.resources if not resource.component)

    @cached_property
    def rooms(self) -> tuple[Resource, ...]:
        """The components that the program itself makes."""
        return tuple(
            resource for resource in self.resources if resource.component and resource.parent is None
        )

    def children(self, parent: str | None) -> tuple[Resource, ...]:
        """What is directly in the component ``parent``, or in the program itself."""
        return self._children.get(parent, ())

    def path(self, urn: str) -> tuple[str, ...]:
        """The URNs from the room to the resource itself, both included."""
        resource = self.by_urn[urn]
        return (*(self.path(resource.parent) if resource.parent else ()), urn)

    @property
    def fingerprint(self) -> str:
        """SHA-256 of everything that is drawn of the program; the version of the engine is not in it."""
        content = [[r.urn, r.parent, r.component, r.protected, list(r.dependencies)] for r in self.resources]
        return hashlib.sha256(json.dumps([self.stack, content]).encode()).hexdigest()

    @cached_property
    def _children(self) -> Mapping[str | None, tuple[Resource, ...]]:
        found: dict[str | None, list[Resource]] = {}
        for resource in self.resources:
            found.setdefault(resource.parent, []).append(resource)
        return {parent: tuple(children) for parent, children in found.items()}


def from_preview(preview: Mapping[str, Any], *, stack: str, engine: str) -> Graph:
    """The graph in what ``pulumi preview --json`` printed; what a preview would delete is not part of it.

    Source: ``PreviewDigest`` and ``ResourceV3`` of the Pulumi SDK, ``sdk/go/common/display`` and ``apitype``.
    """
    states = {step["urn"]: step["newState"] for step in preview["steps"] if step.get("newState")}
    drawn = {urn: state for urn, state in states.items() if state["type"] != _STACK}
    resources = [_resource(urn, state, drawn) for urn, state in sorted(drawn.items())]
    return Graph(stack=stack, engine=engine, resources=tuple(resources))


def _resource(urn: str, state: Mapping[str, Any], drawn: Mapping[str, Any]) -> Resource:
    parent = state.get("parent")
    by_property = state.get("propertyDependencies") or {}
    needed = {
        *(state.get("dependencies") or ()),
        *(urn for urns in by_property.values() for urn in urns or ()),
    }
    return Resource(
        urn=urn,
        type=state["type"],
        name=urn.split("::", maxsplit=3)[3],
        parent=parent if parent in drawn else None,
        component=not state["custom"],
        protected=bool(state.get("protect")),
        dependencies=tuple(sorted(needed & drawn.keys())),
    )
