"""What a provider is to the gRPC server in front of it."""

from collections.abc import Mapping
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


class Provider(Protocol):
    """One provider package. Tokens are Pulumi type tokens; inputs and states are plain properties."""

    name: str
    version: str

    def configure(self, config: Mapping[str, str]) -> None: ...

    def check(self, token: str, inputs: Properties) -> list[Failure]: ...

    def replaces(self, token: str, changed: set[str], inputs: Properties) -> set[str]: ...

    def create(self, token: str, inputs: Properties) -> State: ...

    def read(self, token: str, state: State, inputs: Properties) -> State | None: ...

    def observed_inputs(self, token: str, state: State, inputs: Properties) -> Properties: ...

    def update(self, token: str, state: State, old: Properties, new: Properties) -> State: ...

    def delete(self, token: str, state: State) -> None: ...

    def invoke(self, token: str, args: Properties) -> Properties: ...
