"""The ``kubernetes`` provider: checks each manifest, and applies it where the provider's configuration names a cluster."""

import copy
import threading
import time

from local.provider.kubernetes import access, manifest, release, replacement
from local.provider.kubernetes.access import Access
from local.provider.kubernetes.cluster import ApiError, Cluster, UnreachableError, managed
from local.provider.kubernetes.drift import observed
from local.provider.kubernetes.kinds import Kind, UnknownKindError
from local.provider.kubernetes.release import RELEASE
from local.provider.kubernetes.waiting import NotReadyError, until_gone, until_ready
from local.provider.protocol import Failure, PartlyCreatedError, Provider, State
from local.provider.values import Properties, has_unknown

_SERVED_SECONDS = 10


class RefusedError(Exception):
    """The cluster has or wants something else; the message says what, why and the remedy."""


class KubernetesProvider(Provider):
    """A :class:`local.provider.protocol.Provider` of manifests and Helm releases.

    Without a cluster a manifest is checked against the API server's own schemas and kept in the stack's state. With one it is
    applied by the server as field manager ``pulumi-kubernetes``, and waited for as the plugin does. Helm releases are checked and
    kept in both cases.
    """

    name = "kubernetes"
    version = "4.34.2"

    def __init__(self) -> None:
        self._access = Access()
        self._connecting = threading.Lock()
        self._connected: Cluster | None = None

    def configure(self, config: Properties) -> Provider:
        """The same for the cluster that ``config`` names."""
        configured = copy.copy(self)
        configured._access = Access.of(config)  # noqa: SLF001 - its own
        configured._connecting = threading.Lock()  # noqa: SLF001
        return configured

    def check_config(self, config: Properties) -> list[Failure]:
        """Options that the SDK does not know, and kubeconfigs that cannot be read."""
        return access.faults(config)

    def config_replaces(self, old: Properties, new: Properties) -> set[str]:
        """The kubeconfig, where it names another server than before."""
        return {"kubeconfig"} if access.another_cluster(old, new) else set()

    def completed(self, token: str, name: str, old: Properties, inputs: Properties) -> Properties:
        """``inputs`` with the name and the namespace that the plugin would settle."""
        if token == RELEASE:
            return release.named(inputs, name, old, self._access.namespace)
        manifest.judged_token(token)
        return manifest.named(inputs, name, old, self._access.namespace, self._kind(inputs))

    def check(self, token: str, inputs: Properties) -> list[Failure]:
        """What the API server's schema, or for a release the SDK, does not accept."""
        if token == RELEASE:
            return release.faults(inputs)
        return [Failure(*fault) for fault in manifest.faults(inputs, self._kind(inputs))]

    def replaces(self, token: str, changed: set[str], inputs: Properties) -> set[str]:
        """What the plugin, or the cluster when asked without consequences, holds to be fixed for the object's life."""
        if token == RELEASE:
            return changed & {"name", "namespace"}
        found = replacement.replacing(inputs, changed, self._access.options)
        if found or self._cluster is None or has_unknown(inputs):
            return found
        return self._immutable(self._cluster, inputs, changed)

    def deletes_first(self, token: str, old: Properties, new: Properties) -> bool:
        """Whether the new object has the name of the old."""
        if token == RELEASE:
            return (old.get("name"), old.get("namespace")) == (new.get("name"), new.get("namespace"))
        return replacement.keeps_its_name(old, new)

    def planned(self, token: str, state: State | None, inputs: Properties) -> Properties:
        """``inputs`` as they will be kept, once the cluster has said that it would accept them.

        Raises:
            RefusedError: it would not.
        """
        if token != RELEASE and self._cluster is not None and not has_unknown(inputs):
            kind = self._cluster.served(inputs["apiVersion"], inputs["kind"])
            there = self._there(self._cluster, kind, inputs) if kind and state is None else None
            if kind and there and not managed(there):
                raise _exists(kind, inputs)
            # What is there already and the stack's own is about to be replaced: only its end makes room for the new one.
            if kind and not there:
                self._tried(self._cluster, kind, inputs)
        return super().planned(token, state, inputs)

    def create(self, token: str, inputs: Properties) -> State:
        """Make the object, and wait for it.

        Raises:
            RefusedError: it exists already, or the cluster refused it.
            PartlyCreatedError: it exists and is not ready.
        """
        if token == RELEASE:
            return release.stored(inputs)
        if self._cluster is None:
            return State(manifest.identity(inputs), inputs)
        kind = self._served(self._cluster, inputs)
        if self._there(self._cluster, kind, inputs):
            raise _exists(kind, inputs)
        return self._applied(self._cluster, kind, inputs)

    def read(self, token: str, state: State, inputs: Properties) -> State | None:
        """The object as it is now, or None when it is gone; without a cluster the state."""
        if token == RELEASE or self._cluster is None:
            return state if state.properties else None
        known = state.properties or inputs
        kind = self._cluster.served(known["apiVersion"], known["kind"])
        namespace, _, name = state.id.rpartition("/")
        found = self._cluster.get(kind, namespace or None, name) if kind else None
        return State(state.id, _kept(found)) if found else None

    def observed_inputs(self, token: str, state: State, inputs: Properties) -> Properties:
        """``inputs`` with the values that the object really has, so that a refresh shows drift."""
        if token == RELEASE or self._cluster is None:
            return inputs
        return observed(inputs, state.properties)

    def update(self, token: str, state: State, old: Properties, new: Properties) -> State:  # noqa: ARG002 - the server knows what it was
        """Apply the new manifest, and wait for it."""
        if token == RELEASE:
            return release.stored(new)
        if self._cluster is None:
            return State(state.id, new)
        return self._applied(self._cluster, self._served(self._cluster, new), new)

    def delete(self, token: str, state: State) -> None:
        """Remove the object and what it owns; one that is gone already is no error."""
        if token == RELEASE or self._cluster is None:
            return
        try:
            self._removed(self._cluster, state)
        except UnreachableError:
            if not self._access.options.get("deleteUnreachable"):
                raise

    def invoke(self, token: str, args: Properties) -> Properties:  # noqa: ARG002
        """It has no functions."""
        raise UnknownKindError(f"The local kubernetes provider has no function {token}.")

    @property
    def _cluster(self) -> Cluster | None:
        """The cluster of this instance, spoken to first when it is needed; None where manifests are only kept."""
        if self._access.kubeconfig is None:
            return None
        with self._connecting:
            if self._connected is None:
                self._connected = Cluster(self._access.kubeconfig, self._access.context)
            return self._connected

    def _kind(self, inputs: Properties) -> Kind:
        """The kind of ``inputs``, of the pinned documents or else of the cluster, which then judges the manifest alone."""
        try:
            return manifest.kind_of(inputs)
        except UnknownKindError:
            if self._cluster is None:
                raise
            served = self._cluster.served(inputs.get("apiVersion", ""), inputs.get("kind", ""))
            if served is None:
                raise
            return served

    def _served(self, cluster: Cluster, inputs: Properties) -> Kind:
        """The kind once it is served: a definition of the same update may be a moment old."""
        deadline = time.monotonic() + _SERVED_SECONDS
        while (kind := cluster.served(inputs["apiVersion"], inputs["kind"])) is None:
            if time.monotonic() < deadline:
                time.sleep(0.25)
                continue
            raise RefusedError(
                f"The cluster serves no {inputs['kind']} in {inputs['apiVersion']}: install the operator that brings its definition first."
            )
        return kind

    def _there(self, cluster: Cluster, kind: Kind, inputs: Properties) -> Properties | None:
        metadata = inputs["metadata"]
        return cluster.get(kind, metadata.get("namespace"), metadata["name"])

    def _forced(self, inputs: Properties) -> bool:
        force = manifest.annotation(inputs, "patchForce") == "true"
        return force or self._access.options.get("enablePatchForce", False)

    def _applied(self, cluster: Cluster, kind: Kind, inputs: Properties) -> State:
        try:
            found = cluster.apply(kind, inputs, force=self._forced(inputs))
        except ApiError as error:
            raise _refused(kind, inputs, error) from error
        named = manifest.identity(found)
        try:
            return State(named, _kept(until_ready(cluster, kind, found)))
        except NotReadyError as error:
            raise PartlyCreatedError(State(named, _kept(error.found)), str(error)) from error

    def _removed(self, cluster: Cluster, state: State) -> None:
        last = state.properties
        kind = cluster.served(last["apiVersion"], last["kind"])
        if kind is None:
            return
        namespace, _, name = state.id.rpartition("/")
        propagation = manifest.annotation(last, "deletionPropagationPolicy") or "foreground"
        cluster.delete(kind, namespace or None, name, propagation=propagation.capitalize())
        if manifest.annotation(last, "skipAwait") != "true":
            until_gone(cluster, kind, last)

    def _tried(self, cluster: Cluster, kind: Kind, inputs: Properties) -> None:
        """Ask the cluster whether it would take ``inputs``; what waits for a namespace of the same update cannot be asked."""
        try:
            cluster.apply(kind, inputs, force=self._forced(inputs), dry=True)
        except ApiError as error:
            if error.status == 404 and error.kind == "namespaces":
                return
            raise _refused(kind, inputs, error) from error

    def _immutable(self, cluster: Cluster, inputs: Properties, changed: set[str]) -> set[str]:
        """Those of ``changed`` that the cluster calls immutable."""
        kind = cluster.served(inputs["apiVersion"], inputs["kind"])
        if kind is None:
            return set()
        try:
            cluster.apply(kind, inputs, force=True, dry=True)
        except ApiError as error:
            fixed = [field for field, message in error.causes if "immutable" in message]
            found = {path for path in changed if any(replacement.within(path, field) for field in fixed)}
            return found or (changed if fixed else set())
        return set()


def _kept(found: Properties) -> Properties:
    """The object without the bookkeeping of field managers, which changes with each write of anybody."""
    metadata = {name: value for name, value in found["metadata"].items() if name != "managedFields"}
    return {**found, "metadata": metadata}


def _exists(kind: Kind, inputs: Properties) -> RefusedError:
    return RefusedError(
        f"{kind.name} {manifest.identity(inputs)} exists already and is not the stack's: import it, delete it, or choose another name."
    )


def _refused(kind: Kind, inputs: Properties, error: ApiError) -> RefusedError:
    """The API server's refusal in one sentence; of a conflict, whose field it is."""
    named = f"{kind.name} {manifest.identity(inputs)}"
    if error.conflicting:
        owned = ", ".join(f"{field} ({message})" for field, message in error.causes)
        return RefusedError(
            f"{named} has fields that somebody else manages: {owned}. Leave them out of the program, or take them over with the "
            'annotation pulumi.com/patchForce: "true".'
        )
    return RefusedError(f"The cluster refuses {named}: {error}")
