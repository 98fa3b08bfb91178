"""The custom resources in use, so that an API server judges their objects too: their definitions come out of Go modules.

The versions are those of the charts that ``infra/kubernetes/charts`` pins, with two exceptions (docs/adr/0025-local-cluster.md):
external-secrets is the newest that the module proxy has, of the same API version, and the AWS load balancer controller's
``TargetGroupBinding`` is in no module of the proxy.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import yaml

from local import go
from local.cluster.error import ClusterError
from local.cluster.kubectl import Kubectl

_PROMETHEUS = "github.com/prometheus-operator/prometheus-operator@v0.92.1"
_EXTERNAL_SECRETS = "github.com/external-secrets/external-secrets@v1.3.2"
_POSTGRES = "github.com/cloudnative-pg/cloudnative-pg@v1.30.0"
_BARMAN = "github.com/cloudnative-pg/plugin-barman-cloud@v0.15.0"
_ISTIO = "istio.io/api@v1.30.3"
# module -> its files -> the definitions that are taken from them
_SOURCES: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    _PROMETHEUS: {
        f"example/prometheus-operator-crd/{name.partition('.')[2]}_{name.partition('.')[0]}.yaml": (name,)
        for name in ("servicemonitors.monitoring.coreos.com", "prometheusrules.monitoring.coreos.com")
    },
    _EXTERNAL_SECRETS: {
        f"config/crds/bases/{name.partition('.')[2]}_{name.partition('.')[0]}.yaml": (name,)
        for name in ("externalsecrets.external-secrets.io", "secretstores.external-secrets.io")
    },
    _POSTGRES: {
        f"config/crd/bases/{name.partition('.')[2]}_{name.partition('.')[0]}.yaml": (name,)
        for name in (
            "clusters.postgresql.cnpg.io",
            "databases.postgresql.cnpg.io",
            "scheduledbackups.postgresql.cnpg.io",
        )
    },
    _BARMAN: {
        "config/crd/bases/barmancloud.cnpg.io_objectstores.yaml": ("objectstores.barmancloud.cnpg.io",)
    },
    _ISTIO: {
        "kubernetes/customresourcedefinitions.gen.yaml": (
            "peerauthentications.security.istio.io",
            "authorizationpolicies.security.istio.io",
        )
    },
}


def definitions() -> Iterator[dict[str, Any]]:
    """The CustomResourceDefinitions, fetched at the first call and out of Go's own cache after that.

    Raises :class:`ClusterError` when a module cannot be had.
    """
    for module, files in _SOURCES.items():
        try:
            folder = go.download(module)
        except go.GoError as error:
            raise ClusterError(
                f"the custom resources of {module} could not be fetched: {error}. "
                "Reach the Go module proxy (GOPROXY) and run the same command again."
            ) from None
        for file, names in files.items():
            # libyaml's parser is ten times faster than the one in Python; PyYAML's wheels carry it.
            loader = yaml.CSafeLoader  # ty: ignore[possibly-missing-attribute] - every wheel has it
            documents = yaml.load_all((folder / file).read_text(), Loader=loader)
            found = {document["metadata"]["name"]: document for document in documents if document}
            for name in names:
                # The versions in use are stored as they are; the operator that would convert others does not run.
                found[name]["spec"].pop("conversion", None)
                found[name].pop("status", None)
                yield found[name]


def install(kubectl: Kubectl) -> None:
    """Make the cluster know them. Raises :class:`ClusterError`."""
    listed = list(definitions())
    kubectl.apply(listed)
    names = [f"customresourcedefinition/{definition['metadata']['name']}" for definition in listed]
    kubectl("wait", "--for=condition=Established", *names, "--timeout=60s")
