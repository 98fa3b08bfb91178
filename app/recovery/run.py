"""One operation from its beginning, or from where it was left, to its end."""

import dataclasses
import getpass
import os
import socket
import time
import uuid
from collections.abc import Callable, Mapping

import structlog

from app.recovery.errors import LostError, RecoveryError
from app.recovery.journal import Done, Journal, Kind, Operation, now
from app.recovery.stacks import Pair
from app.recovery.steps import Act, SkippedError, Steps, Wishes

log = structlog.get_logger()

Tell = Callable[[Done], None]


def begin(kind: Kind, pair: Pair, wishes: Wishes, tell: Tell) -> Operation:
    """Move to ``pair.target``.

    Raises:
        RecoveryError: it is refused, or stopped half way and can be resumed.
    """
    journal = Journal(pair.target)
    before = journal.read()
    if before and before.held:
        raise RecoveryError(
            f"{before.by} is at work on {before.kind} {before.id} to {pair.target.name}: wait until that is over."
        )
    if before and not before.ended and not _overtakes(kind, before):
        raise RecoveryError(
            f"{before.kind.capitalize()} {before.id} to {pair.target.name} was left half way: "
            f"run `dr resume --to {pair.target.name}`."
        )
    operation = new(kind, pair.target.name, pair.other.name)
    operation.loss_accepted, operation.healthy_accepted = wishes.accept_loss, wishes.although_healthy
    journal.write(operation)
    return _go_on(operation, journal, pair, wishes, tell)


def resume(pair: Pair, wishes: Wishes, tell: Tell) -> Operation:
    """Go on with what was left half way.

    Raises:
        RecoveryError: nothing was, or somebody is at work on it.
    """
    journal = Journal(pair.target)
    operation = journal.read()
    if operation is None or operation.ended:
        raise RecoveryError(
            f"No operation to {pair.target.name} was left half way: there is nothing to resume."
        )
    if operation.held:
        raise RecoveryError(
            f"{operation.by} was at work on {operation.id} less than a minute ago: wait a minute, then try again."
        )
    take_over(operation, journal)
    # What was accepted stays accepted.
    wishes = dataclasses.replace(
        wishes, accept_loss=operation.loss_accepted, although_healthy=operation.healthy_accepted
    )
    return _go_on(operation, journal, pair, wishes, tell)


def _overtakes(kind: Kind, before: Operation) -> bool:
    """Whether a region was lost while it was being left by plan: then that plan is of no use any more."""
    return (
        kind == "failover"
        and before.kind != "failover"
        and "database" not in {done.step for done in before.steps}
    )


def new(kind: Kind, target: str, other: str) -> Operation:
    """An operation that begins now."""
    return Operation(
        id=f"{now():%Y%m%dT%H%M%SZ}-{kind}-{uuid.uuid4().hex[:8]}",
        kind=kind,
        target=target,
        other=other,
        by=_who(),
        started=now(),
        alive=now(),
    )


def take_over(operation: Operation, journal: Journal) -> None:
    """Go on with what somebody has left half way, unless another one does."""
    operation.by, operation.interrupted = _who(), False
    journal.write(operation)


def _go_on(operation: Operation, journal: Journal, pair: Pair, wishes: Wishes, tell: Tell) -> Operation:
    steps = Steps(operation.kind, pair, wishes, lambda: journal.renew(operation))
    return carry_out(operation, journal, steps.named(), tell)


def carry_out(operation: Operation, journal: Journal, steps: Mapping[str, Act], tell: Tell) -> Operation:
    """Take the ``steps`` that were not taken yet, each written down when it is over, and put the record where it is evidence."""
    try:
        for name, act in steps.items():
            if name not in {done.step for done in operation.steps}:
                done = _timed(name, act)
                operation.steps.append(done)
                journal.write(operation)
                log.info("recovery.step", operation=operation.id, **_shown(done))
                tell(done)
        operation.ended = "done"
        journal.write(operation)
    except BaseException as failure:
        # Nothing was changed before the checks, so there is nothing to resume.
        if isinstance(failure, RecoveryError) and not operation.steps:
            operation.ended = "refused"
        operation.interrupted = not operation.ended
        _keep(journal, operation)
        raise
    tell(_timed("evidence", lambda: _sealed(journal, operation)))
    return operation


def _sealed(journal: Journal, operation: Operation) -> str:
    try:
        return journal.seal(operation)
    except LostError as lost:
        raise SkippedError(f"{lost} The journal keeps it until the next operation.") from None


def _keep(journal: Journal, operation: Operation) -> None:
    """Write ``operation`` if that can be done; who resumes waits for a minute otherwise."""
    try:
        journal.write(operation)
    except RecoveryError as error:
        log.warning("recovery.journal", error=str(error))


def _timed(name: str, act: Callable[[], str]) -> Done:
    started, began, skipped = now(), time.monotonic(), False
    try:
        said = act()
    except SkippedError as reason:
        said, skipped = str(reason), True
    return Done(
        step=name, started=started, seconds=round(time.monotonic() - began, 3), said=said, skipped=skipped
    )


def _shown(done: Done) -> dict[str, object]:
    return {"step": done.step, "seconds": done.seconds, "skipped": done.skipped, "said": done.said}


def _who() -> str:
    return f"{getpass.getuser()}@{socket.gethostname()} (process {os.getpid()})"
