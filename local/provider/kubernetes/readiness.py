"""When an object does what it was made for: the rules by which an update waits, one function a kind.

Source: the awaiters of pulumi-kubernetes, provider/pkg/await; for rollouts the rules of ``kubectl rollout status``.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from local.provider.values import Properties


@dataclass(frozen=True)
class Pending:
    """Not yet, for this reason; ``final`` when it will not come by waiting."""

    reason: str
    final: bool = False


# Objects of (apiVersion, kind) in the object's own namespace, with these labels.
Look = Callable[[str, str, Mapping[str, str]], Sequence[Properties]]
Rule = Callable[[Properties, Look], Pending | None]

_COMPLETE = "Complete"


def pending(found: Properties, look: Look) -> Pending | None:
    """Why the object is not ready, or None when it is; what has no rule is ready once it exists."""
    rule = RULES.get(f"{found['apiVersion']} {found['kind']}")
    return rule(found, look) if rule else None


def _seen(found: Properties) -> bool:
    """Whether the controller has seen the newest specification: what status says before that is about an older one."""
    return found.get("status", {}).get("observedGeneration", 0) >= found["metadata"].get("generation", 0)


def _condition(found: Properties, kind: str) -> Properties:
    conditions = found.get("status", {}).get("conditions") or ()
    return next((condition for condition in conditions if condition["type"] == kind), {})


def _deployment(found: Properties, _: Look) -> Pending | None:
    spec, status = found["spec"], found.get("status", {})
    if spec.get("paused"):
        return None
    if not _seen(found):
        return Pending("its controller has not seen it yet")
    progressing = _condition(found, "Progressing")
    if progressing.get("reason") == "ProgressDeadlineExceeded":
        return Pending(progressing.get("message") or "its progress deadline is exceeded", final=True)
    wanted, updated = spec.get("replicas", 1), status.get("updatedReplicas", 0)
    if updated < wanted:
        return Pending(f"{updated} of {wanted} replicas are of the new version")
    if status.get("replicas", 0) > updated:
        return Pending(f"{status['replicas'] - updated} old replicas are still there")
    available = status.get("availableReplicas", 0)
    return Pending(f"{available} of {wanted} replicas are available") if available < wanted else None


def _stateful_set(found: Properties, _: Look) -> Pending | None:
    spec, status = found["spec"], found.get("status", {})
    if not _seen(found):
        return Pending("its controller has not seen it yet")
    wanted, ready = spec.get("replicas", 1), status.get("readyReplicas", 0)
    if ready < wanted:
        return Pending(f"{ready} of {wanted} replicas are ready")
    if (spec.get("updateStrategy") or {}).get("type") == "OnDelete":
        return None
    same = status.get("currentRevision") == status.get("updateRevision")
    return None if same else Pending(f"{status.get('updatedReplicas', 0)} of {wanted} replicas are updated")


def _daemon_set(found: Properties, _: Look) -> Pending | None:
    status = found.get("status", {})
    if not _seen(found):
        return Pending("its controller has not seen it yet")
    wanted = status.get("desiredNumberScheduled", 0)
    if (found["spec"].get("updateStrategy") or {}).get("type") != "OnDelete":
        updated = status.get("updatedNumberScheduled", 0)
        if updated < wanted:
            return Pending(f"{updated} of {wanted} nodes run the new version")
    available = status.get("numberAvailable", 0)
    return Pending(f"it is available on {available} of {wanted} nodes") if available < wanted else None


def _job(found: Properties, _: Look) -> Pending | None:
    failed = _condition(found, "Failed")
    if failed.get("status") == "True":
        return Pending(failed.get("message") or failed.get("reason") or "it failed", final=True)
    if _condition(found, _COMPLETE).get("status") == "True" or found["spec"].get("suspend"):
        return None
    status = found.get("status", {})
    return Pending(
        f"{status.get('succeeded', 0)} of {found['spec'].get('completions', 1)} completions are done, "
        f"{status.get('failed', 0)} pods failed"
    )


def _pod(found: Properties, _: Look) -> Pending | None:
    phase = found.get("status", {}).get("phase")
    if phase == "Succeeded" or _condition(found, "Ready").get("status") == "True":
        return None
    if phase == "Failed":
        return Pending(found["status"].get("message") or "it failed", final=True)
    return Pending(f"it is {phase or 'not scheduled'}")


def _service(found: Properties, look: Look) -> Pending | None:
    spec, name = found["spec"], found["metadata"]["name"]
    if spec.get("type") == "ExternalName" or not spec.get("selector"):
        return None
    slices = look("discovery.k8s.io/v1", "EndpointSlice", {"kubernetes.io/service-name": name})
    endpoints = [endpoint for part in slices for endpoint in part.get("endpoints") or ()]
    # A condition that is absent counts as true, says the API.
    if not any(endpoint.get("conditions", {}).get("ready", True) for endpoint in endpoints):
        return Pending("it selects no pod that is ready")
    return _balanced(found) if spec.get("type") == "LoadBalancer" else None


def _balanced(found: Properties) -> Pending | None:
    if (found.get("status", {}).get("loadBalancer") or {}).get("ingress"):
        return None
    return Pending("no load balancer has given it an address")


def _ingress(found: Properties, _: Look) -> Pending | None:
    return _balanced(found)


def _claim(found: Properties, look: Look) -> Pending | None:
    phase = found.get("status", {}).get("phase")
    if phase == "Bound":
        return None
    wanted = found["spec"].get("storageClassName")
    for known in look("storage.k8s.io/v1", "StorageClass", {}):
        # Bound when a pod uses it, which may come after it.
        if known["metadata"]["name"] == wanted and known.get("volumeBindingMode") == "WaitForFirstConsumer":
            return None
    return Pending(f"it is {phase or 'not seen yet'}", final=phase == "Lost")


def _definition(found: Properties, _: Look) -> Pending | None:
    accepted = _condition(found, "NamesAccepted")
    if accepted.get("status") == "False":
        return Pending(accepted.get("message") or "its names are taken", final=True)
    return (
        None if _condition(found, "Established").get("status") == "True" else Pending("it is not served yet")
    )


def _quota(found: Properties, _: Look) -> Pending | None:
    same = (found.get("status") or {}).get("hard") == found["spec"].get("hard")
    return None if same else Pending("its limits are not enforced yet")


RULES: Mapping[str, Rule] = {
    "apiextensions.k8s.io/v1 CustomResourceDefinition": _definition,
    "apps/v1 DaemonSet": _daemon_set,
    "apps/v1 Deployment": _deployment,
    "apps/v1 StatefulSet": _stateful_set,
    "batch/v1 Job": _job,
    "networking.k8s.io/v1 Ingress": _ingress,
    "v1 PersistentVolumeClaim": _claim,
    "v1 Pod": _pod,
    "v1 ResourceQuota": _quota,
    "v1 Service": _service,
}


def troubles(pods: Sequence[Properties]) -> list[str]:
    """What the pods say of themselves: images that cannot be pulled, containers that crash, no node that fits."""
    found: list[str] = []
    for pod in pods:
        name, status = pod["metadata"]["name"], pod.get("status", {})
        scheduled = _condition(pod, "PodScheduled")
        if scheduled.get("status") == "False":
            found.append(f"pod {name}: {scheduled.get('reason')}: {scheduled.get('message')}")
        for container in [
            *(status.get("initContainerStatuses") or ()),
            *(status.get("containerStatuses") or ()),
        ]:
            found += [f"pod {name}, container {container['name']}: {word}" for word in _words(container)]
    return found


def _words(container: Mapping[str, Any]) -> list[str]:
    """Why a container does not run: the reason it waits for, and how it ended last."""
    state, last = container.get("state") or {}, container.get("lastState") or {}
    waiting = state.get("waiting") or {}
    ended = state.get("terminated") or last.get("terminated") or {}
    words = []
    if waiting.get("reason") not in (None, "ContainerCreating", "PodInitializing"):
        words.append(": ".join(filter(None, (waiting["reason"], waiting.get("message")))))
    if ended.get("exitCode"):
        said = (ended.get("message") or "").strip()
        words.append(
            f"{ended.get('reason', 'ended')} with exit code {ended['exitCode']}" + f": {said}" * bool(said)
        )
    return words
