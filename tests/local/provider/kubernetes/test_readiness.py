"""An update waits for what an object was made for, and says in the pods' own words why it does not come."""

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from local.provider.kubernetes.readiness import Pending, pending, troubles


def alone(*_: Any) -> Sequence[dict[str, Any]]:
    return []


def of(api_version: str, kind: str, spec: Mapping[str, Any], status: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "apiVersion": api_version,
        "kind": kind,
        "metadata": {"name": "a", "namespace": "n", "generation": 2},
        "spec": dict(spec),
        "status": {"observedGeneration": 2, **status},
    }


def condition(kind: str, status: str = "True", **more: str) -> dict[str, Any]:
    return {"conditions": [{"type": kind, "status": status, **more}]}


ROLLED = {"replicas": 3, "updatedReplicas": 3, "availableReplicas": 3}


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({}, None),
        ({"observedGeneration": 1}, "not seen it"),
        ({"updatedReplicas": 1}, "1 of 3 replicas are of the new version"),
        ({"replicas": 4}, "1 old replicas are still there"),
        ({"availableReplicas": 2}, "2 of 3 replicas are available"),
        (
            condition("Progressing", "False", reason="ProgressDeadlineExceeded", message="too slow"),
            "too slow",
        ),
    ],
)
def test_a_rollout_is_over_when_all_replicas_are_new_and_available(
    changed: Mapping[str, Any], why: str | None
) -> None:
    found = pending(of("apps/v1", "Deployment", {"replicas": 3}, {**ROLLED, **changed}), alone)
    assert (found is None) if why is None else (found is not None and why in found.reason)


def test_a_rollout_that_missed_its_deadline_is_not_waited_for() -> None:
    late = condition("Progressing", "False", reason="ProgressDeadlineExceeded")
    found = pending(of("apps/v1", "Deployment", {"replicas": 3}, late), alone)
    assert found is not None
    assert found.final


def test_a_paused_rollout_is_not_waited_for() -> None:
    assert pending(of("apps/v1", "Deployment", {"replicas": 3, "paused": True}, {}), alone) is None


def test_a_job_is_waited_for_until_it_completes_and_given_up_when_it_failed() -> None:
    assert pending(of("batch/v1", "Job", {}, condition("Complete")), alone) is None
    assert pending(of("batch/v1", "Job", {}, {"failed": 1}), alone) == Pending(
        "0 of 1 completions are done, 1 pods failed"
    )
    failed = condition("Failed", message="Job has reached the specified backoff limit")
    assert pending(of("batch/v1", "Job", {}, failed), alone) == Pending(
        "Job has reached the specified backoff limit", final=True
    )


def endpoints(*, ready: bool) -> Any:
    def look(api_version: str, kind: str, labels: Mapping[str, str]) -> Sequence[dict[str, Any]]:
        assert (api_version, kind) == ("discovery.k8s.io/v1", "EndpointSlice")
        assert labels == {"kubernetes.io/service-name": "a"}
        return [{"endpoints": [{"conditions": {"ready": ready}}]}]

    return look


def test_a_service_waits_for_a_pod_that_is_ready() -> None:
    service = of("v1", "Service", {"selector": {"app": "a"}}, {})
    assert pending(service, endpoints(ready=True)) is None
    assert pending(service, endpoints(ready=False)) == Pending("it selects no pod that is ready")
    assert pending(service, alone) == Pending("it selects no pod that is ready")


def test_a_service_that_selects_nothing_is_not_waited_for() -> None:
    assert pending(of("v1", "Service", {"clusterIP": "None"}, {}), alone) is None
    assert pending(of("v1", "Service", {"type": "ExternalName", "selector": {"a": "b"}}, {}), alone) is None


@pytest.mark.parametrize(("kind", "api"), [("Service", "v1"), ("Ingress", "networking.k8s.io/v1")])
def test_what_is_reached_from_outside_waits_for_its_address(kind: str, api: str) -> None:
    spec = {"selector": {"app": "a"}, "type": "LoadBalancer"}
    waiting = pending(of(api, kind, spec, {"loadBalancer": {}}), endpoints(ready=True))
    assert waiting == Pending("no load balancer has given it an address")
    addressed = {"loadBalancer": {"ingress": [{"ip": "192.0.2.1"}]}}
    assert pending(of(api, kind, spec, addressed), endpoints(ready=True)) is None


def test_a_claim_is_waited_for_unless_its_class_waits_for_a_pod() -> None:
    claim = of("v1", "PersistentVolumeClaim", {"storageClassName": "later"}, {"phase": "Pending"})

    def classes(*_: Any) -> Sequence[dict[str, Any]]:
        return [{"metadata": {"name": "later"}, "volumeBindingMode": "WaitForFirstConsumer"}]

    assert pending(claim, alone) == Pending("it is Pending")
    assert pending(claim, classes) is None
    assert pending(of("v1", "PersistentVolumeClaim", {}, {"phase": "Bound"}), alone) is None


def test_a_definition_is_waited_for_until_it_is_served() -> None:
    api = "apiextensions.k8s.io/v1"
    assert pending(of(api, "CustomResourceDefinition", {}, {}), alone) == Pending("it is not served yet")
    assert pending(of(api, "CustomResourceDefinition", {}, condition("Established")), alone) is None
    taken = pending(of(api, "CustomResourceDefinition", {}, condition("NamesAccepted", "False")), alone)
    assert taken is not None
    assert taken.final


def test_replicas_of_a_set_and_pods_of_all_nodes_are_waited_for() -> None:
    revisions = {"currentRevision": "b", "updateRevision": "b", "readyReplicas": 2}
    assert pending(of("apps/v1", "StatefulSet", {"replicas": 2}, revisions), alone) is None
    rolling = {**revisions, "currentRevision": "a", "updatedReplicas": 1}
    assert pending(of("apps/v1", "StatefulSet", {"replicas": 2}, rolling), alone) is not None
    nodes = {"desiredNumberScheduled": 2, "updatedNumberScheduled": 2, "numberAvailable": 2}
    assert pending(of("apps/v1", "DaemonSet", {}, nodes), alone) is None
    assert pending(of("apps/v1", "DaemonSet", {}, {**nodes, "numberAvailable": 1}), alone) is not None


def test_what_has_no_rule_is_ready_once_it_exists() -> None:
    assert pending(of("v1", "ConfigMap", {}, {}), alone) is None


def container(**state: Any) -> dict[str, Any]:
    return {
        "metadata": {"name": "a-1"},
        "status": {"containerStatuses": [{"name": "api", **state}], "conditions": []},
    }


@pytest.mark.parametrize(
    ("pod", "words"),
    [
        (
            container(state={"waiting": {"reason": "ImagePullBackOff", "message": 'Back-off pulling "x"'}}),
            'pod a-1, container api: ImagePullBackOff: Back-off pulling "x"',
        ),
        (
            container(state={"terminated": {"reason": "OOMKilled", "exitCode": 137}}),
            "pod a-1, container api: OOMKilled with exit code 137",
        ),
        (
            {
                "metadata": {"name": "a-1"},
                "status": condition("PodScheduled", "False", reason="Unschedulable", message="0/1 nodes"),
            },
            "pod a-1: Unschedulable: 0/1 nodes",
        ),
    ],
)
def test_pods_say_themselves_what_is_wrong(pod: dict[str, Any], words: str) -> None:
    assert troubles([pod]) == [words]


def test_a_container_that_crashes_again_and_again_says_how_it_ended() -> None:
    ended = {"terminated": {"reason": "Error", "exitCode": 1, "message": "no database\n"}}
    pod = container(state={"waiting": {"reason": "CrashLoopBackOff"}}, lastState=ended)
    assert troubles([pod]) == [
        "pod a-1, container api: CrashLoopBackOff",
        "pod a-1, container api: Error with exit code 1: no database",
    ]


def test_a_pod_that_starts_is_no_trouble() -> None:
    assert troubles([container(state={"waiting": {"reason": "ContainerCreating"}})]) == []
