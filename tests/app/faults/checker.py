"""Is a history linearizable, key by key, in the very order of the revisions, and is nothing lost that was acknowledged?

Deciding linearizability is hard in general because the order of the writes is to be found. Here the outbox says it: each
event names the operation that wrote it and its revision. A history that passes in that order is linearizable, whatever the
server says about itself; one that fails breaks the promise that revisions are the order of the writes. It takes one pass.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from .history import Operation, Version

_REFUSALS = frozenset({304, 404, 412, 428})


def check(operations: Sequence[Operation], versions: Sequence[Version], *, after: int = 0) -> list[str]:
    """What is wrong with the history, a sentence each; ``versions`` are all of the tenant after a revision, in their order."""
    by_id = {operation.id: operation for operation in operations}
    wrong = []
    if [version.revision for version in versions] != [*range(after + 1, after + 1 + len(versions))]:
        wrong.append(f"the revisions of the outbox are not {after + 1}, {after + 2}, ... without a gap")
    wrong += _ledger(by_id, versions)
    if wrong:
        # Without knowing who wrote what, the rest would only repeat it.
        return wrong
    wrong += _order(
        [Step(by_id[version.operation], at) for at, version in enumerate(versions, 1)], "all keys"
    )
    for key in sorted({operation.key for operation in operations}):
        of_key = [version for version in versions if version.key == key]
        register = Register(of_key)
        wrong += _preconditions(by_id, register)
        wrong += _order([*_steps(operations, key, register)], key)
    return wrong


def _ledger(by_id: dict[int, Operation], versions: Sequence[Version]) -> Iterable[str]:
    """Whether the outbox has every acknowledged write once, as it was acknowledged, and none that was refused."""
    done: dict[int, Version] = {}
    for version in versions:
        operation = by_id.get(version.operation)
        if operation is None or operation.method == "GET" or operation.key != version.key:
            yield f"revision {version.revision} was written by nobody"
        elif version.operation in done:
            yield f"operation {version.operation} was done twice: {done[version.operation]} and {version}"
        done[version.operation] = version
    etags = {version.etag: version for version in versions}
    for operation in by_id.values():
        found = done.get(operation.id)
        if operation.acknowledged:
            if found is None:
                yield f"an acknowledged write is lost: {operation}"
            elif operation.method == "PUT" and operation.etag != found.etag:
                yield f"the ETag acknowledged is not the one written, {found.etag}: {operation}"
        elif operation.returned is not None and operation.method != "GET" and found is not None:
            yield f"a refused write was done: {operation}"
        if (
            operation.returned is not None
            and not operation.acknowledged
            and operation.status not in {200, *_REFUSALS}
        ):
            yield f"an answer that no client should see: {operation}"
        if operation.method == "GET" and operation.status == 200:
            read = etags.get(operation.etag)
            if read is None or read.key != operation.key:
                yield f"what was read was never written: {operation}"
            elif read.operation != operation.written_by:
                yield f"the value read is not of the version it says, {read}: {operation}"


class Register:
    """The states of one key: at 0 it is absent, and at ``n`` it is what its ``n``-th version left."""

    def __init__(self, versions: Sequence[Version]) -> None:
        self.versions = versions
        self.etags: list[str | None] = [None, *(version.etag for version in versions)]
        self.position = {version.operation: at for at, version in enumerate(versions, 1)}


@dataclass(frozen=True)
class Step:
    """An operation of a register: the ``position`` it wrote, or in which states it ``could`` have seen what it saw."""

    operation: Operation
    position: int = 0
    could: Callable[[int], bool] | None = None


def _steps(operations: Sequence[Operation], key: str, register: Register) -> Iterable[Step]:
    for operation in operations:
        if operation.key != key:
            continue
        if position := register.position.get(operation.id):
            yield Step(operation, position)
        elif operation.returned is not None and (could := _sight(operation, register.etags)):
            yield Step(operation, could=could)


def _sight(operation: Operation, etags: list[str | None]) -> Callable[[int], bool] | None:
    """The states in which ``operation`` could have had its answer; None if it says nothing about them."""
    expected = operation.expected
    match operation.method, operation.status, operation.condition:
        case "GET", 200, _:
            return lambda at: etags[at] == operation.etag
        case (_, 404, _) | (_, 412, "exists"):
            return lambda at: etags[at] is None
        case (_, 428, _) | (_, 412, "absent"):
            return lambda at: etags[at] is not None
        case _, 412, "match":
            return lambda at: etags[at] != expected
    return None


def _preconditions(by_id: dict[int, Operation], register: Register) -> Iterable[str]:
    """Whether each write was done on the state it asked for: no update is lost."""
    for at, (before, version) in enumerate(pairwise([None, *register.versions]), 1):
        assert version is not None
        operation, was = by_id[version.operation], register.etags[at - 1]
        sound = {
            "absent": was is None,
            "exists": was is not None,
            "match": was == operation.expected,
            "whatever": True,
            "unsaid": was is None,
        }[operation.condition]
        if operation.method == "DELETE" and was is None:
            sound = False
        if (
            operation.method == "PUT"
            and operation.status in {200, 201}
            and (operation.status == 201) != (was is None)
        ):
            sound = False
        if not sound:
            yield f"a write was done over {before}, which is not what it asked for or was told: {operation}"


def _order(steps: Sequence[Step], what: str) -> Iterable[str]:
    """Whether each step can be given one moment between its invocation and its return, writes in their order.

    The sweep lets each write happen as late as possible: when somebody has returned who needs it. Until then every step
    under way may have its moment in the state there is. So whoever finds no state here finds none in any order.
    """
    writes = {step.position: step for step in steps if step.could is None}
    moments = [(step.operation.invoked, 0, step) for step in steps]
    moments += [(step.operation.returned, 1, step) for step in steps if step.operation.returned is not None]
    at = 0
    under_way: dict[int, Step] = {}
    for _, returns, step in sorted(moments, key=lambda moment: moment[:2]):
        if not returns:
            under_way[step.operation.id] = step
            continue
        # Absent from here: it has seen a state that there was meanwhile.
        while step.operation.id in under_way and not (step.could(at) if step.could else at >= step.position):
            following = writes.get(at + 1)
            if following is None or following.operation.id not in under_way:
                yield f"{what}: not linearizable at state {at}, the next write being {following}: {step.operation}"
                return
            for seen in [one for one in under_way.values() if one.could and one.could(at)]:
                del under_way[seen.operation.id]
            at += 1
        if step.could:
            under_way.pop(step.operation.id, None)
