"""One object remembers an operation, keeps a second shell out, and lets a crashed one be followed up."""

import datetime as dt
from collections.abc import Iterator

import boto3
import pytest
from moto import mock_aws

from app.recovery import journal as journals
from app.recovery import run
from app.recovery.errors import RecoveryError
from app.recovery.journal import Done, Journal, Kind, Operation, now
from app.recovery.stacks import Pair
from app.recovery.steps import Steps, Wishes

from .stacks import stack

WISHES = Wishes(lag_limit=10)
PAIR = Pair(
    target=stack("there", "eu-central-1", global_cluster="vanta"),
    other=stack("here", "eu-west-1", global_cluster="vanta"),
)


@pytest.fixture(autouse=True)
def buckets(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The target's buckets."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "nobody")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "any")
    with mock_aws():
        s3 = boto3.client("s3", region_name=PAIR.target.region)
        for bucket in (PAIR.target.archive_bucket, PAIR.target.audit_bucket):
            s3.create_bucket(
                Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": PAIR.target.region}
            )
        yield


@pytest.fixture
def acts(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What was done, by two steps; one that is named ``broken`` first fails."""
    done: list[str] = []

    def act(name: str) -> str:
        if "broken" in done:
            done.remove("broken")
            raise RecoveryError("it broke")
        done.append(name)
        return name

    steps = {"check": lambda: act("check"), "database": lambda: act("database")}
    monkeypatch.setattr(Steps, "named", lambda _: steps)
    return done


def operation(kind: Kind = "switchover") -> Operation:
    return Operation(
        id=f"1-{kind}", kind=kind, target="there", other="here", by="somebody", started=now(), alive=now()
    )


def begin(kind: Kind = "switchover") -> Operation:
    return run.begin(kind, PAIR, WISHES, lambda _: None)


def resume() -> Operation:
    return run.resume(PAIR, WISHES, lambda _: None)


def test_of_two_shells_the_slower_is_refused() -> None:
    first, second = Journal(PAIR.target), Journal(PAIR.target)
    assert first.read() is second.read() is None
    first.write(operation())
    with pytest.raises(RecoveryError, match="Another shell works on there"):
        second.write(operation())
    second.read()
    second.write(operation())
    # The first has slept, and somebody has taken over meanwhile.
    with pytest.raises(RecoveryError, match="Another shell works on there"):
        first.write(operation())


def test_who_is_at_work_is_left_alone_for_a_minute(acts: list[str]) -> None:
    Journal(PAIR.target).write(operation())
    with pytest.raises(RecoveryError, match="somebody is at work on switchover 1-switchover"):
        begin()
    with pytest.raises(RecoveryError, match="less than a minute ago"):
        resume()
    assert acts == []


@pytest.mark.usefixtures("acts")
def test_who_is_silent_for_longer_is_followed_up(monkeypatch: pytest.MonkeyPatch) -> None:
    Journal(PAIR.target).write(operation())
    later = now() + dt.timedelta(seconds=journals.LEASE_SECONDS)
    monkeypatch.setattr(journals, "now", lambda: later)
    with pytest.raises(RecoveryError, match="was left half way: run `dr resume --to there`"):
        begin()
    assert resume().ended == "done"


def test_what_failed_half_way_goes_on_after_its_last_step(acts: list[str]) -> None:
    Journal(PAIR.target).write(operation())
    left = Journal(PAIR.target)
    half = left.read()
    assert half is not None
    half.steps.append(Done(step="check", started=now(), seconds=0.1, said="well"))
    half.interrupted = True
    left.write(half)
    acts.append("broken")
    with pytest.raises(RecoveryError, match="it broke"):
        resume()
    assert resume().ended == "done"
    assert acts == ["database"]


def test_what_was_refused_at_once_leaves_nothing_to_resume(acts: list[str]) -> None:
    acts.append("broken")
    with pytest.raises(RecoveryError, match="it broke"):
        begin()
    with pytest.raises(RecoveryError, match="there is nothing to resume"):
        resume()
    assert begin().ended == "done"


@pytest.mark.usefixtures("acts")
def test_a_region_that_is_lost_while_it_is_left_by_plan_is_failed_over() -> None:
    half = operation()
    half.interrupted = True
    Journal(PAIR.target).write(half)
    with pytest.raises(RecoveryError, match="half way"):
        begin()
    done = begin("failover")
    assert (done.kind, done.ended) == ("failover", "done")
    sealed = boto3.client("s3", region_name=PAIR.target.region).list_objects_v2(
        Bucket=PAIR.target.audit_bucket
    )
    assert [found["Key"] for found in sealed["Contents"]] == [f"recovery/{done.id}.json"]


def test_a_bucket_that_is_not_there_is_said_so() -> None:
    with pytest.raises(RecoveryError, match="The journal in archive-nowhere cannot be read: AWS answered"):
        Journal(stack("nowhere", "eu-central-1")).read()
