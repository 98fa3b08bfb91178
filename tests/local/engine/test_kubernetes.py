"""Manifests without a cluster, by the real engine: previewed, kept, changed, replaced and removed."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pulumi
import pulumi_kubernetes as kubernetes
import pytest

from local.home import Home
from local.pulumi.engine import EngineError
from local.pulumi.stack import Stack

SECRET = "not to be seen in any file"
# As EKS has it: whose credentials come from a command is not spoken to.
KUBECONFIG = json.dumps(
    {
        "current-context": "eks",
        "contexts": [{"name": "eks", "context": {"cluster": "eks", "user": "eks"}}],
        "clusters": [{"name": "eks", "cluster": {"server": "https://eks.example"}}],
        "users": [{"name": "eks", "user": {"exec": {"command": "aws"}}}],
    }
)


def workload(*, replicas: int = 2, level: str = "info", **more: Any) -> Callable[[], None]:
    """A program with two instances of the provider and a little of everything; ``more`` goes into the container."""

    def declare() -> None:
        provider = kubernetes.Provider("cluster", kubeconfig=pulumi.Output.secret(KUBECONFIG))
        mutable = kubernetes.Provider(
            "mutable",
            kubeconfig=pulumi.Output.secret(KUBECONFIG),
            namespace="other",
            enable_config_map_mutable=True,
        )
        within = pulumi.ResourceOptions(provider=provider)
        namespace = kubernetes.core.v1.Namespace("vanta", metadata={"name": "vanta"}, opts=within)
        name = namespace.metadata["name"]
        settings = kubernetes.core.v1.ConfigMap(
            "settings", metadata={"namespace": name}, data={"level": level}, immutable=True, opts=within
        )
        kubernetes.core.v1.Secret(
            "token",
            metadata={"namespace": name},
            string_data={"token": pulumi.Output.secret(SECRET)},
            opts=within,
        )
        container = {
            "name": "api",
            "image": "api",
            "envFrom": [{"configMapRef": {"name": settings.metadata["name"]}}],
            **more,
        }
        template = {"metadata": {"labels": {"app": "api"}}, "spec": {"containers": [container]}}
        spec: Any = {"replicas": replicas, "selector": {"matchLabels": {"app": "api"}}, "template": template}
        kubernetes.apps.v1.Deployment(
            "api", metadata={"name": "api", "namespace": name}, spec=spec, opts=within
        )
        kubernetes.helm.v3.Release(
            "mesh", chart="istiod", version="1.30.3", namespace=name, values={"a": {"b": 1}}, opts=within
        )
        notes = kubernetes.core.v1.ConfigMap(
            "notes", data={"level": level}, opts=pulumi.ResourceOptions(provider=mutable)
        )
        pulumi.export("settings", settings.metadata["name"])
        pulumi.export(
            "notes", pulumi.Output.format("{0}/{1}", notes.metadata["namespace"], notes.metadata["name"])
        )

    return declare


@pytest.fixture
def opened(engine: Path, home: Home) -> Callable[[Callable[[], None]], Stack]:
    """``opened(declare)``: one stack, whose program may change between its updates."""

    def stack(declare: Callable[[], None]) -> Stack:
        # No AWS is asked for anything.
        return Stack(
            "dev", folder=home.folder("stack"), engine=engine, endpoint="http://127.0.0.1:1", declare=declare
        )

    return stack


def test_manifests_are_kept_changed_in_place_or_replaced_and_removed(
    opened: Callable[[Callable[[], None]], Stack], home: Home
) -> None:
    made = opened(workload()).up()
    assert made.operations == {"create": 9}
    assert opened(workload()).preview().operations == {"same": 9}
    assert opened(workload()).refresh().operations == {"same": 9}

    # A new immutable ConfigMap has a new name, which rolls the pods; the other instance changes its own in place.
    changed = opened(workload(level="debug", replicas=3)).up()
    assert changed.operations == {"replace": 1, "update": 2, "same": 6}
    assert changed.outputs["settings"].startswith("settings-")
    assert changed.outputs["settings"] != made.outputs["settings"]
    assert changed.outputs["notes"] == made.outputs["notes"]
    assert changed.outputs["notes"].startswith("other/notes-")
    assert not [path for path in home.root.rglob("*.json") if SECRET in path.read_text()]
    assert opened(workload()).destroy().operations == {"delete": 9}


def test_a_preview_refuses_an_unknown_field_with_its_path(
    opened: Callable[[Callable[[], None]], Stack],
) -> None:
    with pytest.raises(
        EngineError, match=r"spec\.template\.spec\.containers\[0\]\.imagePullpolicy.* is not a field"
    ):
        opened(workload(imagePullpolicy="Always")).preview()
