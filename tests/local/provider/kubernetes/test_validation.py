"""A manifest that the API server would refuse is refused before it, with the path of what is wrong."""

import copy
import re
from collections.abc import Iterator
from typing import Any

import pytest

from local.provider.kubernetes import definitions, kinds
from local.provider.kubernetes.kinds import UnknownKindError
from local.provider.kubernetes.manifest import faults, kind_of
from local.provider.kubernetes.validation import problems
from local.provider.values import UNKNOWN

DEPLOYMENT: dict[str, Any] = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {"name": "api", "namespace": "vanta", "labels": {"app.kubernetes.io/name": "api"}},
    "spec": {
        "replicas": 2,
        "selector": {"matchLabels": {"app": "api"}},
        "strategy": {"rollingUpdate": {"maxUnavailable": 0, "maxSurge": "25%"}},
        "template": {
            "metadata": {"labels": {"app": "api"}},
            "spec": {
                "containers": [
                    {
                        "name": "api",
                        "image": "api@sha256:0",
                        "ports": [{"containerPort": 8080}],
                        "resources": {"requests": {"cpu": "250m", "memory": "1Gi"}, "limits": {"cpu": 1}},
                    }
                ]
            },
        },
    },
}
CONTAINER = "spec.template.spec.containers[0]"


def refused(path: str, value: Any) -> list[tuple[str, str]]:
    """What is said of the Deployment with ``value`` at ``path``."""
    manifest = copy.deepcopy(DEPLOYMENT)
    target: Any = manifest
    *parents, last = re.findall(r"[^.\[\]]+", path)
    for name in parents:
        target = target[int(name) if isinstance(target, list) else name]
    target[last] = value
    return faults(manifest, kind_of(manifest))


def test_a_manifest_that_the_api_server_takes_is_not_objected_to() -> None:
    assert faults(DEPLOYMENT, kind_of(DEPLOYMENT)) == []


def test_an_unknown_field_is_refused_with_its_path_and_those_there_are() -> None:
    ((path, reason),) = refused(f"{CONTAINER}.imagePullpolicy", "Always")
    assert path == f"{CONTAINER}.imagePullpolicy"
    assert "imagePullPolicy" in reason


@pytest.mark.parametrize(
    ("path", "value", "reason"),
    [
        ("spec.replicas", "2", "must be an integer, not a string"),
        ("spec.replicas", True, "must be an integer, not a boolean"),
        ("spec.replicas", 2**31, "does not fit into 32 bits"),
        ("spec.paused", "true", "must be a boolean, not a string"),
        ("spec.template", [], "must be an object, not a list"),
        ("spec.template.spec.containers", {}, "must be a list, not an object"),
        ("metadata.labels.tier", 1, "must be a string, not an integer"),
        ("spec.strategy.rollingUpdate.maxSurge", 0.5, "must be an integer or a string, not a number"),
        (
            f"{CONTAINER}.resources.limits.memory",
            "1 GB",
            "must be a quantity such as 500m or 1Gi, not a string",
        ),
    ],
)
def test_a_value_of_the_wrong_kind_is_refused_with_its_path(path: str, value: Any, reason: str) -> None:
    assert refused(path, value) == [(path, reason)]


def test_what_is_required_and_missing_is_named() -> None:
    assert refused("spec", {"template": {}}) == [("spec.selector", "is required")]


def test_two_items_of_one_key_are_refused_for_only_one_would_be_kept() -> None:
    ports = [{"containerPort": 80}, {"containerPort": 80, "protocol": "TCP"}]
    ((path, reason),) = refused(f"{CONTAINER}.ports", ports)
    assert path == f"{CONTAINER}.ports[1]"
    assert "containerPort, protocol" in reason


def test_one_port_for_two_protocols_is_no_duplicate() -> None:
    assert (
        refused(f"{CONTAINER}.ports", [{"containerPort": 53}, {"containerPort": 53, "protocol": "UDP"}]) == []
    )


def test_a_value_that_only_an_update_will_know_fits_everywhere() -> None:
    for path in (
        "spec.replicas",
        "spec.template",
        f"{CONTAINER}.resources.limits.cpu",
        "metadata.labels",
        "metadata",
    ):
        assert refused(path, UNKNOWN) == []


@pytest.mark.parametrize("quantity", ["0", "1.5", ".5", "100m", "1e3", "128974848", "1Ki", "2E", 3, "-1"])
def test_each_spelling_of_a_quantity_is_understood(quantity: Any) -> None:
    assert refused(f"{CONTAINER}.resources.limits.memory", quantity) == []


@pytest.mark.parametrize("name", ["State-API", "api_", "-api", "a" * 254])
def test_a_name_that_the_api_server_refuses_is_refused(name: str) -> None:
    assert [path for path, _ in refused("metadata.name", name)] == ["metadata.name"]


def test_a_role_may_have_a_name_with_colons() -> None:
    role = {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": {"name": "a:b"}}
    assert faults(role, kind_of(role)) == []


def test_a_label_that_is_none_is_refused() -> None:
    assert [path for path, _ in refused("metadata.labels.tier", "a b")] == ["metadata.labels.tier"]


def test_a_kind_that_nothing_brings_is_refused_by_name_with_the_remedy() -> None:
    with pytest.raises(UnknownKindError, match=r"no Gadget in example\.com/v1.*crds\.py"):
        kind_of({"apiVersion": "example.com/v1", "kind": "Gadget"})


def custom(api_version: str, kind: str, spec: dict[str, Any]) -> list[tuple[str, str]]:
    manifest = {"apiVersion": api_version, "kind": kind, "metadata": {"name": "a"}, "spec": spec}
    return faults(manifest, kind_of(manifest))


def test_a_custom_resource_is_held_to_its_definition() -> None:
    spec = {"secretStoreRef": {"name": "aws"}, "dataa": [], "refreshInterval": 3}
    found = dict(custom("external-secrets.io/v1", "ExternalSecret", spec))
    assert found.keys() == {"spec.dataa", "spec.refreshInterval"}


def test_a_pattern_and_an_enumeration_of_a_definition_are_held_to() -> None:
    endpoint = {"port": "http", "interval": "30 s", "scheme": "gopher"}
    spec = {"selector": {}, "endpoints": [endpoint]}
    found = custom("monitoring.coreos.com/v1", "ServiceMonitor", spec)
    assert {path for path, _ in found} == {"spec.endpoints[0].interval", "spec.endpoints[0].scheme"}


def test_a_refusal_does_not_repeat_a_value_that_may_be_a_secret() -> None:
    secret = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "s"},
        "stringData": {"a": ["hunter2"]},
    }
    assert "hunter2" not in str(faults(secret, kind_of(secret)))


ONE_OF = {
    "oneOf": [{"required": ["a"]}, {"required": ["b"]}],
    "properties": {"a": {"type": "string"}, "b": {}},
}
NOT = {"type": "object", "properties": {"a": {}, "b": {}}, "not": {"required": ["a", "b"]}}
BOUNDS = {"type": "integer", "minimum": 1, "maximum": 3}


@pytest.mark.parametrize(
    ("schema", "value", "fits"),
    [
        (ONE_OF, {"a": "x"}, True),
        (ONE_OF, {"a": "x", "b": 1}, False),
        (ONE_OF, {}, False),
        (ONE_OF, {"b": 1, "c": 1}, False),
        (NOT, {"a": 1}, True),
        (NOT, {"a": 1, "b": 1}, False),
        (BOUNDS, 3, True),
        (BOUNDS, 4, False),
        (BOUNDS, 0, False),
        ({"type": "string", "maxLength": 2}, "abc", False),
        ({"type": "array", "items": {"type": "integer"}, "minItems": 1}, [], False),
        ({"type": "object", "additionalProperties": {"type": "integer"}}, {"a": "1"}, False),
        (
            {"type": "object", "x-kubernetes-preserve-unknown-fields": True, "properties": {"a": {}}},
            {"b": 1},
            True,
        ),
        ({"x-kubernetes-int-or-string": True, "anyOf": [{"type": "integer"}, {"type": "string"}]}, "1", True),
        (
            {"x-kubernetes-int-or-string": True, "anyOf": [{"type": "integer"}, {"type": "string"}]},
            1.5,
            False,
        ),
        ({"type": "string", "nullable": True}, None, True),
        ({"type": "string"}, None, False),
    ],
)
def test_each_word_of_a_schema_is_held_to(schema: dict[str, Any], value: Any, *, fits: bool) -> None:
    assert (problems(value, schema) == []) is fits


EVERYTHING = [*kinds.everything(), *definitions.everything()]


def patterns(schema: Any) -> Iterator[str]:
    if isinstance(schema, dict):
        pattern = schema.get("pattern")
        if isinstance(pattern, str):
            yield pattern
        for value in schema.values():
            yield from patterns(value)
    elif isinstance(schema, list):
        for value in schema:
            yield from patterns(value)


def test_each_pattern_of_a_known_kind_can_be_judged_here() -> None:
    found = {pattern for kind in EVERYTHING for pattern in patterns(kind.schema)}
    assert len(found) > 10
    for pattern in found:
        problems("", {"type": "string", "pattern": pattern})


def test_the_documents_have_the_kinds_that_a_workload_is_made_of() -> None:
    known = {(kind.api_version, kind.name): kind for kind in EVERYTHING}
    assert (
        known["apps/v1", "Deployment"].path("vanta", "api")
        == "/apis/apps/v1/namespaces/vanta/deployments/api"
    )
    assert known["v1", "Namespace"].path(None, "vanta") == "/api/v1/namespaces/vanta"
    assert known["external-secrets.io/v1", "SecretStore"].namespaced
    assert not known["storage.k8s.io/v1", "StorageClass"].namespaced


def test_the_document_is_that_of_the_version_that_a_cluster_here_runs() -> None:
    document = kinds.DOCUMENT.content
    assert document["version"] == kinds.VERSION, "run python -m local.provider.kubernetes.kinds"
