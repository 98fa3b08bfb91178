"""Every pod of ours: admitted by the restricted Pod Security Standard, sized, named, and told where it is."""

from collections.abc import Callable
from typing import Any

import pytest

STACKS = ["dev", "prod", "standby", "elsewhere"]
Templates = Callable[[Any], dict[str, dict[str, Any]]]


@pytest.fixture(params=STACKS)
def stack(request: pytest.FixtureRequest) -> Any:
    return request.getfixturevalue(request.param)


def test_every_pod_is_admitted_by_the_restricted_standard(stack: Any, templates: Templates) -> None:
    """Kubernetes documentation, "Pod Security Standards": what restricted asks for, and what baseline forbids."""
    assert templates(stack)
    for template in templates(stack).values():
        pod = template["spec"]
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert pod["securityContext"]["runAsUser"] == 65532
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        assert not {"hostNetwork", "hostPID", "hostIPC", "initContainers"} & pod.keys()
        assert {next(iter(volume.keys() - {"name"})) for volume in pod["volumes"]} <= {"secret", "configMap"}
        (container,) = pod["containers"]
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        assert all("hostPort" not in port for port in container.get("ports", []))


def test_nothing_in_a_pod_can_be_written(stack: Any, templates: Templates) -> None:
    for template in templates(stack).values():
        (container,) = template["spec"]["containers"]
        assert all(mount["readOnly"] for mount in container["volumeMounts"])


def test_no_pod_has_a_token_for_the_api_of_kubernetes(stack: Any, templates: Templates) -> None:
    for template in templates(stack).values():
        assert template["spec"]["automountServiceAccountToken"] is False
        assert template["spec"]["enableServiceLinks"] is False
    for account in stack.all("ServiceAccount"):
        assert account.inputs["automountServiceAccountToken"] is False


def test_every_container_says_what_it_needs(stack: Any, templates: Templates) -> None:
    for template in templates(stack).values():
        resources = template["spec"]["containers"][0]["resources"]
        assert resources["requests"].keys() == {"cpu", "memory"}
        assert resources["limits"].keys() == {"memory"}


def test_the_quota_of_the_namespace_holds_a_full_rollout(stack: Any, templates: Templates) -> None:
    (hard,) = [quota.inputs["spec"]["hard"] for quota in stack.all("ResourceQuota")]
    replicas = stack.one("HorizontalPodAutoscaler").inputs["spec"]["maxReplicas"]
    # One more of each while a rollout runs, and the jobs at the same time.
    pods = replicas + len(templates(stack))
    (container,) = templates(stack)["state-api"]["spec"]["containers"]
    assert int(hard["pods"]) >= pods
    for key in ("requests.cpu", "requests.memory", "limits.memory"):
        kind, unit = key.split(".")
        assert _number(hard[key]) >= pods * _number(container["resources"][kind][unit])


def _number(quantity: str) -> int:
    return int(quantity.removesuffix("Mi").removesuffix("m"))


def test_every_object_carries_the_recommended_labels(stack: Any, objects: Callable[[Any], list[Any]]) -> None:
    wanted = {f"app.kubernetes.io/{label}" for label in ("name", "component", "part-of", "managed-by")}
    assert len(objects(stack)) > 20
    for each in objects(stack):
        assert wanted <= each.inputs["metadata"]["labels"].keys(), each.name


def test_every_namespace_names_its_pod_security_standard_in_a_pinned_version(stack: Any) -> None:
    for namespace in stack.all("Namespace"):
        if not namespace.type.startswith("kubernetes:"):
            continue
        labels = namespace.inputs["metadata"]["labels"]
        name = namespace.inputs["metadata"]["name"]
        level = "privileged" if name in ("istio-system", "monitoring") else "restricted"
        for mode in ("enforce", "audit", "warn"):
            assert labels[f"pod-security.kubernetes.io/{mode}"] == level
            assert labels[f"pod-security.kubernetes.io/{mode}-version"] == "v1.35"


def test_a_pod_reads_the_secrets_of_its_own_account_alone(prod: Any, templates: Templates) -> None:
    found = {
        name: (template["spec"]["serviceAccountName"], template["spec"]["volumes"][0]["secret"]["secretName"])
        for name, template in templates(prod).items()
    }
    assert found == {
        "state-api": ("state-api", "state-api"),
        "rewrap": ("state-api", "state-api"),
        "migration": ("state-api-migration", "state-api-migration"),
    }


def test_the_pods_get_the_environment_of_the_stack(prod: Any) -> None:
    made = prod.one("ConfigMap", "state-api-environment").inputs
    assert made["data"] == prod.outputs["appEnvironment"]
    assert made["immutable"] is True
    # Named by the engine: a change makes another one, and with it other pods.
    assert "name" not in made["metadata"]


def test_a_cluster_elsewhere_gets_its_own_addresses_and_authorities(
    elsewhere: Any, templates: Templates
) -> None:
    environment = elsewhere.one("ConfigMap", "state-api-environment").inputs["data"]
    assert environment["VANTA_DATABASE_HOST"] == "10.0.0.7"
    assert environment["VANTA_CACHE_HOST"] == elsewhere.outputs["appEnvironment"]["VANTA_CACHE_HOST"]
    (container,) = templates(elsewhere)["state-api"]["spec"]["containers"]
    variables = {variable["name"]: variable["value"] for variable in container["env"]}
    (mount,) = [m["mountPath"] for m in container["volumeMounts"] if m["name"] == "authorities"]
    assert variables["VANTA_DATABASE_CA"] == variables["VANTA_CACHE_CA"] == f"{mount}/authorities.pem"
    authorities = elsewhere.one("ConfigMap", "state-api-authorities").inputs["data"]
    assert authorities == {"authorities.pem": "-----BEGIN CERTIFICATE-----\n"}
