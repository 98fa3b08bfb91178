"""The restored database takes the place of the stack's own while nobody writes."""

import time
from collections.abc import Callable

from app.recovery.errors import RecoveryError
from app.recovery.restore import POLL_SECONDS, Restore
from app.recovery.workload import Workload

_PODS_SECONDS = 180
_NEW_TIMELINE = ("python", "-m", "app", "dr", "new-timeline")

Tell = Callable[[str], None]


def exchange(restore: Restore, tell: Tell, *, api_stopped: bool) -> None:
    """Exchange the two, without pods meanwhile; may be repeated after it was interrupted.

    With ``api_stopped`` the operator has ended the API, and starts it again.

    Raises:
        RecoveryError: it is refused before anything is changed, or stopped half way and can be repeated.
    """
    restore.judge()
    workload = Workload(restore.stack)
    if api_stopped:
        restore.exchange(tell)
        tell("run `python -m app dr new-timeline` with the API's environment, then start the API")
        return
    if workload.missing:
        raise RecoveryError(
            f"{workload.missing[:1].upper()}{workload.missing[1:]}, so who writes cannot be stopped from here: "
            "end the API yourself and say --api-stopped."
        )
    _leave_cache_beside(restore, workload, tell)
    workload.scale(0)
    _wait(lambda: workload.replicas()[1] == 0, "pods are still ready")
    tell("no pod is left that writes")
    restore.exchange(tell)
    workload.scale(1)
    _wait(lambda: workload.replicas()[1] > 0, "no pod is ready")
    tell(workload.run(*_NEW_TIMELINE).strip())


def _leave_cache_beside(restore: Restore, workload: Workload, tell: Tell) -> None:
    """Let the restored database mistrust the cache before it serves: pods would believe what the cache has of later."""
    address = restore.address()
    if address is None:
        return
    host, port = address
    if workload.replicas()[1] == 0:
        workload.scale(1)
        _wait(lambda: workload.replicas()[1] > 0, "no pod is ready")
    tell(
        workload.run(
            "env", f"VANTA_DATABASE_HOST={host}", f"VANTA_DATABASE_PORT={port}", *_NEW_TIMELINE
        ).strip()
    )


def _wait(condition: Callable[[], bool], complaint: str) -> None:
    end = time.monotonic() + _PODS_SECONDS
    while not condition():
        if time.monotonic() > end:
            raise RecoveryError(
                f"After {_PODS_SECONDS} s {complaint}: look why, then repeat the command, which goes on."
            )
        time.sleep(POLL_SECONDS)
