"""The generic half of the ``aws`` provider: check, create, read, update and delete for whatever the table describes."""

import copy
import time
from typing import Any

import jmespath

from local.provider.aws import shapes
from local.provider.aws.api import AbsentError, Api, CallError, operation_model
from local.provider.aws.functions import FUNCTIONS, empty_bucket
from local.provider.aws.identity import identifier
from local.provider.aws.parameters import creator, parameters, taken, takers
from local.provider.aws.table import TABLE
from local.provider.aws.types import Call, Params, ResourceType
from local.provider.protocol import Failure, PartlyCreatedError, Provider, State, root
from local.provider.schema import problems, resource_schema
from local.provider.values import Properties, has_unknown

READY_SECONDS = 120


class UnsupportedTypeError(Exception):
    """The provider has no table entry for the type."""


class AwsProvider(Provider):
    """A :class:`local.provider.protocol.Provider` by AWS API calls.

    Args:
        endpoint: URL of the AWS emulator.
        account: account id in which everything is created.
    """

    name = "aws"
    version = "7.51.1"

    def __init__(self, endpoint: str, account: str) -> None:
        self._api = Api(endpoint, account)
        self._region = "us-east-1"

    def configure(self, config: Properties) -> Provider:
        """The same, with the default region of the configuration."""
        configured = copy.copy(self)
        configured._region = config.get("region", self._region)  # noqa: SLF001 - its own
        return configured

    def check(self, token: str, inputs: Properties) -> list[Failure]:
        """What is wrong with ``inputs``: unknown or ill-typed properties, values that AWS refuses."""
        entry = _entry(token)
        failures = [
            Failure(path, reason)
            for path, reason in problems(inputs, resource_schema("pulumi_aws", token).inputs)
        ]
        if failures:
            return failures
        try:
            create = creator(entry, inputs)
            answered = takers(entry, (entry.create, create, *entry.updates, *entry.delete), inputs)
            for call in (create, *entry.updates):
                if call.build is None:
                    parameters(entry, call, inputs, inputs)
            if not (entry.emulated or has_unknown(inputs)):
                self._send(entry, create, inputs, {"region": self._region, **inputs})
        except shapes.TranslationError as error:
            return [Failure(str(error).split(maxsplit=1)[0], str(error))]
        except CallError as error:
            return [Failure("", str(error))]
        silent = inputs.keys() - answered - entry.unsent - entry.create_from.keys() - {"region", "tags"}
        return [Failure(name, "is not implemented by the local aws provider") for name in sorted(silent)]

    def replaces(self, token: str, changed: set[str], inputs: Properties) -> set[str]:
        """Which of the ``changed`` properties no update call can set."""
        entry = _entry(token)
        made = takers(entry, (entry.create,), inputs)
        settable = takers(entry, entry.updates, inputs) | {
            call.when[0] for call in entry.updates if call.when
        }
        # A call that lists what it answers for answers for the absence of it too.
        settable |= {name for call in entry.updates for name in call.takes or ()}
        steering = entry.unsent | (takers(entry, entry.delete, inputs) - made)
        kept = settable | steering | ({"tags"} if entry.tagging else set())
        return {path for path in changed if root(path) not in kept}

    def create(self, token: str, inputs: Properties) -> State:
        """Make the resource and wait until it is usable.

        Raises:
            PartlyCreatedError: it exists, but a later step failed.
            CallError: nothing was made.
        """
        entry = _entry(token)
        state = {"region": self._region, **inputs}
        create = creator(entry, inputs)
        answer = self._send(entry, create, inputs, state)
        named = identifier(entry, inputs, answer, region=state["region"], account=self._api.account)
        state["id"] = named
        try:
            done = taken(entry, create, inputs)
            self._await_ready(entry, state)
            described = self._describe(entry, state)
            state |= described
            rest = {k: v for k, v in inputs.items() if k not in done}
            if self._apply(entry, rest, inputs, state, new=True):
                described = None
            if "tags" in inputs and "tags" not in done:
                self._retag(entry, {}, inputs["tags"], state)
            return State(named, self._state(entry, inputs, named, described))
        except (CallError, shapes.TranslationError) as error:
            raise PartlyCreatedError(State(named, state), str(error)) from error

    def read(self, token: str, state: State, inputs: Properties) -> State | None:
        """The resource as it is now, or None when it is gone."""
        entry = _entry(token)
        if not entry.emulated:
            return state if state.properties else None
        try:
            return State(state.id, self._state(entry, {**state.properties, **inputs}, state.id))
        except AbsentError:
            return None

    def observed_inputs(self, token: str, state: State, inputs: Properties) -> Properties:
        """``inputs`` with the scalar values that the resource really has, so that a refresh shows drift."""
        entry = _entry(token)
        sent = takers(
            entry, (call for call in (creator(entry, inputs), *entry.updates) if call.emulated), inputs
        )
        seen = dict(shapes.observed(self._object(entry, state.properties), entry.names, sent))
        scalars = {
            n: v
            for n, v in seen.items()
            if isinstance(v, str | bool | int | float) and type(v) is type(inputs[n])
        }
        return {**inputs, **scalars}

    def update(self, token: str, state: State, old: Properties, new: Properties) -> State:
        """Bring the resource from inputs ``old`` to ``new``."""
        entry = _entry(token)
        changed = {name for name in old.keys() | new.keys() if old.get(name) != new.get(name)}
        merged = {**state.properties, **new, "id": state.id}
        self._apply(entry, {name: new[name] for name in changed if name in new}, new, merged)
        if "tags" in changed:
            self._retag(entry, old.get("tags", {}), new.get("tags", {}), merged)
        self._await_ready(entry, merged)
        return State(state.id, self._state(entry, new, state.id))

    def delete(self, token: str, state: State) -> None:
        """Remove the resource; one that is gone already is no error."""
        entry = _entry(token)
        properties = {**state.properties, "id": state.id}
        try:
            if entry.emptied and properties.get("forceDestroy"):
                empty_bucket(self._api, properties["region"], properties["bucket"])
            for call in entry.delete:
                self._undo(entry, call, properties)
            self._await_gone(entry, properties)
        except AbsentError:
            return

    def _undo(self, entry: ResourceType, call: Call, properties: Properties) -> None:
        try:
            self._send(entry, call, properties, properties)
        except CallError as error:
            if error.code not in call.unless:
                raise

    def invoke(self, token: str, args: Properties) -> Properties:
        """The answer of a provider function.

        Raises:
            UnsupportedTypeError: there is no such function here.
        """
        if token not in FUNCTIONS:
            raise UnsupportedTypeError(
                f"The local aws provider has no function {token}; it has {', '.join(FUNCTIONS)}."
            )
        return FUNCTIONS[token](self._api, args.get("region", self._region), args)

    def _send(self, entry: ResourceType, call: Call, values: Properties, state: Properties) -> dict[str, Any]:
        params = parameters(entry, call, values, state)
        if params is None:
            return {}
        region = call.region(state) if call.region else state.get("region", self._region)
        return self._ask(entry, region, call.operation, params, emulated=call.emulated)

    def _ask(
        self, entry: ResourceType, region: str, operation: str, params: Params, *, emulated: bool = True
    ) -> dict[str, Any]:
        """The answer of an operation; where the emulator has none, {} once its parameters are judged."""
        if entry.emulated and emulated:
            return self._api.call(entry.service, region, operation, params)
        self._api.judge(entry.service, region, operation, params)
        return {}

    def _apply(
        self,
        entry: ResourceType,
        values: Properties,
        inputs: Properties,
        state: Properties,
        *,
        new: bool = False,
    ) -> bool:
        """Make every update call that answers for one of ``values``; whether there is any."""
        wanted = [
            call
            for call in entry.updates
            if (taken(entry, call, values) or (call.once and new))
            and (call.when is None or inputs.get(call.when[0]) == call.when[1])
        ]
        if wanted:
            state = {**state, "@": self._object(entry, state)}
        for call in wanted:
            self._send(entry, call, inputs if call.whole or call.when else values, state)
        return bool(wanted)

    def _retag(self, entry: ResourceType, old: Properties, new: Properties, state: Properties) -> None:
        """Bring the tags from ``old`` to ``new`` where the service has calls for it."""
        tagging, region = entry.tagging, state.get("region", self._region)
        if tagging is None:
            return
        name = tagging.target.removesuffix("[]")
        target = {name: [state[tagging.source]] if tagging.target.endswith("[]") else state[tagging.source]}
        model = operation_model(entry.service, tagging.add)
        if new:
            self._ask(entry, region, tagging.add, {**target, **shapes.parameters(model, {"tags": new}, {})})
        if gone := sorted(old.keys() - new.keys()):
            keys = [{"Key": key} for key in gone] if tagging.keys == "Tags" else gone
            self._ask(entry, region, tagging.remove, {**target, tagging.keys: keys})

    def _object(self, entry: ResourceType, state: Properties) -> dict[str, Any]:
        """What the API says of the resource.

        Raises:
            AbsentError: nothing.
        """
        if entry.read is None or not entry.emulated:
            return {}
        found = jmespath.search(
            entry.answer.replace("$id", state["id"]), self._send(entry, entry.read, {}, state)
        )
        if not found:
            raise AbsentError(f"{entry.token} {state['id']} does not exist")
        return found

    def _describe(self, entry: ResourceType, state: Properties) -> Properties:
        """The properties that only AWS knows, and those that follow from them."""
        found = self._object(entry, state)
        schema = resource_schema("pulumi_aws", entry.token)
        computed = dict(
            shapes.observed(found, entry.names, set(schema.outputs - schema.inputs.properties.keys()))
        )
        explicit = {name: jmespath.search(path, found) for name, path in entry.outputs.items()}
        found = {**computed, **{k: shapes.properties(v) for k, v in explicit.items() if v is not None}}
        return found | entry.computed({**state, **found, "@account": self._api.account})

    def _state(
        self,
        entry: ResourceType,
        inputs: Properties,
        named: str,
        described: Properties | None = None,
    ) -> Properties:
        """The whole state of the resource: inputs, what AWS adds (asked for unless ``described``), what follows from both."""
        region = inputs.get("region", self._region)
        state = {**inputs, "id": named, "region": region}
        state |= self._describe(entry, state) if described is None else described
        schema = resource_schema("pulumi_aws", entry.token)
        if "tagsAll" in schema.outputs:
            state["tagsAll"] = inputs.get("tags", {})
        return state

    def _await_ready(self, entry: ResourceType, state: Properties) -> None:
        if entry.ready is None:
            return
        path, wanted = entry.ready
        deadline = time.monotonic() + READY_SECONDS
        while (status := jmespath.search(path, self._object(entry, state))) not in wanted:
            if time.monotonic() > deadline:
                raise CallError(
                    f"{entry.token} {state['id']} is {status!r} after {READY_SECONDS} s, not {' or '.join(sorted(wanted))}"
                )
            time.sleep(0.1)

    def _await_gone(self, entry: ResourceType, state: Properties) -> None:
        if entry.ready is None:
            return
        deadline = time.monotonic() + READY_SECONDS
        while time.monotonic() < deadline:
            self._object(entry, state)  # raises AbsentError once it is gone
            time.sleep(0.1)
        raise CallError(f"{entry.token} {state['id']} is still there {READY_SECONDS} s after its deletion")


def _entry(token: str) -> ResourceType:
    if token not in TABLE:
        raise UnsupportedTypeError(
            f"The local aws provider does not know {token}; add it to local/provider/aws/table."
        )
    return TABLE[token]
