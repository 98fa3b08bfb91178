"""What the namespace takes beside the Pod Security Standard: nothing that the other objects could not find."""

import pulumi
import pulumi_kubernetes as kubernetes

from infra.aws.app_roles import NAMESPACE
from infra.kubernetes.metadata import COMPONENT, NAME, metadata
from infra.kubernetes.options import inside

POLICY = "vanta-labels"
_NEEDED = [NAME, COMPONENT]
_MISSING = f"{_NEEDED}.filter(label, !(label in object.metadata.?labels.orValue({{}})))"


class Admission(pulumi.ComponentResource):
    """Refuses what is not labelled: no network policy opens a door for it, no budget and no alert counts it.

    Produces ``ValidatingAdmissionPolicy`` and ``ValidatingAdmissionPolicyBinding``, for pods, and for what makes pods, so that
    who applies a Deployment is told, and not who looks for its pods later.

    Source: Kubernetes documentation, "Validating Admission Policy".
    """

    def __init__(self, name: str, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("vanta:kubernetes:Admission", name, None, opts)
        policy = kubernetes.admissionregistration.v1.ValidatingAdmissionPolicy(
            POLICY,
            metadata=metadata(POLICY, "admission", namespace=None),
            spec={
                "failure_policy": "Fail",
                "match_constraints": {
                    "resource_rules": [
                        _rule("", "pods"),
                        _rule("apps", "deployments"),
                        _rule("batch", "jobs", "cronjobs"),
                    ]
                },
                "validations": [
                    {
                        "expression": f"{_MISSING}.size() == 0",
                        "message_expression": f"'The object has no label ' + {_MISSING}.join(' and no label ')"
                        " + ': network policies, budgets and alerts find it by that; give it one.'",
                        "reason": "Invalid",
                    }
                ],
            },
            opts=inside(self, opts),
        )
        kubernetes.admissionregistration.v1.ValidatingAdmissionPolicyBinding(
            POLICY,
            metadata=metadata(POLICY, "admission", namespace=None),
            spec={
                "policy_name": POLICY,
                "validation_actions": ["Deny"],
                "match_resources": {
                    "namespace_selector": {"match_labels": {"kubernetes.io/metadata.name": NAMESPACE}}
                },
            },
            opts=inside(self, opts, policy),
        )
        self.register_outputs({})


def _rule(group: str, *resources: str) -> kubernetes.admissionregistration.v1.NamedRuleWithOperationsArgsDict:
    return {
        "api_groups": [group],
        "api_versions": ["v1"],
        "operations": ["CREATE", "UPDATE"],
        "resources": list(resources),
    }
