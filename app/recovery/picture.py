"""How both sides are, and what speaks against a change."""

import json
from concurrent.futures import ThreadPoolExecutor
from urllib.error import HTTPError, URLError
from urllib.request import urlopen

import msgspec

from app.recovery.database import GlobalDatabase
from app.recovery.errors import LostError, RecoveryError
from app.recovery.stacks import Pair, Stack

# A fail-over needs so many independent reasons to take the other side for lost.
QUORUM = 2
#: What an API that takes writes says of itself.
SERVING = {"ready", "degraded"}
_READY_SECONDS = 3


class Picture(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What can be seen from the target's region; ``leader`` is the name of a stack, or empty.

    ``lag_seconds`` is None while it is unknown, ``ready`` has what each stack's API says of itself, as far as it has a name, and
    ``reasons`` why the other side may be taken for lost.
    """

    target: str
    other: str
    leader: str
    moving: bool
    resyncs: bool
    lag_seconds: float | None
    databases: dict[str, str]
    ready: dict[str, str]
    reasons: list[str]


def look(pair: Pair, database: GlobalDatabase) -> Picture:
    """See how both sides are.

    Raises:
        LostError: the target's own region does not answer.
    """
    # At once, for each that does not answer is waited for.
    with ThreadPoolExecutor() as asking:
        described, measured = asking.submit(database.members), asking.submit(database.lag_seconds)
        both = (pair.target, pair.other)
        statuses = {stack.name: asking.submit(database.status, stack) for stack in both}
        said = {stack.name: asking.submit(readiness, stack) for stack in both if stack.own_host}
    members, moving = described.result()
    lag = measured.result()
    databases = {name: future.result() for name, future in statuses.items()}
    ready = {name: future.result() for name, future in said.items()}
    leader = next((name for name, member in members.items() if member.leads), "")
    reasons = []
    if databases[pair.other.name] != "available":
        reasons.append(f"its database is {databases[pair.other.name]}")
    if lag is None and leader != pair.target.name:
        reasons.append("nothing is replicated from it")
    if ready.get(pair.other.name, "ready") not in SERVING:
        reasons.append(f"its API is {ready[pair.other.name]}")
    return Picture(
        target=pair.target.name,
        other=pair.other.name,
        leader=leader,
        moving=moving,
        resyncs=any(name == pair.target.name and member.resyncs for name, member in members.items()),
        lag_seconds=lag,
        databases=databases,
        ready=ready,
        reasons=reasons,
    )


def readiness(stack: Stack, url: str = "") -> str:
    """What the API of ``stack`` says of itself: ``ready``, ``degraded``, or why not."""
    try:
        with urlopen(f"{url or f'https://{stack.own_host}'}/readyz", timeout=_READY_SECONDS) as answer:  # noqa: S310 - the operator's own
            return json.load(answer)["status"]
    except HTTPError as error:
        return f"not ready ({error.code})"
    except (URLError, OSError, ValueError, KeyError) as error:
        return f"silent ({getattr(error, 'reason', error)})"


def judge_standby(picture: Picture) -> None:
    """Refuse what no change could begin with.

    Raises:
        RecoveryError: the target leads already, is not whole, or is about to change.
    """
    name = picture.target
    if picture.leader == name:
        raise RecoveryError(f"Stack {name} leads already: there is nothing to take over.")
    if picture.leader != picture.other:
        raise RecoveryError(
            f"Neither {name} nor {picture.other} leads their global cluster: look at it with `aws rds describe-global-clusters`."
        )
    if picture.moving:
        raise RecoveryError(
            "The global cluster is changing its leader at this moment: wait until it is available again."
        )
    if picture.resyncs:
        raise RecoveryError(
            f"Stack {name} has not what {picture.other} has since it was taken over: wait until it follows again."
        )
    if picture.databases[name] != "available":
        raise LostError(
            f"The database of {name} is {picture.databases[name]}, so it cannot lead: bring it up first."
        )


def judge_switchover(picture: Picture, *, limit: float) -> None:
    """Refuse a planned change that would not lose nothing, or take long.

    Raises:
        RecoveryError: one of both sides is not well, or the target is behind by more than ``limit`` seconds.
    """
    judge_standby(picture)
    status = picture.databases[picture.other]
    if status != "available":
        raise RecoveryError(
            f"The database of {picture.other} is {status}, and without it something is lost: "
            f"use `dr failover --to {picture.target}` if it will not come back."
        )
    if picture.lag_seconds is None or picture.lag_seconds > limit:
        behind = "by an unknown time" if picture.lag_seconds is None else f"{picture.lag_seconds:.1f} s"
        raise RecoveryError(
            f"Stack {picture.target} is {behind} behind, and {limit:g} s is the limit, for writes wait so long: "
            "wait, or raise --lag-limit."
        )


def judge_failover(picture: Picture, *, limit: float, accept_loss: bool, although_healthy: bool) -> None:
    """Refuse an unplanned change that is not needed, or whose loss nobody has accepted.

    Raises:
        RecoveryError: too little speaks for it.
    """
    judge_standby(picture)
    if len(picture.reasons) < QUORUM and not although_healthy:
        found = " and ".join(picture.reasons) or "nothing is wrong with it"
        raise RecoveryError(
            f"{len(picture.reasons)} of {QUORUM} reasons say that {picture.other} is lost ({found}): "
            f"use `dr switchover --to {picture.target}`, which loses nothing, or say --although-healthy."
        )
    if not accept_loss and (picture.lag_seconds is None or picture.lag_seconds > limit):
        behind = (
            "by a time that nobody can tell now"
            if picture.lag_seconds is None
            else f"{picture.lag_seconds:.1f} s"
        )
        raise RecoveryError(
            f"Stack {picture.target} is behind {behind}, and more than {limit:g} s of writes may be lost: "
            "say --accept-loss if that is better than to wait."
        )
