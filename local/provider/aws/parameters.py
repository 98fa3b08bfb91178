"""Which properties a call of a table entry answers for, and what it is sent for them."""

from collections.abc import Iterable, Mapping
from typing import Any

from local.provider.aws import shapes
from local.provider.aws.api import operation_model
from local.provider.aws.types import Call, ResourceType
from local.provider.values import Properties


def taken(entry: ResourceType, call: Call, inputs: Properties) -> set[str]:
    """The properties of ``inputs`` for which ``call`` answers."""
    if call.takes is not None:
        return set(call.takes) & inputs.keys()
    if call.once:
        return set()
    model = operation_model(entry.service, call.operation)
    switch = {call.when[0]} & inputs.keys() if call.when else set()
    return switch | {name for name in inputs if shapes.taken(model, name, entry.names)}


def creator(entry: ResourceType, inputs: Properties) -> Call:
    """The call that makes a resource of ``inputs``."""
    return next((call for name, call in entry.create_from.items() if name in inputs), entry.create)


def takers(entry: ResourceType, calls: Iterable[Call], inputs: Properties) -> set[str]:
    """The properties of ``inputs`` for which one of ``calls`` answers."""
    return {name for call in calls for name in taken(entry, call, inputs)}


def parameters(
    entry: ResourceType, call: Call, values: Properties, state: Properties
) -> dict[str, Any] | None:
    """What to send for ``values`` of the resource in ``state``; None when there is nothing to do.

    Raises:
        TranslationError: a value has no counterpart in the API, or the service model refuses it.
    """
    model = operation_model(entry.service, call.operation)
    if call.build is not None:
        built = call.build(state)
        params = None if built is None else dict(built)
    else:
        mine = {name: values[name] for name in taken(entry, call, values)}
        identity = {
            p: state[name]
            for p, name in entry.identity.items()
            if name in state and shapes.member(model.input_shape, p)
        }
        params = _merged({**shapes.parameters(model, mine, entry.names), **identity}, call.further(state))
    if params:
        shapes.check(params, model.input_shape)
    return params


def _merged(params: dict[str, Any], extra: Mapping[str, Any]) -> dict[str, Any]:
    """``params`` with ``extra`` laid over them, structure by structure."""
    return {
        **params,
        **{
            name: _merged(params[name], value) if isinstance(value, Mapping) and name in params else value
            for name, value in extra.items()
        },
    }
