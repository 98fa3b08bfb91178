"""The kubernetes provider against a real API server: what it makes, refuses, replaces, waits for and removes."""

import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pulumi
import pulumi_kubernetes as kubernetes
import pytest

from local.home import Home
from local.provider.kubernetes.access import Access
from local.provider.kubernetes.cluster import Cluster
from local.provider.kubernetes.kinds import Kind, builtin
from local.provider.kubernetes.provider import KubernetesProvider, RefusedError
from local.provider.protocol import PartlyCreatedError, Provider
from local.pulumi.stack import Stack

CONFIG_MAP, DEPLOYMENT, NAMESPACE = (
    "kubernetes:core/v1:ConfigMap",
    "kubernetes:apps/v1:Deployment",
    "kubernetes:core/v1:Namespace",
)


@pytest.fixture(scope="session")
def provider(light_cluster: Path) -> Provider:
    return KubernetesProvider().configure({"kubeconfig": str(light_cluster)})


@pytest.fixture(scope="session")
def cluster(light_cluster: Path) -> Cluster:
    """The same cluster, as somebody else sees it."""
    access = Access.of({"kubeconfig": str(light_cluster)})
    assert access.kubeconfig is not None
    return Cluster(access.kubeconfig, access.context)


@pytest.fixture
def namespace(provider: Provider) -> str:
    return made_namespace(provider, {})


def made_namespace(provider: Provider, labels: dict[str, str]) -> str:
    name = f"test-{secrets.token_hex(4)}"
    metadata = {"name": name, "labels": labels}
    provider.create(NAMESPACE, {"apiVersion": "v1", "kind": "Namespace", "metadata": metadata})
    return name


def config_map(namespace: str, annotations: dict[str, str] | None = None, **data: str) -> dict[str, Any]:
    metadata = {"name": "settings", "namespace": namespace, "annotations": annotations or {}}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}


def deployment(namespace: str, **annotations: str) -> dict[str, Any]:
    template = {
        "metadata": {"labels": {"app": "api"}},
        "spec": {"containers": [{"name": "api", "image": "api", "resources": {"limits": {"cpu": "1000m"}}}]},
    }
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {
            "name": "api",
            "namespace": namespace,
            "annotations": {f"pulumi.com/{name}": value for name, value in annotations.items()},
        },
        "spec": {"replicas": 2, "selector": {"matchLabels": {"app": "api"}}, "template": template},
    }


def kind(api_version: str, name: str) -> Kind:
    found = builtin(api_version, name)
    assert found is not None
    return found


def as_somebody_else(cluster: Cluster, manifest: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as other:
        other.setattr("local.provider.kubernetes.cluster.MANAGER", "somebody")
        cluster.apply(kind(manifest["apiVersion"], manifest["kind"]), manifest, force=True)


def test_an_object_is_made_read_changed_and_removed(provider: Provider, namespace: str) -> None:
    inputs = config_map(namespace, a="1", b="1")
    state = provider.create(CONFIG_MAP, inputs)
    assert state.id == f"{namespace}/settings"
    assert state.properties["metadata"]["uid"]
    changed = provider.update(CONFIG_MAP, state, inputs, config_map(namespace, a="2"))
    assert changed.properties["data"] == {"a": "2"}
    found = provider.read(CONFIG_MAP, state, inputs)
    assert found is not None
    assert found.properties["data"] == {"a": "2"}
    provider.delete(CONFIG_MAP, found)
    assert provider.read(CONFIG_MAP, state, inputs) is None
    provider.delete(CONFIG_MAP, found)


def test_an_object_that_exists_is_not_taken_over(
    provider: Provider, cluster: Cluster, namespace: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    as_somebody_else(cluster, config_map(namespace, a="1"), monkeypatch)
    for attempt in (
        lambda: provider.create(CONFIG_MAP, config_map(namespace, a="2")),
        lambda: provider.planned(CONFIG_MAP, None, config_map(namespace, a="2")),
    ):
        with pytest.raises(RefusedError, match="exists already and is not the stack's"):
            attempt()


def test_a_field_of_another_manager_is_a_conflict_until_it_is_taken_over(
    provider: Provider, cluster: Cluster, namespace: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    inputs, wanted = config_map(namespace, a="1"), config_map(namespace, a="3")
    state = provider.create(CONFIG_MAP, inputs)
    as_somebody_else(cluster, config_map(namespace, a="2"), monkeypatch)
    with pytest.raises(RefusedError, match=r'data\.a \(conflict with "somebody"'):
        provider.planned(CONFIG_MAP, state, wanted)
    with pytest.raises(RefusedError, match=r"pulumi\.com/patchForce"):
        provider.update(CONFIG_MAP, state, inputs, wanted)
    forced = config_map(namespace, {"pulumi.com/patchForce": "true"}, a="3")
    assert provider.update(CONFIG_MAP, state, inputs, forced).properties["data"] == {"a": "3"}


def test_a_refresh_sees_what_somebody_changed_and_nothing_else(
    provider: Provider, cluster: Cluster, namespace: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    inputs = deployment(namespace, skipAwait="true")
    state = provider.create(DEPLOYMENT, inputs)
    assert provider.observed_inputs(DEPLOYMENT, state, inputs) == inputs
    scaled = {**inputs, "spec": {**inputs["spec"], "replicas": 5}}
    as_somebody_else(cluster, scaled, monkeypatch)
    found = provider.read(DEPLOYMENT, state, inputs)
    assert found is not None
    assert provider.observed_inputs(DEPLOYMENT, found, inputs) == scaled


def test_a_preview_is_refused_by_what_only_the_server_knows(provider: Provider, namespace: str) -> None:
    inputs = deployment(namespace)
    inputs["spec"]["selector"] = {"matchLabels": {"app": "another"}}
    with pytest.raises(RefusedError, match="does not match template `labels`"):
        provider.planned(DEPLOYMENT, None, inputs)


def test_a_preview_is_refused_by_admission(provider: Provider) -> None:
    restricted = made_namespace(provider, {"pod-security.kubernetes.io/enforce": "restricted"})
    spec = {"containers": [{"name": "a", "image": "a", "securityContext": {"runAsUser": 0}}]}
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "a", "namespace": restricted},
        "spec": spec,
    }
    with pytest.raises(
        RefusedError, match='violates PodSecurity "restricted:latest": allowPrivilegeEscalation'
    ):
        provider.planned("kubernetes:core/v1:Pod", None, pod)


def test_a_preview_changes_nothing(provider: Provider, namespace: str) -> None:
    inputs = config_map(namespace, a="1")
    assert provider.planned(CONFIG_MAP, None, inputs) == inputs
    state = provider.create(CONFIG_MAP, inputs)
    provider.planned(CONFIG_MAP, state, config_map(namespace, a="2"))
    found = provider.read(CONFIG_MAP, state, inputs)
    assert found is not None
    assert found.properties["data"] == {"a": "1"}


def test_what_waits_for_a_namespace_of_the_same_update_can_be_previewed(provider: Provider) -> None:
    inputs = config_map("not-there-yet", a="1")
    assert provider.planned(CONFIG_MAP, None, inputs) == inputs


def test_what_the_server_calls_immutable_means_a_replacement(provider: Provider, namespace: str) -> None:
    spec = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
    metadata = {"name": "data", "namespace": namespace, "annotations": {"pulumi.com/skipAwait": "true"}}
    claim = {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": metadata, "spec": spec}
    token = "kubernetes:core/v1:PersistentVolumeClaim"
    provider.create(token, claim)
    blocks = {**claim, "spec": {**spec, "volumeMode": "Block"}}
    assert provider.replaces(token, {"spec.volumeMode"}, blocks) == {"spec.volumeMode"}
    labelled = {**claim, "metadata": {**metadata, "labels": {"a": "b"}}}
    assert provider.replaces(token, {"metadata.labels.a"}, labelled) == set()


def test_a_deletion_is_over_when_all_that_was_owned_is_gone(
    provider: Provider, cluster: Cluster, namespace: str
) -> None:
    state = provider.create(DEPLOYMENT, deployment(namespace, timeoutSeconds="60", skipAwait="true"))
    awaited = deployment(namespace, timeoutSeconds="1")
    with pytest.raises(PartlyCreatedError):
        # Its pods are made, though no node is there for them.
        provider.update(DEPLOYMENT, state, awaited, awaited)
    pods, sets = kind("v1", "Pod"), kind("apps/v1", "ReplicaSet")
    assert cluster.list(sets, namespace, {"app": "api"})
    found = provider.read(DEPLOYMENT, state, {})
    assert found is not None
    waited = {**found.properties["metadata"], "annotations": {"pulumi.com/timeoutSeconds": "60"}}
    found.properties["metadata"] = waited
    provider.delete(DEPLOYMENT, found)
    assert (
        cluster.list(sets, namespace, {"app": "api"}) == cluster.list(pods, namespace, {"app": "api"}) == []
    )


def test_a_rollout_that_does_not_come_is_recorded_with_what_is_missing(
    provider: Provider, namespace: str
) -> None:
    with pytest.raises(PartlyCreatedError, match=r"Deployment api is not ready: .* of 2 replicas") as raised:
        provider.create(DEPLOYMENT, deployment(namespace, timeoutSeconds="1"))
    assert raised.value.state.id == f"{namespace}/api"
    assert raised.value.state.properties["metadata"]["uid"]


def test_a_custom_resource_follows_its_definition_at_once_and_is_held_to_it(
    provider: Provider, namespace: str
) -> None:
    group = f"{namespace}.example.com"
    size = {"type": "integer", "minimum": 1, "x-kubernetes-validations": [{"rule": "self != 13"}]}
    spec = {"type": "object", "properties": {"size": size}}
    version = {
        "name": "v1",
        "served": True,
        "storage": True,
        "schema": {"openAPIV3Schema": {"type": "object", "properties": {"spec": spec}}},
    }
    definition = {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"gadgets.{group}"},
        "spec": {
            "group": group,
            "scope": "Namespaced",
            "names": {"plural": "gadgets", "singular": "gadget", "kind": "Gadget", "listKind": "GadgetList"},
            "versions": [version],
        },
    }
    provider.create("kubernetes:apiextensions.k8s.io/v1:CustomResourceDefinition", definition)
    token = f"kubernetes:{group}/v1:Gadget"
    metadata = {"name": "g", "namespace": namespace}

    def gadget(**spec: Any) -> dict[str, Any]:
        return {"apiVersion": f"{group}/v1", "kind": "Gadget", "metadata": metadata, "spec": spec}

    for wrong, word in ((gadget(weight=1), r"\.spec\.weight"), (gadget(size=13), "failed rule")):
        with pytest.raises(RefusedError, match=word):
            provider.planned(token, None, wrong)
    assert provider.create(token, gadget(size=1)).properties["spec"] == {"size": 1}


@pytest.fixture
def opened(light_cluster: Path, engine: Path, home: Home) -> Callable[..., Stack]:
    """``opened(namespace, level)``: one stack of a room with settings that are replaced and a workload that uses them."""

    def stack(namespace: str, level: str) -> Stack:
        def declare() -> None:
            provider = kubernetes.Provider(
                "cluster", kubeconfig=pulumi.Output.secret(light_cluster.read_text())
            )
            within = pulumi.ResourceOptions(provider=provider)
            room = kubernetes.core.v1.Namespace("room", metadata={"name": namespace}, opts=within)
            name = room.metadata["name"]
            settings = kubernetes.core.v1.ConfigMap(
                "settings", metadata={"namespace": name}, data={"level": level}, immutable=True, opts=within
            )
            manifest = deployment(namespace, skipAwait="true")
            container = manifest["spec"]["template"]["spec"]["containers"][0]
            container["envFrom"] = [{"configMapRef": {"name": settings.metadata["name"]}}]
            kubernetes.apps.v1.Deployment(
                "api",
                metadata={**manifest["metadata"], "namespace": name},
                spec=manifest["spec"],
                opts=within,
            )
            kubernetes.core.v1.Secret(
                "fixed",
                metadata={"name": "fixed", "namespace": name},
                string_data={"level": pulumi.Output.secret(level)},
                opts=within,
            )

        # No AWS is asked for anything.
        return Stack(
            "dev", folder=home.folder("stack"), engine=engine, endpoint="http://127.0.0.1:1", declare=declare
        )

    return stack


def test_the_real_engine_applies_sees_no_change_replaces_and_removes(
    opened: Callable[..., Stack], cluster: Cluster
) -> None:
    namespace = f"test-{secrets.token_hex(4)}"
    assert opened(namespace, "info").preview().operations == {"create": 6}
    assert opened(namespace, "info").up().operations == {"create": 6}
    assert opened(namespace, "info").up().operations == {"same": 6}
    assert opened(namespace, "info").refresh().operations == {"same": 6}
    # The settings get a new name beside the old; the secret has to keep its own, so that the old one goes first.
    changed = opened(namespace, "a level that is secret")
    assert changed.preview().operations == changed.up().operations == {"replace": 2, "update": 1, "same": 3}
    maps = [
        m
        for m in cluster.list(kind("v1", "ConfigMap"), namespace, {})
        if m["metadata"]["name"] != "kube-root-ca.crt"
    ]
    assert [found["data"] for found in maps] == [{"level": "a level that is secret"}]
    assert cluster.get(kind("v1", "Secret"), namespace, "fixed")
    assert opened(namespace, "info").destroy().operations == {"delete": 6}
    assert cluster.get(kind("v1", "Namespace"), None, namespace) is None
