"""The pod of the image, whatever it runs: nobody in it is root, and nothing in it can be written."""

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
from pulumi_kubernetes.core.v1 import (
    ContainerArgsDict,
    EnvVarArgsDict,
    PodTemplateSpecArgsDict,
    ProbeArgsDict,
    VolumeArgsDict,
    VolumeMountArgsDict,
)

from infra.kubernetes.configuration import AUTHORITIES, Configuration
from infra.kubernetes.metadata import labels, selector
from infra.kubernetes.namespace import PRIORITY
from infra.kubernetes.sizes import (
    FINISHING_SECONDS,
    MARGIN_SECONDS,
    MEMORY_MIB,
    PORT,
    PORT_NAME,
    REQUESTED_CPU_MILLIS,
    REQUESTED_MEMORY_MIB,
)

# The user of the image, by number so that the kubelet need not read a file of it.
USER = 65532
_SECRETS = "/var/run/vanta/secrets"
_AUTHORITIES = "/var/run/vanta/authorities"


@dataclass(frozen=True, kw_only=True)
class Image:
    """What all pods of a stack have in common; ``drain_seconds`` is how long one serves on after it was told to end."""

    reference: str
    configuration: Configuration
    drain_seconds: int


def pod_template(
    image: Image,
    component: str,
    *,
    account: str,
    arguments: Sequence[str],
    restart: str = "Always",
    serving: bool = False,
) -> PodTemplateSpecArgsDict:
    """A pod that the restricted Pod Security Standard admits, with the files of the Secret called like its ``account``.

    A core dump would hold secrets. A pod cannot set its own limit for them; but none can be written where the process
    works, for the whole file system is read-only and has no volume to write to.

    Source: Kubernetes documentation, "Pod Security Standards".
    """
    return {
        "metadata": {"labels": labels(component)},
        "spec": {
            "service_account_name": account,
            "automount_service_account_token": False,
            "enable_service_links": False,
            "priority_class_name": PRIORITY,
            "restart_policy": restart,
            "termination_grace_period_seconds": image.drain_seconds + FINISHING_SECONDS + MARGIN_SECONDS,
            "security_context": {
                "run_as_non_root": True,
                "run_as_user": USER,
                "run_as_group": USER,
                "fs_group": USER,
                "seccomp_profile": {"type": "RuntimeDefault"},
            },
            # Strict over nodes would stop a rollout on a small cluster; a lost zone must not take all pods.
            "topology_spread_constraints": [
                {
                    "max_skew": 1,
                    "topology_key": key,
                    "when_unsatisfiable": "ScheduleAnyway",
                    "label_selector": {"match_labels": selector(component)},
                    # Only pods of the same version, or a rollout would balance against those that leave.
                    "match_label_keys": ["pod-template-hash"] if serving else None,
                }
                for key in ("topology.kubernetes.io/zone", "kubernetes.io/hostname")
            ],
            "containers": [_container(image, arguments, serving=serving)],
            "volumes": _volumes(image.configuration, account),
        },
    }


def _container(image: Image, arguments: Sequence[str], *, serving: bool) -> ContainerArgsDict:
    container: ContainerArgsDict = {
        "name": "state-api",
        "image": image.reference,
        "args": list(arguments),
        "env_from": [{"config_map_ref": {"name": image.configuration.environment_name}}],
        "env": _environment(image),
        "resources": {
            "requests": {"cpu": f"{REQUESTED_CPU_MILLIS}m", "memory": f"{REQUESTED_MEMORY_MIB}Mi"},
            # No limit of CPU: one process cannot use more than its core, and throttling would only add latency.
            "limits": {"memory": f"{MEMORY_MIB}Mi"},
        },
        "security_context": {
            "allow_privilege_escalation": False,
            "read_only_root_filesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
        "volume_mounts": _mounts(image.configuration),
    }
    if serving:
        container["ports"] = [{"name": PORT_NAME, "container_port": PORT}]
        # /healthz says that the process answers, /readyz that requests will succeed: restarting a pod because the
        # database is away would not bring it back.
        container["startup_probe"] = _probe("/healthz", period=1, failures=30)
        container["liveness_probe"] = _probe("/healthz", period=10, failures=3, timeout=5)
        container["readiness_probe"] = _probe("/readyz", period=2, failures=2, timeout=2)
    return container


def _environment(image: Image) -> list[EnvVarArgsDict]:
    environment: dict[str, str] = {
        "VANTA_SECRETS_DIR": _SECRETS,
        "VANTA_DRAIN_SECONDS": str(image.drain_seconds),
    }
    if image.configuration.authorities_name is not None:
        file = f"{_AUTHORITIES}/{AUTHORITIES}"
        environment |= {"VANTA_DATABASE_CA": file, "VANTA_CACHE_CA": file}
    return [{"name": name, "value": value} for name, value in environment.items()]


def _mounts(configuration: Configuration) -> list[VolumeMountArgsDict]:
    mounts: list[VolumeMountArgsDict] = [{"name": "secrets", "mount_path": _SECRETS, "read_only": True}]
    if configuration.authorities_name is not None:
        mounts.append({"name": "authorities", "mount_path": _AUTHORITIES, "read_only": True})
    return mounts


def _volumes(configuration: Configuration, secret: pulumi.Input[str]) -> list[VolumeArgsDict]:
    # Read by the group alone; the kubelet swaps the whole folder when the Secret changes.
    volumes: list[VolumeArgsDict] = [
        {"name": "secrets", "secret": {"secret_name": secret, "default_mode": 0o440}}
    ]
    if configuration.authorities_name is not None:
        volumes.append({"name": "authorities", "config_map": {"name": configuration.authorities_name}})
    return volumes


def _probe(path: str, *, period: int, failures: int, timeout: int = 1) -> ProbeArgsDict:
    return {
        "http_get": {"path": path, "port": PORT_NAME},
        "period_seconds": period,
        "timeout_seconds": timeout,
        "failure_threshold": failures,
    }
