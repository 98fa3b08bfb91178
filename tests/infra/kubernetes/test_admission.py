"""What the namespace refuses beside what Pod Security does; that it does refuse it, a real API server shows in ``tests/cluster``."""

from typing import Any

from infra.kubernetes.metadata import COMPONENT, NAME, selector


def test_what_selectors_look_for_has_to_be_there(prod: Any) -> None:
    (rule,) = prod.one("ValidatingAdmissionPolicy").inputs["spec"]["validations"]
    assert {NAME, COMPONENT} == selector("any").keys()
    for label in selector("any"):
        assert f"'{label}'" in rule["expression"]
        assert f"'{label}'" in rule["messageExpression"]


def test_it_is_refused_in_the_namespace_of_the_state_api_alone(prod: Any) -> None:
    binding = prod.one("ValidatingAdmissionPolicyBinding").inputs["spec"]
    assert binding["policyName"] == prod.one("ValidatingAdmissionPolicy").inputs["metadata"]["name"]
    assert binding["validationActions"] == ["Deny"]
    selected = binding["matchResources"]["namespaceSelector"]["matchLabels"]
    assert selected == {"kubernetes.io/metadata.name": prod.one("Deployment").inputs["metadata"]["namespace"]}


def test_a_judge_that_fails_lets_nothing_in(prod: Any) -> None:
    assert prod.one("ValidatingAdmissionPolicy").inputs["spec"]["failurePolicy"] == "Fail"
