"""What speaks against a change is said in one sentence, with what would be right instead."""

from typing import Any

import msgspec
import pytest

from app.recovery.errors import RecoveryError
from app.recovery.picture import Picture, judge_failover, judge_standby, judge_switchover

WELL = Picture(
    target="there",
    other="here",
    leader="here",
    moving=False,
    resyncs=False,
    lag_seconds=0.2,
    databases={"here": "available", "there": "available"},
    ready={},
    reasons=[],
)
LOST = msgspec.structs.replace(
    WELL,
    databases={"here": "failed", "there": "available"},
    reasons=["its database is failed", "its API is silent"],
)


def but(**changes: Any) -> Picture:
    return msgspec.structs.replace(WELL, **changes)


@pytest.mark.parametrize(
    ("picture", "said"),
    [
        (but(leader="there"), "leads already"),
        (but(leader=""), "Neither there nor here leads"),
        (but(moving=True), "changing its leader at this moment"),
        (but(resyncs=True), "has not what here has"),
        (but(databases={"here": "available", "there": "without an instance"}), "it cannot lead"),
    ],
)
def test_who_cannot_take_over_is_refused(picture: Picture, said: str) -> None:
    with pytest.raises(RecoveryError, match=said):
        judge_standby(picture)


@pytest.mark.parametrize(
    ("picture", "said"),
    [
        (LOST, "use `dr failover --to there`"),
        (but(lag_seconds=10.1), r"10\.1 s behind, and 10 s is the limit"),
        (but(lag_seconds=None), "by an unknown time behind"),
    ],
)
def test_a_switchover_that_would_lose_or_last_is_refused(picture: Picture, said: str) -> None:
    judge_switchover(WELL, limit=10)
    with pytest.raises(RecoveryError, match=said):
        judge_switchover(picture, limit=10)


def test_one_reason_is_not_enough_to_leave_a_region() -> None:
    judge_failover(LOST, limit=60, accept_loss=False, although_healthy=False)
    doubtful = but(reasons=["its API is silent"])
    with pytest.raises(RecoveryError, match=r"1 of 2 reasons .*use `dr switchover --to there`"):
        judge_failover(doubtful, limit=60, accept_loss=True, although_healthy=False)
    judge_failover(doubtful, limit=60, accept_loss=False, although_healthy=True)


@pytest.mark.parametrize("lag", [61.0, None])
def test_a_loss_that_nobody_accepted_is_refused(lag: float | None) -> None:
    behind = msgspec.structs.replace(LOST, lag_seconds=lag)
    with pytest.raises(RecoveryError, match="say --accept-loss"):
        judge_failover(behind, limit=60, accept_loss=False, although_healthy=True)
    judge_failover(behind, limit=60, accept_loss=True, although_healthy=False)
