"""What a change asks of Kubernetes and of Pulumi, and what it does when they do not answer."""

from collections.abc import Callable
from pathlib import Path

import pytest

from app.recovery.errors import LostError
from app.recovery.journal import Kind
from app.recovery.stacks import Pair
from app.recovery.steps import SkippedError, Steps, Wishes

from .stacks import stack

Program = Callable[[str, str], Path]

WISHES = Wishes(lag_limit=10)
PAIR = Pair(
    target=stack("there", "eu-central-1", global_cluster="vanta", kubernetes="cluster-there"),
    other=stack("here", "eu-west-1", global_cluster="vanta", kubernetes="cluster-here"),
)


@pytest.fixture
def steps(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Steps]:
    """``steps(kind, wishes)`` of a pair that has Kubernetes and no names."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "nobody")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "any")

    def of(kind: Kind, wishes: Wishes = WISHES) -> Steps:
        return Steps(kind, PAIR, wishes, lambda: None)

    return of


def test_pods_are_there_before_the_database(steps: Callable[..., Steps], program: Program) -> None:
    calls = program(
        "kubectl",
        'case "$*" in *get*) echo \'{"spec": {"replicas": 2}, "status": {"readyReplicas": 0}}\';; esac',
    )
    assert steps("switchover").pods() == "2 wanted"
    assert calls.read_text().splitlines()[0] == (
        "--context cluster-there --namespace vanta get deployment/state-api --output json"
    )
    assert "scale" not in calls.read_text()


def test_a_lost_region_is_left_without_pods_if_it_answers(
    steps: Callable[..., Steps], program: Program
) -> None:
    calls = program("kubectl", "true")
    assert steps("failover").fence() == "here has no pods any more"
    assert calls.read_text() == (
        "--context cluster-here --namespace vanta scale deployment/state-api --replicas=0\n"
    )
    program("kubectl", "echo 'Unable to connect' >&2; exit 1")
    with pytest.raises(SkippedError, match="Its database stays fenced"):
        steps("failover").fence()


def test_only_a_fail_over_takes_pods_away(steps: Callable[..., Steps]) -> None:
    assert "fence" in steps("failover").named()
    assert "fence" not in {*steps("switchover").named(), *steps("failback").named()}


def test_a_way_back_does_not_go_on_with_a_cache_of_another_past(
    steps: Callable[..., Steps], program: Program
) -> None:
    calls = program("kubectl", "echo '3 streams begin anew'")
    assert steps("failback").cache() == "3 streams begin anew"
    assert calls.read_text().endswith("exec deployment/state-api -- python -m app dr new-timeline\n")
    program("kubectl", "exit 1")
    with pytest.raises(LostError):
        steps("failback").cache()
    # The cache of a standby has not served since the databases parted.
    with pytest.raises(SkippedError):
        steps("failover").cache()


def test_without_kubernetes_it_is_said(steps: Callable[..., Steps], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(SkippedError, match="there is no `kubectl` on PATH"):
        steps("switchover").pods()


def test_both_states_are_refreshed_unless_one_region_is_lost(
    steps: Callable[..., Steps], program: Program
) -> None:
    calls = program("pulumi", "true")
    assert steps("switchover").reconcile() == "there and here: refreshed, and nothing would change"
    assert steps("failover").reconcile() == "there: refreshed, and nothing would change"
    asked = [" ".join(line.split()[:3]) for line in calls.read_text().splitlines()]
    assert asked == ["refresh --yes --skip-preview", "preview --expect-no-changes --stack"] * 3


def test_nobody_waits_for_a_state_that_cannot_be_had(steps: Callable[..., Steps], program: Program) -> None:
    program("pulumi", "echo 'error: no such host' >&2; exit 1")
    with pytest.raises(SkippedError, match="refresh and preview there later"):
        steps("failover").reconcile()
    with pytest.raises(SkippedError, match="left out"):
        steps("failover", Wishes(lag_limit=10, reconcile=False)).reconcile()
