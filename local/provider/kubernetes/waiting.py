"""Waiting until an object is ready or gone, within the time that its annotations allow."""

import time
from collections.abc import Callable, Mapping, Sequence

from local.provider.kubernetes.cluster import Cluster
from local.provider.kubernetes.kinds import Kind
from local.provider.kubernetes.manifest import annotation
from local.provider.kubernetes.readiness import Pending, pending, troubles
from local.provider.values import Properties

# The plugin's: ten minutes for what runs pods or waits for an address, five for the rest.
_MINUTES = {"Deployment": 10, "Job": 10, "Service": 10, "Ingress": 10}
_POLL_SECONDS = 0.25


class NotReadyError(Exception):
    """The object exists and is not ready; ``found`` is as it was seen last."""

    def __init__(self, found: Properties, reason: str) -> None:
        super().__init__(reason)
        self.found = found


def until_ready(cluster: Cluster, kind: Kind, found: Properties) -> Properties:
    """The object once it is ready; at once with the annotation ``pulumi.com/skipAwait``.

    Raises:
        NotReadyError: it never will be, or was not in time.
    """
    if annotation(found, "skipAwait") == "true":
        return found
    namespace, name = found["metadata"].get("namespace"), found["metadata"]["name"]
    deadline = time.monotonic() + _seconds(kind, found)
    look = _looking(cluster, namespace)
    while (why := pending(found, look)) is not None:
        if why.final or time.monotonic() > deadline:
            raise NotReadyError(found, _told(cluster, kind, found, why))
        time.sleep(_POLL_SECONDS)
        seen = cluster.get(kind, namespace, name)
        if seen is None:
            raise NotReadyError(found, f"{kind.name} {name} was deleted by somebody while it was waited for.")
        found = seen
    return found


def until_gone(cluster: Cluster, kind: Kind, last: Properties) -> None:
    """Wait until the object and what it owns are deleted.

    Raises:
        NotReadyError: something, such as a finalizer, kept it for too long.
    """
    namespace, name, uid = (last["metadata"].get(part) for part in ("namespace", "name", "uid"))
    deadline = time.monotonic() + _seconds(kind, last)
    while (found := cluster.get(kind, namespace, name)) is not None and found["metadata"]["uid"] == uid:
        if time.monotonic() > deadline:
            finalizers = ", ".join(found["metadata"].get("finalizers") or ()) or "none"
            raise NotReadyError(
                found,
                f"{kind.name} {name} is still there {_seconds(kind, last)} s after its deletion; finalizers: {finalizers}.",
            )
        time.sleep(_POLL_SECONDS)


def _seconds(kind: Kind, manifest: Properties) -> int:
    return int(annotation(manifest, "timeoutSeconds") or 60 * _MINUTES.get(kind.name, 5))


def _looking(
    cluster: Cluster, namespace: str | None
) -> Callable[[str, str, Mapping[str, str]], Sequence[Properties]]:
    def look(api_version: str, name: str, labels: Mapping[str, str]) -> Sequence[Properties]:
        kind = cluster.served(api_version, name)
        return cluster.list(kind, namespace, labels) if kind else []

    return look


def _told(cluster: Cluster, kind: Kind, found: Properties, why: Pending) -> str:
    """One sentence on what is missing, and what the pods say of it."""
    words = ""
    selector = (found.get("spec") or {}).get("selector") or {}
    labels = selector.get("matchLabels") if kind.name != "Service" else selector
    if labels:
        pods = _looking(cluster, found["metadata"].get("namespace"))("v1", "Pod", labels)
        words = "".join(f"; {trouble}" for trouble in dict.fromkeys(troubles(pods)))
    elif kind.name == "Pod":
        words = "".join(f"; {trouble}" for trouble in troubles([found]))
    return f"{kind.name} {found['metadata']['name']} is not ready: {why.reason}{words}."
