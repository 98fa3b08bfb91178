"""The shape of one table entry: which AWS API calls make, read, change and remove a resource type."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from local.provider.values import Properties

Params = Mapping[str, Any]


def nothing(_: Properties) -> Params:
    """No further parameters."""
    return {}


@dataclass(frozen=True, kw_only=True)
class Call:
    """One AWS API call as part of a resource's life.

    It is given every property that its input shape knows (under the entry's ``names``), or only those in ``takes``.

    Args:
        operation: the operation as boto3 spells it, e.g. ``create_vpc``.
        takes: the only properties to pass; None passes all it knows.
        when: (property, value): make the call only when the property has this value; the call then answers for that property.
        whole: a change of one property sends them all (``put_...`` operations replace what they configure).
        once: make it right after creation, whatever the properties.
        further: further parameters from the resource's properties; under ``@`` it finds what the API last said of the resource.
        unless: error codes with which AWS says that what the call would undo has to stay, or is undone already; it then stays so.
        build: all parameters from the properties, where letters and ``names`` do not suffice; None skips the call.
        region: the region to ask, from the properties, where it is not the resource's own.
        emulated: whether the emulator knows the operation; if not, its parameters are checked as botocore would and nothing is sent.
    """

    operation: str
    takes: frozenset[str] | None = None
    when: tuple[str, Any] | None = None
    whole: bool = False
    once: bool = False
    unless: frozenset[str] = frozenset()
    further: Callable[[Properties], Params] = nothing
    build: Callable[[Properties], Params | None] | None = None
    region: Callable[[Properties], str] | None = None
    emulated: bool = True


@dataclass(frozen=True, kw_only=True)
class Tagging:
    """How a service tags what exists already.

    Args:
        add: operation that sets tags; ``remove``: operation that takes them away.
        target: path of the parameter that names the resource; ``source``: the property that it comes from.
        keys: parameter of ``remove``, a list of names, or of maps with ``Key`` where it is the tags' own.
    """

    add: str
    remove: str
    target: str
    source: str = "arn"
    keys: str = "TagKeys"


@dataclass(frozen=True, kw_only=True)
class ResourceType:
    """One resource type of the table.

    Args:
        token: Pulumi type token.
        service: boto3 service name.
        create: the call that makes it.
        create_from: property -> the call that makes it where the property is given, such as a restore. What only ``create`` takes
            is then settled by where it comes from.
        updates: calls that set what ``create`` does not know, and that later change it; a property that none of them takes
            can only be changed by replacing the resource.
        read: the call that describes it; None where the API has no such call.
        answer: JMESPath to the object in the answer of ``read``; ``$id`` stands for the resource's id.
        delete: calls that remove it.
        identity: API parameter -> property that identifies it in ``updates``, ``read`` and ``delete``.
        id: JMESPath into {"input": properties, "answer": answer of ``create``, "region", "account", "digest": 32 hexadecimal
            digits that follow from type, region and properties; not where one of them is a secret}.
        names: property (or path of a nested one, ``parameters.name``) -> path of its API parameter, where the letters differ.
        outputs: computed property -> JMESPath into the object read.
        computed: properties that are derived from the others without a call; under ``@account`` it finds the account id.
        unsent: inputs that only steer this provider or ``delete``.
        emptied: whether ``forceDestroy`` empties it before ``delete``.
        ready: (JMESPath into the object, values): wait until it is one of them.
        tagging: how its tags change, where its own calls do not do it.
        emulated: whether the emulator has such a thing. If not, every call's parameters are checked as botocore would check them
            and nothing is sent: the resource lives in the engine's state alone, ``answer`` of ``create`` is {}, what AWS would
            add comes from ``computed``, and so ``read``, ``outputs`` and ``ready`` have nothing to say.
    """

    token: str
    service: str
    create: Call
    create_from: Mapping[str, Call] = field(default_factory=dict)
    updates: tuple[Call, ...] = ()
    read: Call | None = None
    answer: str = "@"
    delete: tuple[Call, ...] = ()
    identity: Mapping[str, str] = field(default_factory=dict)
    id: str
    names: Mapping[str, str] = field(default_factory=dict)
    outputs: Mapping[str, str] = field(default_factory=dict)
    computed: Callable[[Properties], Properties] = lambda _: {}
    unsent: frozenset[str] = frozenset()
    emptied: bool = False
    ready: tuple[str, frozenset[str]] | None = None
    tagging: Tagging | None = None
    emulated: bool = True
