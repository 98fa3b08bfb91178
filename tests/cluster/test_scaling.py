"""The autoscaler of the program, with the cluster's own metrics: pods come under load and go after it, unnoticed."""

from collections.abc import Callable
from contextlib import AbstractContextManager

from bench.clients import Clients
from bench.released import Released

Unnoticed = Callable[[], AbstractContextManager[Clients]]
# Of the CPU that a pod asks for: what the clients here take is more than that, what probes take is less.
BUSY_PERCENT = 12


def test_pods_come_under_load_and_go_after_it(
    released: Released, unnoticed: Unnoticed, until: Callable[..., None]
) -> None:
    least = released.autoscaler()["spec"]["minReplicas"]
    with released.scaling_at(BUSY_PERCENT):
        until(lambda: len(released.pods()) == released.ready() == least, deadline=120)
        with unnoticed():
            until(lambda: released.ready() > least, deadline=120)
        with released.clients(1) as sent:
            until(lambda: len(released.pods()) == least, deadline=240)
    assert sent.outcome().failures == {}
