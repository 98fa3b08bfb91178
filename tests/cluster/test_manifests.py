"""Every manifest of every stack is taken by a real API server with admission on, and nothing that it adds looks like a change."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest

from local.aws.emulator import Aws
from local.cluster import crds, light
from local.home import Home
from local.provider.kubernetes import definitions
from local.provider.kubernetes.access import Access
from local.provider.kubernetes.cluster import ApiError, Cluster
from local.provider.kubernetes.kinds import Kind, builtin
from local.provider.kubernetes.waiting import until_ready
from local.provider.values import Properties
from local.pulumi.stack import Stack

# Where the template of a pod is; what is made of it later would be refused with nobody looking.
TEMPLATES = {
    "apps/v1 Deployment": ("template",),
    "batch/v1 Job": ("template",),
    "batch/v1 CronJob": ("jobTemplate", "spec", "template"),
}
ACCESS = Access.of
DEFINITION = "apiextensions.k8s.io/v1", "CustomResourceDefinition"


def kind(api_version: str, name: str) -> Kind:
    found = builtin(api_version, name)
    assert found is not None
    return found


def open_definition(name: str) -> Properties:
    """A definition that takes anything, for a kind whose own cannot be had."""
    api_version, kind = name.split(" ")
    group, version = api_version.split("/")
    plural = definitions.UNJUDGED[name]
    schema = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    return {
        "apiVersion": DEFINITION[0],
        "kind": DEFINITION[1],
        "metadata": {
            "name": f"{plural}.{group}",
            # The group is Kubernetes' own, which wants to know who agreed.
            "annotations": {"api-approved.kubernetes.io": "unapproved, for a test"},
        },
        "spec": {
            "group": group,
            "scope": "Namespaced",
            "names": {"plural": plural, "kind": kind, "singular": kind.lower(), "listKind": f"{kind}List"},
            "versions": [
                {"name": version, "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}
            ],
        },
    }


def with_definitions(kubeconfig: Path) -> Cluster:
    """The cluster once it serves the custom resources that the operators bring."""
    access = Access.of({"kubeconfig": str(kubeconfig)})
    assert access.kubeconfig is not None
    cluster = Cluster(access.kubeconfig, access.context)
    brought = [*crds.definitions(), *map(open_definition, definitions.UNJUDGED)]
    made = [cluster.apply(kind(*DEFINITION), definition) for definition in brought]
    for definition in made:
        until_ready(cluster, kind(*DEFINITION), definition)
    return cluster


@pytest.mark.parametrize("stacks", [["dev"], ["prod", "prod-dr"]], ids="-and-".join)
def test_each_manifest_is_admitted_and_stays_as_it_was_declared(
    stacks: list[str],
    engine: Path,
    aws: Aws,
    tmp_path: Path,
    open_home: Callable[[Path], AbstractContextManager[Home]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The emulator's EKS runs no API server: one stands in for each, and no pod runs that could be waited for."""
    monkeypatch.setattr("local.provider.kubernetes.provider.until_ready", lambda _, __, found: found)
    applied: list[Properties] = []
    apply = Cluster.apply

    def recorded(self: Cluster, kind: Kind, manifest: Properties, **how: bool) -> Properties:
        found = apply(self, kind, manifest, **how)
        applied.append(found)
        return found

    for name in stacks:
        with open_home(tmp_path / f"light-{name}") as home, light.serving(home) as kubeconfig:
            cluster = with_definitions(kubeconfig)
            there = ACCESS({"kubeconfig": str(kubeconfig)})
            with monkeypatch.context() as patched:
                patched.setattr(Access, "of", lambda _, there=there: there)
                patched.setattr(Cluster, "apply", recorded)
                stack = Stack(name, folder=tmp_path, engine=engine, endpoint=aws.endpoint)
                made = stack.up()
                assert len(applied) > 20
                assert stack.preview().operations == {"same": made.operations["create"]}
                assert set(stack.refresh().operations) == {"same"}
            # A database that follows takes no migration, and the stack that stands by has no job for it.
            judge_pods(cluster, applied, at_least=2 if name == "prod-dr" else 3)
            applied.clear()


def judge_pods(cluster: Cluster, applied: list[Properties], at_least: int) -> None:
    """The pods that ``applied`` will make are admitted, and each that is a little worse is refused."""
    pods = [pod for found in applied if (pod := pod_of(found))]
    assert len(pods) >= at_least
    for pod in pods:
        cluster.apply(kind("v1", "Pod"), pod, dry=True)
        with pytest.raises(ApiError, match="violates PodSecurity"):
            cluster.apply(kind("v1", "Pod"), as_root(pod), dry=True)
        with pytest.raises(ApiError, match=r"no label app\.kubernetes\.io/component: .* give it one"):
            cluster.apply(kind("v1", "Pod"), unlabelled(pod), dry=True)


def pod_of(found: Properties) -> Properties | None:
    """The pod that ``found`` will make, if it makes any."""
    path = TEMPLATES.get(f"{found['apiVersion']} {found['kind']}")
    if path is None:
        return None
    template: Any = found["spec"]
    for name in path:
        template = template[name]
    # A Job's controller gives these to its template; they would name the pod of another.
    labels = {k: v for k, v in template["metadata"].get("labels", {}).items() if "controller-uid" not in k}
    metadata = {"name": "tried", "namespace": found["metadata"]["namespace"], "labels": labels}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": template["spec"]}


def as_root(pod: Properties) -> Properties:
    containers = [
        {**container, "securityContext": {**container["securityContext"], "runAsUser": 0}}
        for container in pod["spec"]["containers"]
    ]
    return {**pod, "spec": {**pod["spec"], "containers": containers}}


def unlabelled(pod: Properties) -> Properties:
    labels = {
        name: value for name, value in pod["metadata"]["labels"].items() if not name.endswith("component")
    }
    return {**pod, "metadata": {**pod["metadata"], "labels": labels}}


def test_the_schemas_here_are_those_of_the_definitions_that_a_cluster_gets() -> None:
    known = {f"{kind.api_version} {kind.name}": kind.schema for kind in definitions.everything()}
    fetched = definitions.reduced(crds.definitions())
    assert known == {name: brought["schema"] for name, brought in fetched.items()}, (
        "run python -m local.provider.kubernetes.definitions"
    )
