"""The API server alone judges manifests as a whole cluster does, and its controllers clean up after them."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from local.cluster import crds
from local.cluster.build import find_binaries
from local.cluster.error import ClusterError
from local.cluster.kubectl import Kubectl

CONTEXT = "vanta-light"


@pytest.fixture(scope="session")
def kubectl(light_cluster: Path) -> Kubectl:
    binaries = find_binaries()
    assert binaries is not None
    return Kubectl(program=binaries.kubernetes, kubeconfig=light_cluster, context=CONTEXT)


@pytest.fixture
def namespace(kubectl: Kubectl, request: pytest.FixtureRequest, until: Callable[..., None]) -> str:
    """A namespace in which Pod Security is restricted."""
    name = f"light-{abs(hash(request.node.name)) % 10**8}"
    labels = {"pod-security.kubernetes.io/enforce": "restricted"}
    kubectl.apply([{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}}])
    # Without its service account every pod is refused, before anybody looks at what else is wrong with it.
    until(lambda: "default" in kubectl("get", "serviceaccounts", "-n", name, "-o", "name"))
    return name


def pod(namespace: str, **container: Any) -> dict[str, Any]:
    context = {
        "runAsNonRoot": True,
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
        "seccompProfile": {"type": "RuntimeDefault"},
    }
    listed = [{"name": "one", "image": "none", "securityContext": context, **container}]
    metadata = {"name": "one", "namespace": namespace}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": {"containers": listed}}


def test_a_pod_that_is_restricted_is_admitted(kubectl: Kubectl, namespace: str) -> None:
    kubectl.apply([pod(namespace)])


def test_a_privileged_pod_is_refused(kubectl: Kubectl, namespace: str) -> None:
    with pytest.raises(ClusterError, match=r'violates PodSecurity "restricted'):
        kubectl.apply([pod(namespace, securityContext={"privileged": True})])


def test_a_field_that_does_not_exist_is_refused(kubectl: Kubectl, namespace: str) -> None:
    with pytest.raises(ClusterError, match="imagePullpolicy"):
        kubectl.apply([pod(namespace, imagePullpolicy="Always")])


def test_a_namespace_goes_away_with_all_in_it(kubectl: Kubectl, namespace: str) -> None:
    kubectl("create", "configmap", "one", "-n", namespace)
    kubectl("delete", "namespace", namespace, "--timeout=60s")
    assert namespace not in kubectl("get", "namespaces", "-o", "name")


def test_objects_of_custom_resources_are_judged(kubectl: Kubectl, namespace: str) -> None:
    crds.install(kubectl)
    known = json.loads(kubectl("get", "customresourcedefinitions", "-o", "json"))["items"]
    assert {definition["metadata"]["name"] for definition in known} >= {
        definition["metadata"]["name"] for definition in crds.definitions()
    }
    secret = {
        "apiVersion": "external-secrets.io/v1",
        "kind": "ExternalSecret",
        "metadata": {"name": "one", "namespace": namespace},
        "spec": {"secretStoreRef": {"name": "store", "kind": "Cupboard"}},
    }
    with pytest.raises(ClusterError, match="Cupboard"):
        kubectl.apply([secret])
    secret["spec"] = {"secretStoreRef": {"name": "store", "kind": "SecretStore"}}
    kubectl.apply([secret])
