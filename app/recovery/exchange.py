"""The restored database takes the place of the stack's own while nobody writes."""

import time
from collections.abc import Callable, Mapping

from app.recovery import run
from app.recovery.errors import RecoveryError
from app.recovery.journal import Journal, Operation
from app.recovery.restore import POLL_SECONDS, Restore
from app.recovery.steps import Act, SkippedError
from app.recovery.workload import Workload

_PODS_SECONDS = 180
_NEW_TIMELINE = ("python", "-m", "app", "dr", "new-timeline")


def exchange(restore: Restore, tell: run.Tell, *, api_stopped: bool) -> Operation:
    """Exchange the two, without pods meanwhile; repeated, it goes on where it was interrupted, and does nothing once it is over.

    With ``api_stopped`` the operator has ended the API, and starts it again.

    Raises:
        RecoveryError: it is refused before anything is changed, or stopped half way and can be repeated.
    """
    journal = Journal(restore.stack, f"swap-{restore.name}")
    operation = journal.read()
    if operation and operation.held:
        raise RecoveryError(
            f"{operation.by} was at work on {operation.id} less than a minute ago: wait until that is over."
        )
    same = operation is not None and operation.other == restore.restored
    if operation and operation.ended == "done" and same and restore.address() is None:
        return operation
    if operation and not operation.ended:
        if not same:
            raise RecoveryError(
                f"The exchange with {operation.other} was left half way: repeat that `dr swap` first, which goes on."
            )
        run.take_over(operation, journal)
    else:
        operation = run.new("swap", restore.stack.name, restore.restored)
        journal.write(operation)
    begun = operation
    restore.alive = lambda: journal.renew(begun)
    steps = Exchange(restore, api_stopped=api_stopped).named()
    return run.carry_out(operation, journal, steps, tell)


class Exchange:
    """What has to be done, in order, so that the database of ``restore`` serves; each may be taken again without harm."""

    def __init__(self, restore: Restore, *, api_stopped: bool) -> None:
        self._restore, self._api_stopped = restore, api_stopped
        self._workload = Workload(restore.stack)

    def named(self) -> Mapping[str, Act]:
        """The steps by name."""
        return {
            "check": self.check,
            "cache": self.cache,
            "database": self.database,
            "pods": self.pods,
            "streams": self.streams,
        }

    def check(self) -> str:
        """Refuse what could not be finished, or would be done under writers."""
        self._restore.judge()
        missing = self._workload.missing
        if missing and not self._api_stopped:
            raise RecoveryError(
                f"{missing[:1].upper()}{missing[1:]}, so who writes cannot be stopped from here: "
                "end the API yourself and say --api-stopped."
            )
        return f"{self._restore.restored} can take the place of {self._restore.name}"

    def cache(self) -> str:
        """Let the restored database mistrust the cache before it serves: pods would believe what the cache has of later."""
        self._skip_without_pods("nobody reads from the cache while the API is stopped")
        address = self._restore.address()
        if address is None:
            raise SkippedError(f"{self._restore.name} is the restored one already")
        host, port = address
        if self._workload.replicas()[1] == 0:
            self._workload.scale(1)
            self._wait(lambda: self._workload.replicas()[1] > 0, "no pod is ready")
        there = ("env", f"VANTA_DATABASE_HOST={host}", f"VANTA_DATABASE_PORT={port}")
        return self._workload.run(*there, *_NEW_TIMELINE).strip()

    def database(self) -> str:
        """Exchange the names; pods that somebody has started meanwhile are ended as well."""
        if not self._api_stopped:
            self._workload.scale(0)
            self._wait(lambda: self._workload.replicas()[1] == 0, "pods are still ready")
        renamed: list[str] = []
        self._restore.exchange(renamed.append)
        return "; ".join(renamed) or f"{self._restore.name} is the restored one already"

    def pods(self) -> str:
        """Serve again."""
        self._skip_without_pods("start the API after `python -m app dr new-timeline` with its environment")
        self._workload.scale(1)
        self._wait(lambda: self._workload.replicas()[1] > 0, "no pod is ready")
        return f"{self._workload.replicas()[1]} ready"

    def streams(self) -> str:
        """Leave the streams of a past that was given up."""
        self._skip_without_pods("`python -m app dr new-timeline` does it")
        return self._workload.run(*_NEW_TIMELINE).strip()

    def _skip_without_pods(self, instead: str) -> None:
        if self._api_stopped:
            raise SkippedError(instead)

    def _wait(self, condition: Callable[[], bool], complaint: str) -> None:
        end = time.monotonic() + _PODS_SECONDS
        while not condition():
            if time.monotonic() > end:
                raise RecoveryError(
                    f"After {_PODS_SECONDS} s {complaint}: look why, then repeat the command, which goes on."
                )
            self._restore.alive()
            time.sleep(POLL_SECONDS)
