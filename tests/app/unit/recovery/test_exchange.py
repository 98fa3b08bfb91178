"""The exchange of a database for one that is older: nobody writes meanwhile, and nobody believes the cache afterwards."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import cast

import boto3
import msgspec
import pytest
from moto import mock_aws

from app.recovery import run
from app.recovery.errors import RecoveryError
from app.recovery.exchange import exchange
from app.recovery.journal import Done, Journal, Operation
from app.recovery.restore import Restore
from app.recovery.stacks import Stack

from .stacks import stack

Program = Callable[[str, str], Path]

STACK = stack("here", kubernetes="cluster-here")
# As many pods are ready as were asked for last.
KUBECTL = """
case "$*" in
  *--replicas=*) echo "${*##*--replicas=}" > REPLICAS;;
  *get*) count=$(cat REPLICAS); echo "{\\"spec\\": {\\"replicas\\": $count}, \\"status\\": {\\"readyReplicas\\": $count}}";;
esac
"""


class Exchanged:
    """Stands for the two clusters: writes down when they are exchanged, which fails as often as it is ``broken``."""

    name = "vanta-here-database"

    def __init__(self, calls: Path, stack: Stack = STACK, *, at: str = "noon", broken: int = 0) -> None:
        self._calls, self._broken, self._done = calls, broken, False
        self.stack, self.restored = stack, f"vanta-here-database-at-{at}"
        self.alive: Callable[[], None] = lambda: None

    def judge(self) -> None:
        """Nothing speaks against it."""

    def address(self) -> tuple[str, int] | None:
        return None if self._done else ("beside.example", 5432)

    def exchange(self, tell: Callable[[str], None]) -> None:
        self.alive()
        if self._broken:
            self._broken -= 1
            raise RecoveryError("it broke")
        with self._calls.open("a") as calls:
            calls.write("exchanged\n")
        self._done = True
        tell("renamed")


@pytest.fixture(autouse=True)
def s3(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The stack's buckets."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "nobody")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "any")
    with mock_aws():
        client = boto3.client("s3", region_name=STACK.region)
        for bucket in (STACK.archive_bucket, STACK.audit_bucket):
            client.create_bucket(
                Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": STACK.region}
            )
        yield


@pytest.fixture
def calls(program: Program, tmp_path: Path) -> Path:
    """What was asked of ``kubectl``, where three pods run, and of RDS."""
    replicas = tmp_path / "replicas"
    replicas.write_text("3")
    return program("kubectl", KUBECTL.replace("REPLICAS", str(replicas)))


def swap(clusters: Exchanged, told: list[Done] | None = None, *, api_stopped: bool = False) -> Operation:
    tell = (lambda _: None) if told is None else told.append
    return exchange(cast("Restore", clusters), tell, api_stopped=api_stopped)


def asked(calls: Path) -> list[str]:
    """The calls that change something, in order."""
    lines = [line.partition(" --namespace vanta ")[2] or line for line in calls.read_text().splitlines()]
    return [line for line in lines if not line.startswith("get ")]


NEW_TIMELINE = "python -m app dr new-timeline"
MISTRUST = f"exec deployment/state-api -- env VANTA_DATABASE_HOST=beside.example VANTA_DATABASE_PORT=5432 {NEW_TIMELINE}"
STOP, START = (f"scale deployment/state-api --replicas={count}" for count in (0, 1))
FORGET = f"exec deployment/state-api -- {NEW_TIMELINE}"


def test_pods_write_to_neither_and_believe_no_cache(calls: Path) -> None:
    swap(Exchanged(calls))
    assert asked(calls) == [MISTRUST, STOP, "exchanged", START, FORGET]


def test_what_was_interrupted_goes_on_after_the_last_finished_step(calls: Path) -> None:
    clusters = Exchanged(calls, broken=1)
    with pytest.raises(RecoveryError, match=r"^it broke$"):
        swap(clusters)
    swap(clusters)
    # Whoever has started pods meanwhile finds them ended once more.
    assert asked(calls) == [MISTRUST, STOP, STOP, "exchanged", START, FORGET]


def test_what_is_over_is_not_done_again(calls: Path) -> None:
    clusters = Exchanged(calls)
    first = swap(clusters)
    before = asked(calls)
    assert swap(clusters).id == first.id
    assert asked(calls) == before


def test_another_exchange_waits_until_the_one_that_was_left_is_over(calls: Path) -> None:
    with pytest.raises(RecoveryError, match=r"^it broke$"):
        swap(Exchanged(calls, broken=1))
    with pytest.raises(RecoveryError, match=r"at-noon was left half way: repeat that `dr swap` first"):
        swap(Exchanged(calls, at="one"))


def test_of_two_shells_one_alone_exchanges(calls: Path) -> None:
    Journal(STACK, f"swap-{STACK.database}").write(run.new("swap", "here", "vanta-here-database-at-noon"))
    with pytest.raises(RecoveryError, match=r" was at work on .* less than a minute ago: "):
        swap(Exchanged(calls))
    assert not calls.exists()


def test_the_record_of_it_is_evidence(calls: Path) -> None:
    told: list[Done] = []
    done = swap(Exchanged(calls), told)
    kept = boto3.client("s3", region_name=STACK.region).get_object(
        Bucket=STACK.audit_bucket, Key=f"recovery/{done.id}.json"
    )
    record = json.loads(kept["Body"].read())
    assert (record["kind"], record["target"], record["ended"]) == ("swap", "here", "done")
    assert record["other"] == "vanta-here-database-at-noon"
    assert [step["step"] for step in record["steps"]] == ["check", "cache", "database", "pods", "streams"]
    assert told[-1].step == "evidence"


def test_where_writers_cannot_be_stopped_nothing_is_exchanged(tmp_path: Path) -> None:
    calls = tmp_path / "calls"
    stack = msgspec.structs.replace(STACK, kubernetes="")
    with pytest.raises(RecoveryError, match=r"end the API yourself and say --api-stopped\.$"):
        swap(Exchanged(calls, stack))
    assert not calls.exists()
    told: list[Done] = []
    swap(Exchanged(calls, stack), told, api_stopped=True)
    assert asked(calls) == ["exchanged"]
    assert [done.step for done in told if done.skipped] == ["cache", "pods", "streams"]
    assert "new-timeline" in next(done.said for done in told if done.step == "pods")
