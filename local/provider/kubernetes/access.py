"""Which cluster one instance of the provider speaks to, and how it was asked to."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from local.provider.kubernetes.kinds import VERSION
from local.provider.protocol import Failure
from local.provider.schema import problems, provider_schema
from local.provider.values import UNKNOWN, Properties, has_unknown

_OPTIONS = ("deleteUnreachable", "enableConfigMapMutable", "enableSecretMutable", "enablePatchForce")
# What the plugin does with these is not done here.
_UNSUPPORTED = (
    "alwaysRender",
    "cluster",
    "renderYamlToDirectory",
    "skipUpdateUnreachable",
    "upsertExistingObjects",
)


class KubeconfigError(Exception):
    """The kubeconfig cannot be used; the message says why and what to do."""


@dataclass(frozen=True, kw_only=True)
class Access:
    """``kubeconfig`` and ``context`` name the cluster; without a kubeconfig there is none, and manifests are checked and stored."""

    kubeconfig: Mapping[str, Any] | None = None
    context: str | None = None
    namespace: str = "default"
    options: Mapping[str, bool] = field(default_factory=dict)

    @classmethod
    def of(cls, config: Properties) -> "Access":
        """The access that the provider's configuration describes.

        A kubeconfig of the machine is never taken by itself, and one whose credentials come from a command belongs to a cluster of
        a cloud: beside these providers that cloud is an emulator, which answers for the cluster but runs no API server.

        Raises:
            KubeconfigError: there is no such file, or it names no such context.
        """
        given = {name: _decoded(value) for name, value in config.items()}
        options = {name: bool(given.get(name)) for name in _OPTIONS}
        namespace = given.get("namespace") or "default"
        if not given.get("kubeconfig"):
            return cls(namespace=namespace, options=options)
        kubeconfig = _loaded(given["kubeconfig"])
        context = given.get("context") or kubeconfig.get("current-context")
        found = _entry(kubeconfig, "contexts", context)
        user = _entry(kubeconfig, "users", found.get("user"))
        namespace = given.get("namespace") or found.get("namespace") or "default"
        if "exec" in user:
            return cls(namespace=namespace, options=options)
        return cls(kubeconfig=kubeconfig, context=context, namespace=namespace, options=options)


def faults(config: Properties) -> list[Failure]:
    """What the provider's SDK does not know of ``config``, and what of its kubeconfig cannot be used."""
    given = {name: _decoded(value) for name, value in config.items() if name != "version"}
    found = [Failure(*p) for p in problems(given, provider_schema("pulumi_kubernetes"))]
    reason = "is not implemented by the local kubernetes provider: leave it out"
    found += [Failure(name, reason) for name in _UNSUPPORTED if given.get(name)]
    if found or has_unknown(config):
        return found
    if given.get("enableServerSideApply") is False:
        reason = "must not be false: manifests are applied by the server alone here"
        return [Failure("enableServerSideApply", reason)]
    try:
        Access.of(config)
    except KubeconfigError as error:
        return [Failure("kubeconfig", str(error))]
    return []


def another_cluster(old: Properties, new: Properties) -> bool:
    """Whether what the old configuration made is not there for the new one: the plugin's rule."""
    if has_unknown(new) or has_unknown(old):
        return False
    if "clusterIdentifier" in new:
        return old.get("clusterIdentifier") != new["clusterIdentifier"]
    return _server(old) != _server(new)


def _server(config: Properties) -> str | None:
    given = config.get("kubeconfig")
    if not given:
        return None
    try:
        kubeconfig = _loaded(given)
        context = _entry(kubeconfig, "contexts", config.get("context") or kubeconfig.get("current-context"))
        return _entry(kubeconfig, "clusters", context.get("cluster")).get("server")
    except KubeconfigError:
        # The file of a cluster that is gone says nothing; a new one in its place is another cluster.
        return None


def _decoded(value: Any) -> Any:
    """The value behind the JSON in which a provider's options travel; a kubeconfig stays the text that it is."""
    if value in ("true", "false"):
        return value == "true"
    if isinstance(value, str) and value.startswith("{") and value != UNKNOWN:
        try:
            decoded = json.loads(value)
        except ValueError:
            return value
        return value if "clusters" in decoded else decoded
    return value


def _loaded(given: str) -> dict[str, Any]:
    """The kubeconfig that ``given`` is, or lies at."""
    text = given
    if "\n" not in given and not given.lstrip().startswith("{"):
        path = Path(os.path.expanduser(given))  # noqa: PTH111 - a text that is no path at all must not raise
        if not path.is_file():
            raise KubeconfigError(
                f"There is no kubeconfig at {given}: start the cluster that writes it, or name another file."
            )
        text = path.read_text(encoding="utf-8")
    try:
        loaded = yaml.safe_load(text)
    except yaml.YAMLError:
        loaded = None
    if not isinstance(loaded, dict):
        raise KubeconfigError(
            f"The kubeconfig is no YAML of a kind that Kubernetes {VERSION} reads: write it anew."
        )
    return loaded


def _entry(kubeconfig: Mapping[str, Any], kind: str, name: str | None) -> dict[str, Any]:
    """What the kubeconfig has in its list ``kind`` under ``name``."""
    for entry in kubeconfig.get(kind) or ():
        if entry.get("name") == name:
            return entry.get(kind.removesuffix("s")) or {}
    known = ", ".join(entry.get("name", "") for entry in kubeconfig.get(kind) or ()) or "none"
    raise KubeconfigError(f"The kubeconfig has no entry {name} in {kind}, only {known}: name one of them.")
