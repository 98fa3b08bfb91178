"""What the tests of Kubernetes objects ask of a recorded stack."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

DIGEST = "sha256:" + "1" * 64
# Objects that bring pods, and where in them the template is.
TEMPLATES = {
    "Deployment": ("template",),
    "Job": ("template",),
    "CronJob": ("jobTemplate", "spec", "template"),
}


def _objects(stack: Any) -> list[Any]:
    """All objects of Kubernetes; releases of charts are none."""
    return [
        r for r in stack.resources if r.type.startswith("kubernetes:") and not r.type.endswith(":Release")
    ]


@pytest.fixture(scope="session")
def objects() -> Callable[[Any], list[Any]]:
    """``objects(stack)``: everything that is applied to the API server."""
    return _objects


@pytest.fixture(scope="session")
def templates() -> Callable[[Any], dict[str, dict[str, Any]]]:
    """``templates(stack)``: the spec of each pod template of ours, by the object's name in the program."""

    def found(stack: Any) -> Iterator[tuple[str, dict[str, Any]]]:
        for resource in _objects(stack):
            if path := TEMPLATES.get(resource.type.rpartition(":")[2]):
                spec = resource.inputs["spec"]
                for step in path:
                    spec = spec[step]
                yield resource.name, spec

    return lambda stack: dict(found(stack))


@pytest.fixture(scope="session")
def elsewhere(declare: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A stack without a cluster of its own, whose workload runs in one that another program made."""
    folder = tmp_path_factory.mktemp("elsewhere")
    (folder / "kubeconfig").write_text("apiVersion: v1\nkind: Config\n# a private key\n")
    (folder / "environment").write_text(
        "# what pods see\nVANTA_DATABASE_HOST=10.0.0.7\nVANTA_DATABASE_PORT=15432\n\n"
        "AWS_ENDPOINT_URL=http://10.0.0.7:4566\n"
    )
    (folder / "ca.pem").write_text("-----BEGIN CERTIFICATE-----\n")
    workload = {
        "enabled": True,
        "image": f"localhost/state-api@{DIGEST}",
        "kubeconfigFile": str(folder / "kubeconfig"),
        "kubeconfigContext": "one-node",
        "environmentFile": str(folder / "environment"),
        "authoritiesFile": str(folder / "ca.pem"),
        "ingressHost": "api.example.com",
        "ingressIssuer": "letsencrypt",
        "ingressCidrs": "192.0.2.0/24",
    }
    return declare("local", {"workload": workload})
