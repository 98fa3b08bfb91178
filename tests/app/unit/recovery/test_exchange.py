"""The exchange of a database for one that is older: nobody writes meanwhile, and nobody believes the cache afterwards."""

from collections.abc import Callable
from pathlib import Path
from typing import cast

import msgspec
import pytest

from app.recovery.errors import RecoveryError
from app.recovery.exchange import exchange
from app.recovery.restore import Restore
from app.recovery.stacks import Stack

Program = Callable[[str, str], Path]

STACK = Stack(
    name="here",
    region="eu-west-1",
    account="111122223333",
    global_cluster="",
    database="vanta-here-database",
    archive_bucket="archive",
    audit_bucket="audit",
    kubernetes="cluster-here",
    host="",
    own_host="",
    zone_id="",
)
# As many pods are ready as were asked for last.
KUBECTL = """
case "$*" in
  *--replicas=*) echo "${*##*--replicas=}" > REPLICAS;;
  *get*) count=$(cat REPLICAS); echo "{\\"spec\\": {\\"replicas\\": $count}, \\"status\\": {\\"readyReplicas\\": $count}}";;
esac
"""


class Exchanged:
    """Stands for the two clusters: writes down when they are exchanged."""

    def __init__(self, calls: Path, stack: Stack = STACK, *, done: bool = False) -> None:
        self._calls, self._done, self.stack = calls, done, stack

    def judge(self) -> None:
        """Nothing speaks against it."""

    def address(self) -> tuple[str, int] | None:
        return None if self._done else ("beside.example", 5432)

    def exchange(self, _: Callable[[str], None]) -> None:
        with self._calls.open("a") as calls:
            calls.write("exchanged\n")


@pytest.fixture
def calls(program: Program, tmp_path: Path) -> Path:
    """What was asked of ``kubectl``, where three pods run, and of RDS."""
    replicas = tmp_path / "replicas"
    replicas.write_text("3")
    return program("kubectl", KUBECTL.replace("REPLICAS", str(replicas)))


def asked(calls: Path) -> list[str]:
    """The calls that change something, in order."""
    lines = [line.partition(" --namespace vanta ")[2] or line for line in calls.read_text().splitlines()]
    return [line for line in lines if not line.startswith("get ")]


NEW_TIMELINE = "python -m app dr new-timeline"


def test_pods_write_to_neither_and_believe_no_cache(calls: Path) -> None:
    exchange(cast("Restore", Exchanged(calls)), lambda _: None, api_stopped=False)
    assert asked(calls) == [
        f"exec deployment/state-api -- env VANTA_DATABASE_HOST=beside.example VANTA_DATABASE_PORT=5432 {NEW_TIMELINE}",
        "scale deployment/state-api --replicas=0",
        "exchanged",
        "scale deployment/state-api --replicas=1",
        f"exec deployment/state-api -- {NEW_TIMELINE}",
    ]


def test_what_was_interrupted_after_the_exchange_is_finished(calls: Path) -> None:
    exchange(cast("Restore", Exchanged(calls, done=True)), lambda _: None, api_stopped=False)
    assert asked(calls)[-2:] == [
        "scale deployment/state-api --replicas=1",
        f"exec deployment/state-api -- {NEW_TIMELINE}",
    ]


def test_where_writers_cannot_be_stopped_nothing_is_exchanged(tmp_path: Path) -> None:
    calls = tmp_path / "calls"
    stack = msgspec.structs.replace(STACK, kubernetes="")
    with pytest.raises(RecoveryError, match=r"end the API yourself and say --api-stopped\.$"):
        exchange(cast("Restore", Exchanged(calls, stack)), lambda _: None, api_stopped=False)
    assert not calls.exists()
    told: list[str] = []
    exchange(cast("Restore", Exchanged(calls, stack)), told.append, api_stopped=True)
    assert asked(calls) == ["exchanged"]
    assert "new-timeline" in told[-1]
