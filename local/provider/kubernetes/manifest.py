"""A resource as the API server sees it: its kind, its name, and what is wrong with its inputs."""

import re
import secrets
from typing import Any

from local.provider.kubernetes import definitions, kinds
from local.provider.kubernetes.kinds import Kind, UnknownKindError
from local.provider.kubernetes.validation import Problem, problems
from local.provider.values import UNKNOWN, Properties

AUTONAMED = "pulumi.com/autonamed"
_NOT_APPLIED = ("Patch", "List")

# "Object Names and IDs" and "Labels and Selectors" in the documentation of Kubernetes.
_SUBDOMAIN = re.compile(r"(?=.{1,253}$)[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
_PATH_SEGMENT = re.compile(r"(?!\.{1,2}$)[^/%]+")
_LABEL_KEY = re.compile(r"([a-z0-9]([-a-z0-9.]*[a-z0-9])?/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?")
_LABEL_VALUE = re.compile(r"([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?")
# Names of these are path segments, such as system:auth-delegator.
_RBAC = "rbac.authorization.k8s.io/"


def kind_of(manifest: Properties) -> Kind:
    """The kind of ``manifest``, of Kubernetes itself or of a custom resource definition that the program uses.

    Raises:
        UnknownKindError: neither brings it.
    """
    api_version, name = manifest.get("apiVersion", ""), manifest.get("kind", "")
    found = kinds.builtin(api_version, name) or definitions.custom(api_version, name)
    if found is None:
        raise UnknownKindError(
            f"Kubernetes {kinds.VERSION} has no {name} in {api_version}, and no known definition brings it; "
            "name the module that does in local/cluster/crds.py."
        )
    return found


def judged_token(token: str) -> None:
    """Refuse what is no object of the API: patches of other people's objects, and lists.

    Raises:
        UnknownKindError: the token is of such a type.
    """
    if token.endswith(_NOT_APPLIED) and kinds.builtin(*_of_token(token)) is None:
        raise UnknownKindError(f"The local kubernetes provider applies whole objects, not {token}.")


def _of_token(token: str) -> tuple[str, str]:
    """``apps/v1``, ``Deployment`` of ``kubernetes:apps/v1:Deployment``."""
    _, group, name = token.split(":")
    return group.removeprefix("core/"), name


def named(manifest: Properties, resource: str, old: Properties, namespace: str, kind: Kind) -> Properties:
    """``manifest`` with a name and, where it lies in one, a namespace.

    A name that is not given is drawn from the resource's, and kept from ``old`` as long as the resource lives, as the plugin does.
    """
    metadata = manifest.get("metadata") or {}
    if metadata == UNKNOWN:
        return manifest
    if "name" not in metadata and "generateName" not in metadata:
        before = old.get("metadata", {})
        kept = before.get("name") if before.get("annotations", {}).get(AUTONAMED) else None
        metadata = {
            **metadata,
            "name": kept or f"{resource}-{secrets.token_hex(4)}",
            "annotations": {**metadata.get("annotations", {}), AUTONAMED: "true"},
        }
    if kind.namespaced and not metadata.get("namespace"):
        metadata = {**metadata, "namespace": namespace}
    return {**manifest, "metadata": metadata}


def faults(manifest: Properties, kind: Kind) -> list[Problem]:
    """What the API server would refuse of ``manifest``: by its schema, and of its names and labels."""
    found = problems(manifest, kind.schema)
    metadata = manifest.get("metadata", {})
    if found or metadata == UNKNOWN:
        return found
    if "name" not in metadata:
        return [("metadata.generateName", "is not applied here: leave it out, and a name is drawn")]
    return [*_of_name(manifest, metadata.get("name", "")), *_of_labels(metadata)]


def _of_name(manifest: Properties, name: str) -> list[Problem]:
    form = _PATH_SEGMENT if manifest["apiVersion"].startswith(_RBAC) else _SUBDOMAIN
    if name in ("", UNKNOWN) or form.fullmatch(name):
        return []
    return [
        (
            "metadata.name",
            f"must be at most 253 lower-case letters, digits, - and ., beginning and ending with a letter or digit, not {name!r}",
        )
    ]


def _of_labels(metadata: Properties) -> list[Problem]:
    labels: Any = metadata.get("labels") or {}
    if labels == UNKNOWN:
        return []
    return [
        (f"metadata.labels.{key}", "is not a label: at most 63 letters, digits, -, _ and . on either side")
        for key, value in labels.items()
        if not (_LABEL_KEY.fullmatch(key) and (value == UNKNOWN or _LABEL_VALUE.fullmatch(value)))
    ]


def identity(manifest: Properties) -> str:
    """The provider id: ``namespace/name``, or the name alone of what lies in no namespace."""
    metadata = manifest["metadata"]
    scope = metadata.get("namespace")
    return f"{scope}/{metadata['name']}" if scope else metadata["name"]


def annotation(manifest: Properties, name: str) -> str:
    """The annotation ``pulumi.com/name``, or an empty string."""
    return ((manifest.get("metadata") or {}).get("annotations") or {}).get(f"pulumi.com/{name}", "")
