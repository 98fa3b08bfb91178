"""A refresh shows what somebody changed, and nothing that the API server merely spells otherwise or adds."""

from typing import Any

from local.provider.kubernetes.drift import observed

CONTAINER = {"name": "api", "image": "a", "resources": {"limits": {"cpu": "1000m", "memory": "1Gi"}}}


def of(container: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"spec": {"template": {"spec": {"containers": [container]}}, **more}}


def test_defaults_and_other_spellings_are_no_drift() -> None:
    inputs = of(CONTAINER, paused=False, strategy={})
    limits = {"limits": {"cpu": "1", "memory": "1024Mi"}}
    there = of({**CONTAINER, "resources": limits, "imagePullPolicy": "Always"}, replicas=1)
    assert observed(inputs, {**there, "status": {"replicas": 1}}) == inputs


def test_another_value_is_drift() -> None:
    assert observed(of(CONTAINER), of({**CONTAINER, "image": "b"})) == of({**CONTAINER, "image": "b"})


def test_a_value_that_is_gone_is_drift() -> None:
    assert observed({"data": {"a": "1", "b": "2"}}, {"data": {"a": "1"}}) == {"data": {"a": "1"}}


def test_a_container_that_somebody_injected_is_not_the_programs() -> None:
    there = of(CONTAINER)
    there["spec"]["template"]["spec"]["containers"].insert(0, {"name": "mesh", "image": "m"})
    assert observed(of(CONTAINER), there) == of(CONTAINER)


def test_a_list_of_another_length_is_drift() -> None:
    assert observed({"command": ["a"]}, {"command": ["a", "b"]}) == {"command": ["a", "b"]}


def test_what_is_written_and_never_read_back_is_no_drift() -> None:
    assert observed({"stringData": {"a": "x"}}, {"data": {"a": "eA=="}}) == {"stringData": {"a": "x"}}
