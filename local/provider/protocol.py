"""What a provider is to the gRPC server in front of it."""

from dataclasses import dataclass
from typing import Protocol

from local.provider.values import Properties


@dataclass(frozen=True)
class State:
    """A resource that exists: its provider id and its output properties."""

    id: str
    properties: Properties


@dataclass(frozen=True)
class Failure:
    """A property that cannot be accepted, and why."""

    property: str
    reason: str


class PartlyCreatedError(Exception):
    """The resource exists but is not as it was asked for; the engine records it and tries again on the next update."""

    def __init__(self, state: State, reason: str) -> None:
        super().__init__(reason)
        self.state = state


def root(path: str) -> str:
    """The property that ``path`` lies in: ``rules`` of ``rules[0].status``."""
    return path.split(".", maxsplit=1)[0].split("[", maxsplit=1)[0]


class Provider(Protocol):
    """One provider package. Tokens are Pulumi type tokens; inputs and states are plain properties.

    Paths name a property as ``rules[0].status``. What has a body here is what most providers do.
    """

    name: str
    version: str

    def configure(self, config: Properties) -> "Provider":
        """The provider of one instance: a process stands behind all instances of its package, each with its own configuration."""
        ...

    def check_config(self, config: Properties) -> list[Failure]:  # noqa: ARG002 - for those that have something to check
        """What is wrong with the configuration of an instance."""
        return []

    def config_replaces(self, old: Properties, new: Properties) -> set[str]:  # noqa: ARG002
        """Which differences of the configuration mean that nothing made by the old instance is there for the new one."""
        return set()

    def completed(self, token: str, name: str, old: Properties, inputs: Properties) -> Properties:  # noqa: ARG002
        """``inputs`` with what the provider itself settles, such as a name drawn from the resource's; ``old`` is empty for a new one."""
        return inputs

    def check(self, token: str, inputs: Properties) -> list[Failure]: ...

    def replaces(self, token: str, changed: set[str], inputs: Properties) -> set[str]: ...

    def deletes_first(self, token: str, old: Properties, new: Properties) -> bool:  # noqa: ARG002
        """Whether a replacement has to wait until the old one, which has its name, is gone."""
        return False

    def planned(self, token: str, state: State | None, inputs: Properties) -> Properties:  # noqa: ARG002
        """What a preview foretells of the resource; ``state`` is None for a new one."""
        return inputs if state is None else {**state.properties, **inputs}

    def create(self, token: str, inputs: Properties) -> State: ...

    def read(self, token: str, state: State, inputs: Properties) -> State | None: ...

    def observed_inputs(self, token: str, state: State, inputs: Properties) -> Properties: ...

    def update(self, token: str, state: State, old: Properties, new: Properties) -> State: ...

    def delete(self, token: str, state: State) -> None: ...

    def invoke(self, token: str, args: Properties) -> Properties: ...
