"""Which changes the API server refuses, so that only a new object can bring them.

Source: ``forceNewProperties`` of pulumi-kubernetes, provider/pkg/provider/diff.go; where there is a cluster, its own refusals too.
"""

from collections.abc import Mapping

from local.provider.kubernetes.manifest import AUTONAMED
from local.provider.values import Properties

_ALWAYS = ("kind", "metadata.name", "metadata.namespace")
_WORKLOAD = ("spec.selector",)

# Kind -> fields; a field means all below it.
_FIXED: Mapping[str, tuple[str, ...]] = {
    "apps/v1 DaemonSet": _WORKLOAD,
    "apps/v1 Deployment": _WORKLOAD,
    "apps/v1 StatefulSet": (
        *_WORKLOAD,
        "spec.podManagementPolicy",
        "spec.serviceName",
        "spec.volumeClaimTemplates",
    ),
    "batch/v1 Job": ("spec.completions", "spec.parallelism", "spec.selector", "spec.template"),
    "rbac.authorization.k8s.io/v1 ClusterRoleBinding": ("roleRef",),
    "rbac.authorization.k8s.io/v1 RoleBinding": ("roleRef",),
    "storage.k8s.io/v1 StorageClass": ("parameters", "provisioner"),
    "v1 ConfigMap": ("data", "binaryData"),
    "v1 PersistentVolumeClaim": (
        "spec.accessModes",
        "spec.selector",
        "spec.storageClassName",
        "spec.volumeName",
    ),
    "v1 Pod": ("spec",),
    "v1 ResourceQuota": ("spec.scopes",),
    "v1 Secret": ("data", "stringData", "type"),
    "v1 Service": ("spec.clusterIP",),
}
# Kind -> the provider's option by which it is changed in place, unless it calls itself immutable.
_MUTABLE = {"v1 ConfigMap": "enableConfigMapMutable", "v1 Secret": "enableSecretMutable"}


def replacing(manifest: Properties, changed: set[str], options: Mapping[str, bool]) -> set[str]:
    """Which of the ``changed`` paths mean a new object; ``options`` are the provider's, by name."""
    kind = f"{manifest['apiVersion']} {manifest['kind']}"
    fixed = _FIXED.get(kind, ())
    if options.get(_MUTABLE.get(kind, "")) and not manifest.get("immutable"):
        fixed = tuple(field for field in fixed if field == "type")
    return {path for path in changed if any(within(path, field) for field in (*_ALWAYS, *fixed))}


def within(path: str, field: str) -> bool:
    """Whether ``path`` is ``field``, lies in it, or holds it: a whole ``spec`` that came or went takes all with it."""
    return path == field or path.startswith((f"{field}.", f"{field}[")) or field.startswith(f"{path}.")


def keeps_its_name(old: Properties, new: Properties) -> bool:
    """Whether the new object needs the name that the old one has, which can then not live beside it."""
    before, after = old.get("metadata", {}), new.get("metadata", {})
    same = all(before.get(part) == after.get(part) for part in ("name", "namespace"))
    return same and AUTONAMED not in after.get("annotations", {})
