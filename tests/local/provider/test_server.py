"""The engine's side of a provider: each instance has its own configuration, and what is ignored is not compared."""

from typing import Any

import grpc
import pytest
from pulumi.runtime.proto import provider_pb2

from local.provider.kubernetes.provider import KubernetesProvider
from local.provider.protocol import State
from local.provider.server import ProviderServicer
from local.provider.values import from_struct, to_struct

URN = "urn:pulumi:dev::vanta::kubernetes:core/v1:ConfigMap::settings"
MANIFEST = {"apiVersion": "v1", "kind": "ConfigMap"}


class Aborted(Exception):  # noqa: N818 - what gRPC itself raises
    pass


class Context:
    """A call that came by the connection ``peer``."""

    def __init__(self, peer: str) -> None:
        self._peer = peer

    def peer(self) -> str:
        return self._peer

    def abort(self, code: grpc.StatusCode, details: str) -> None:
        raise Aborted(f"{code}: {details}")


def configured(servicer: ProviderServicer, peer: str, **config: Any) -> None:
    servicer.Configure(provider_pb2.ConfigureRequest(args=to_struct(config)), Context(peer))


def namespace(servicer: ProviderServicer, peer: str) -> str:
    checked = servicer.Check(provider_pb2.CheckRequest(urn=URN, news=to_struct(MANIFEST)), Context(peer))
    return from_struct(checked.inputs)["metadata"]["namespace"]


def test_two_instances_of_a_provider_keep_their_own_configuration() -> None:
    servicer = ProviderServicer(KubernetesProvider())
    configured(servicer, "one", namespace="first")
    configured(servicer, "two", namespace="second")
    assert [namespace(servicer, peer) for peer in ("one", "two", "one")] == ["first", "second", "first"]


def test_a_new_connection_of_the_only_instance_is_its() -> None:
    servicer = ProviderServicer(KubernetesProvider())
    configured(servicer, "one", namespace="first")
    assert namespace(servicer, "again") == "first"


def test_a_connection_that_none_of_several_instances_configured_is_refused() -> None:
    servicer = ProviderServicer(KubernetesProvider())
    configured(servicer, "one", namespace="first")
    configured(servicer, "two", namespace="second")
    with pytest.raises(Aborted, match="which of the 2 configurations of kubernetes"):
        namespace(servicer, "three")


def test_a_secret_in_the_configuration_is_read() -> None:
    signed = {"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", "value": "quiet"}
    servicer = ProviderServicer(KubernetesProvider())
    configured(servicer, "one", namespace=signed)
    assert namespace(servicer, "one") == "quiet"


def difference(old: dict[str, Any], new: dict[str, Any], *ignored: str) -> provider_pb2.DiffResponse:
    servicer = ProviderServicer(KubernetesProvider())
    request = provider_pb2.DiffRequest(
        urn=URN, old_inputs=to_struct(old), news=to_struct(new), ignoreChanges=ignored
    )
    return servicer.Diff(request, Context("one"))


def manifest(**data: str) -> dict[str, Any]:
    return {**MANIFEST, "metadata": {"name": "a", "namespace": "n"}, "data": data}


def test_a_replacement_is_told_by_path_and_waits_for_a_name_that_is_taken() -> None:
    found = difference(manifest(a="1", b="1"), manifest(a="2", b="1"))
    assert found.changes == provider_pb2.DiffResponse.DIFF_SOME
    assert list(found.replaces) == ["data"]
    assert found.deleteBeforeReplace
    assert found.detailedDiff["data.a"].kind == provider_pb2.PropertyDiff.UPDATE_REPLACE
    assert list(found.detailedDiff) == ["data.a"]


@pytest.mark.parametrize("ignored", ["data.a", "data"])
def test_what_is_ignored_is_not_compared_at_any_depth(ignored: str) -> None:
    assert (
        difference(manifest(a="1"), manifest(a="2"), ignored).changes == provider_pb2.DiffResponse.DIFF_NONE
    )


def test_a_name_that_only_begins_like_an_ignored_one_is_compared() -> None:
    found = difference(manifest(a="1", ab="1"), manifest(a="2", ab="2"), "data.a")
    assert list(found.detailedDiff) == ["data.ab"]


class Adding(KubernetesProvider):
    """A cluster that adds to what it was given."""

    def read(self, token: str, state: State, inputs: dict[str, Any]) -> State:  # noqa: ARG002
        return State(state.id, {**inputs, "metadata": {**inputs["metadata"], "uid": "1"}})


def test_a_refresh_keeps_what_the_other_side_added_at_every_depth() -> None:
    request = provider_pb2.ReadRequest(id="n/a", urn=URN, inputs=to_struct(manifest(a="1")))
    found = from_struct(ProviderServicer(Adding()).Read(request, Context("one")).properties)
    assert found["metadata"] == {"name": "a", "namespace": "n", "uid": "1"}
