"""The provider without a cluster: names, refusals, what is kept; and which kubeconfig means a cluster at all."""

import json
from pathlib import Path
from typing import Any

import pytest

from local.provider.kubernetes.access import Access
from local.provider.kubernetes.cluster import UnreachableError
from local.provider.kubernetes.kinds import UnknownKindError
from local.provider.kubernetes.provider import KubernetesProvider
from local.provider.protocol import Provider, State
from local.provider.values import UNKNOWN

CONFIG_MAP, RELEASE = "kubernetes:core/v1:ConfigMap", "kubernetes:helm.sh/v3:Release"
BARE: dict[str, Any] = {"apiVersion": "v1", "kind": "ConfigMap", "data": {"a": "1"}}


def kubeconfig(server: str = "https://a.example", **user: Any) -> str:
    return json.dumps(
        {
            "current-context": "main",
            "contexts": [{"name": "main", "context": {"cluster": "c", "user": "u", "namespace": "mine"}}],
            "clusters": [{"name": "c", "cluster": {"server": server}}],
            "users": [{"name": "u", "user": user}],
        }
    )


@pytest.fixture
def provider() -> Provider:
    return KubernetesProvider().configure({})


def test_a_name_that_is_not_given_is_drawn_from_the_resources(provider: Provider) -> None:
    first, second = (provider.completed(CONFIG_MAP, "settings", {}, BARE)["metadata"] for _ in range(2))
    assert first["name"].startswith("settings-")
    assert first["name"] != second["name"]
    assert first["annotations"] == {"pulumi.com/autonamed": "true"}


def test_a_drawn_name_is_kept_as_long_as_the_resource_lives(provider: Provider) -> None:
    old = provider.completed(CONFIG_MAP, "settings", {}, BARE)
    new = provider.completed(CONFIG_MAP, "settings", old, {**BARE, "data": {"a": "2"}})
    assert new["metadata"] == old["metadata"]


def test_a_name_that_was_given_before_is_not_kept_when_it_is_left_out(provider: Provider) -> None:
    new = provider.completed(CONFIG_MAP, "settings", {**BARE, "metadata": {"name": "mine"}}, BARE)
    assert new["metadata"]["name"].startswith("settings-")


def test_a_given_name_is_taken_as_it_is(provider: Provider) -> None:
    given = {**BARE, "metadata": {"name": "mine"}}
    assert provider.completed(CONFIG_MAP, "settings", {}, given)["metadata"] == {
        "name": "mine",
        "namespace": "default",
    }


def test_a_name_that_only_an_update_will_know_is_left_to_it(provider: Provider) -> None:
    given = {**BARE, "metadata": {"name": UNKNOWN, "namespace": UNKNOWN}}
    assert provider.completed(CONFIG_MAP, "settings", {}, given) == given
    assert (
        provider.completed(CONFIG_MAP, "settings", {}, {**BARE, "metadata": UNKNOWN})["metadata"] == UNKNOWN
    )


def test_what_lies_in_no_namespace_gets_none(provider: Provider) -> None:
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "vanta"}}
    assert provider.completed("kubernetes:core/v1:Namespace", "vanta", {}, namespace) == namespace


def test_the_namespace_is_the_providers_then_the_contexts() -> None:
    # Without a server to speak to: the credentials come from a command.
    config = {"kubeconfig": kubeconfig(exec={"command": "aws"})}
    for more, namespace in (({}, "mine"), ({"namespace": "other"}, "other")):
        configured = KubernetesProvider().configure({**config, **more})
        assert configured.completed(CONFIG_MAP, "a", {}, BARE)["metadata"]["namespace"] == namespace


def test_what_the_schema_refuses_is_refused_by_its_path(provider: Provider) -> None:
    inputs = {**BARE, "metadata": {"name": "a"}, "dataa": {}}
    assert [failure.property for failure in provider.check(CONFIG_MAP, inputs)] == ["dataa"]


def test_a_name_that_the_server_would_draw_is_refused_with_the_remedy(provider: Provider) -> None:
    (failure,) = provider.check(CONFIG_MAP, {**BARE, "metadata": {"generateName": "a-"}})
    assert failure.property == "metadata.generateName"
    assert "leave it out" in failure.reason


def test_a_patch_of_somebody_elses_object_is_refused(provider: Provider) -> None:
    with pytest.raises(UnknownKindError, match="ConfigMapPatch"):
        provider.completed("kubernetes:core/v1:ConfigMapPatch", "a", {}, BARE)


def test_without_a_cluster_a_manifest_is_kept(provider: Provider) -> None:
    inputs = {**BARE, "metadata": {"name": "a", "namespace": "n"}}
    state = provider.create(CONFIG_MAP, inputs)
    assert state == State("n/a", inputs)
    assert provider.read(CONFIG_MAP, state, inputs) == state
    assert provider.observed_inputs(CONFIG_MAP, state, inputs) == inputs
    assert provider.update(CONFIG_MAP, state, inputs, {**inputs, "data": {}}).properties["data"] == {}


def test_a_release_is_held_to_the_types_of_the_sdk_and_kept(provider: Provider) -> None:
    inputs = {"chart": "istiod", "version": "1.30.3", "values": {"any": {"thing": 1}}}
    inputs = provider.completed(RELEASE, "mesh", {}, inputs)
    assert inputs["name"].startswith("mesh-")
    assert provider.completed(RELEASE, "mesh", inputs, {"chart": "istiod"})["name"] == inputs["name"]
    assert provider.check(RELEASE, inputs) == []
    assert [f.property for f in provider.check(RELEASE, {**inputs, "charts": "x"})] == ["charts"]
    assert [f.property for f in provider.check(RELEASE, {**inputs, "timeout": "5m"})] == ["timeout"]
    state = provider.create(RELEASE, inputs)
    assert state.properties["status"]["status"] == "deployed"
    assert provider.replaces(RELEASE, {"version", "name"}, inputs) == {"name"}


def test_a_kubeconfig_of_the_machine_is_never_taken_by_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "config"
    path.write_text(kubeconfig(token="t"))
    monkeypatch.setenv("KUBECONFIG", str(path))
    assert Access.of({}).kubeconfig is None


def test_a_cluster_whose_credentials_come_from_a_command_is_the_emulators_and_not_spoken_to() -> None:
    assert Access.of({"kubeconfig": kubeconfig(exec={"command": "aws"})}).kubeconfig is None


@pytest.mark.parametrize("as_file", [False, True])
def test_a_kubeconfig_is_a_text_or_a_file(tmp_path: Path, *, as_file: bool) -> None:
    given = kubeconfig(token="t")
    if as_file:
        (tmp_path / "config").write_text(given)
        given = str(tmp_path / "config")
    found = Access.of({"kubeconfig": given})
    assert found.kubeconfig is not None
    assert (found.context, found.namespace) == ("main", "mine")


@pytest.mark.parametrize(
    ("config", "name", "word"),
    [
        (
            {"kubeconfig": "/nowhere/config"},
            "kubeconfig",
            "no kubeconfig at /nowhere/config: start the cluster",
        ),
        (
            {"kubeconfig": kubeconfig(), "context": "prod"},
            "kubeconfig",
            "no entry prod in contexts, only main",
        ),
        ({"kubeconfig": "- a\n- b\n"}, "kubeconfig", "no YAML of a kind"),
        ({"kubeconfg": "x"}, "kubeconfg", "is not a property"),
        ({"renderYamlToDirectory": "out"}, "renderYamlToDirectory", "is not implemented"),
        ({"enableServerSideApply": "false"}, "enableServerSideApply", "by the server alone"),
        ({"helmReleaseSettings": '{"driverr": "x"}'}, "helmReleaseSettings.driverr", "is not a property"),
    ],
)
def test_a_configuration_that_cannot_work_is_refused_with_the_remedy(
    config: dict[str, str], name: str, word: str
) -> None:
    (failure,) = KubernetesProvider().check_config(config)
    assert failure.property == name
    assert word in failure.reason


def test_options_travel_as_json() -> None:
    config = {"enableServerSideApply": "true", "enableConfigMapMutable": "true", "kubeconfig": kubeconfig()}
    assert KubernetesProvider().check_config(config) == []
    assert Access.of(config).options["enableConfigMapMutable"]


def test_another_server_is_another_cluster_and_another_token_is_not() -> None:
    provider = KubernetesProvider()
    old = {"kubeconfig": kubeconfig(token="old")}
    assert provider.config_replaces(old, {"kubeconfig": kubeconfig(token="new")}) == set()
    assert provider.config_replaces(old, {"kubeconfig": kubeconfig("https://b.example")}) == {"kubeconfig"}
    assert provider.config_replaces(old, {"kubeconfig": UNKNOWN}) == set()


def test_a_cluster_that_does_not_answer_is_named_with_the_remedy_unless_what_it_had_may_be_given_up() -> None:
    config = {"kubeconfig": kubeconfig("https://127.0.0.1:1", token="t")}
    inputs = {**BARE, "metadata": {"name": "a", "namespace": "n"}}
    with pytest.raises(
        UnreachableError, match=r"Nothing answers at https://127\.0\.0\.1:1.*start the cluster"
    ):
        KubernetesProvider().configure(config).create(CONFIG_MAP, inputs)
    given_up = KubernetesProvider().configure({**config, "deleteUnreachable": "true"})
    given_up.delete(CONFIG_MAP, State("n/a", inputs))
    with pytest.raises(UnreachableError):
        KubernetesProvider().configure(config).delete(CONFIG_MAP, State("n/a", inputs))
