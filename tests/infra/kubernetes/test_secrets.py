"""Secrets in the cluster: copies that External Secrets keeps, each with the files that its reader knows."""

from typing import Any


def external(stack: Any) -> dict[str, dict[str, Any]]:
    return {r.inputs["metadata"]["name"]: r.inputs["spec"] for r in stack.all("ExternalSecret")}


def test_the_files_are_called_as_the_output_says_and_hold_the_secret_as_it_is(prod: Any) -> None:
    found = {
        name: {entry["secretKey"]: entry["remoteRef"] for entry in spec["data"]}
        for name, spec in external(prod).items()
    }
    arns = prod.outputs["appSecrets"]
    assert found == {
        "state-api": {name: {"key": arns[name]} for name in ("database-app", "cache")},
        "state-api-migration": {name: {"key": arns[name]} for name in ("database-app", "database-master")},
    }


def test_a_rotated_secret_arrives_within_minutes(prod: Any) -> None:
    assert {spec["refreshInterval"] for spec in external(prod).values()} == {"1m"}
    assert {spec["target"]["name"] for spec in external(prod).values()} == external(prod).keys()


def test_the_store_is_of_the_namespace_and_of_the_stacks_region(prod: Any, standby: Any) -> None:
    for stack, region in ((prod, "eu-west-1"), (standby, "eu-central-1")):
        store = stack.one("SecretStore").inputs["spec"]["provider"]["aws"]
        # No credentials: the operator has a role of its own.
        assert store == {"service": "SecretsManager", "region": region}
        assert {spec["secretStoreRef"]["name"] for spec in external(stack).values()} == {"aws"}


def test_no_credential_is_in_any_object(prod: Any, dev: Any, elsewhere: Any) -> None:
    for stack in (prod, dev, elsewhere):
        objects = [r for r in stack.resources if r.type.startswith("kubernetes:")]
        assert not [r.name for r in objects if "Generated1" in str(r.inputs)]
        assert not [r for r in objects if r.type.endswith("v1:Secret")]


def test_the_kubeconfig_of_the_own_cluster_has_no_secret_in_it(prod: Any) -> None:
    provider = prod.one("kubernetes").inputs
    assert provider["enableServerSideApply"] == "true"
    assert '"command": "aws"' in provider["kubeconfig"]
    assert not [word for word in ("token:", "client-key", "password") if word in provider["kubeconfig"]]
    assert prod.outputs["kubeconfig"] == provider["kubeconfig"]


def test_a_given_kubeconfig_travels_as_a_secret_and_its_context_is_named(elsewhere: Any) -> None:
    provider = elsewhere.one("kubernetes")
    assert "kubeconfig" in provider.secrets
    assert provider.inputs["context"] == "one-node"
    assert elsewhere.outputs["kubeconfig"] == ""
