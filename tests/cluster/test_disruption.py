"""What happens to pods, nodes and engines: clients lose what was under way at most, and everything comes back by itself."""

import os
import signal
from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest

from bench.clients import Clients
from bench.released import NAMESPACE, Released
from local.aws.emulator import Aws
from local.cluster.error import ClusterError
from local.cluster.node import NODE
from local.cluster.tool import run
from local.processes import Processes

Unnoticed = Callable[[], AbstractContextManager[Clients]]
RATE = 100
# Many small processes together, so that the kernel ends the one of the container, which it is told to do first.
GREEDY = """
import os, signal
open("/proc/1/oom_score_adj", "w").write("1000")
for _ in range(64):
    if not os.fork():
        kept = b"x" * (8 << 20)
        signal.pause()
os.wait()
"""


def pid(released: Released) -> int:
    """The process of the first pod's container, as this machine sees it."""
    container = released.pods()[0]["status"]["containerStatuses"][0]["containerID"].removeprefix(
        "containerd://"
    )
    ctr = ("ctr", "--address", str(released.platform.running.socket), "--namespace", "k8s.io")
    listed = run(*ctr, "tasks", "list").splitlines()
    return next(int(line.split()[1]) for line in listed if line.startswith(container))


def all_ready(released: Released) -> bool:
    return released.ready() == len(released.pods()) == released.deployment()["spec"]["replicas"]


def mended(sent: Clients, until: Callable[..., None]) -> float:
    """Let clients go on for a while, and return from when on none of their requests may have failed."""
    since = sent.now + 1
    until(lambda: sent.now > since + 2)
    return since


def lost_only_before(sent: Clients, since: float) -> int:
    """How many requests found nobody; none did after ``since``, and none was answered with an error."""
    failed = [answer for answer in sent.answers if not answer.good]
    assert {answer.status for answer in failed} <= {0}
    assert not [answer for answer in failed if answer.due > since]
    return len(failed)


def test_a_killed_pod_is_started_again_and_most_requests_go_to_the_others(
    released: Released, until: Callable[..., None]
) -> None:
    restarts = released.restarts()
    with released.clients(RATE) as sent:
        began = sent.now
        os.kill(pid(released), signal.SIGKILL)
        until(lambda: released.restarts() > restarts and all_ready(released), deadline=90)
        since = mended(sent, until)
    assert lost_only_before(sent, since) < (since - began) * RATE / 2


def test_a_pod_that_takes_too_much_memory_is_ended_by_the_kernel_and_started_again(
    released: Released, until: Callable[..., None]
) -> None:
    restarts, name = released.restarts(), released.pods()[0]["metadata"]["name"]
    with released.clients(RATE) as sent:
        began = sent.now
        with pytest.raises(ClusterError):
            released.kubectl("exec", name, "--namespace", NAMESPACE, "--", "python", "-c", GREEDY)
        until(lambda: released.restarts() > restarts and all_ready(released), deadline=90)
        since = mended(sent, until)
    status = released.get("pod", name)["status"]["containerStatuses"][0]
    assert status["lastState"]["terminated"]["reason"] == "OOMKilled"
    assert lost_only_before(sent, since) < (since - began) * RATE / 2


def test_pods_without_a_database_are_not_ready_and_not_restarted(
    released: Released, until: Callable[..., None]
) -> None:
    restarts, processes = released.restarts(), Processes(released.home)
    engines = [process.command.name for process in processes.all() if "postgres" in process.command.name]
    with released.clients(RATE) as sent:
        try:
            for engine in engines:
                processes.stop(engine)
            until(lambda: released.ready() == 0, deadline=60)
        finally:
            Aws(released.home).revive()
        until(lambda: all_ready(released), deadline=60)
        since = mended(sent, until)
    assert released.restarts() == restarts
    failed = [answer for answer in sent.answers if not answer.good]
    assert {answer.status for answer in failed} <= {0, 503}
    assert failed
    assert not [answer for answer in failed if answer.due > since]


def test_a_node_is_not_drained_of_its_last_pod(
    released: Released, unnoticed: Unnoticed, until: Callable[..., None]
) -> None:
    chosen = ("--pod-selector", "app.kubernetes.io/component=api", "--timeout=25s")
    with unnoticed():
        try:
            with pytest.raises(ClusterError, match="disruption budget"):
                released.kubectl("drain", NODE, *chosen)
            assert released.ready() == released.deployment()["spec"]["replicas"] - 1
        finally:
            released.kubectl("uncordon", NODE)
        until(lambda: all_ready(released), deadline=60)
