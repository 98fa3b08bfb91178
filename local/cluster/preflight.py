"""What a whole cluster needs of the machine, looked at before anything is changed."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from local.cluster import cgroup
from local.cluster.error import ClusterError
from local.cluster.node import PLUGINS

# command or file -> the Debian package that has it
_TOOLS = {
    "containerd": "containerd",
    "ctr": "containerd",
    "runc": "runc",
    "iptables": "iptables",
    "ip": "iproute2",
    "nsenter": "util-linux",
    str(PLUGINS / "bridge"): "containernetworking-plugins",
}
# A file that is there with a kernel feature -> the module that brings it, and what pods need it for.
_KERNEL = {
    "/proc/sys/net/bridge/bridge-nf-call-iptables": ("br_netfilter", "Services inside one node"),
    "/sys/module/overlay": ("overlay", "the file systems of containers"),
}
# Unpacked images, the engines' data and their logs; the kubelet takes no pods once less than an eighth of it is left.
_FREE_BYTES = 2 << 30


def check(say: Callable[[str], None], home: Path) -> None:
    """Refuse a machine that no node can run on, with its state in ``home``, by one sentence.

    Debian packages that are missing are installed.

    Raises :class:`ClusterError`.
    """
    if sys.platform != "linux":
        raise ClusterError(
            f"a node needs Linux and this is {sys.platform}: use kind or k3d, "
            "and name its kubeconfig with --kubeconfig FILE --context NAME."
        )
    if os.geteuid():
        raise ClusterError(
            "a node needs root, for namespaces, mounts and cgroups: run the command as root, "
            "or name the kubeconfig of another cluster with --kubeconfig FILE --context NAME."
        )
    _install(sorted({package for tool, package in _TOOLS.items() if not shutil.which(tool)}), say)
    disk = next(folder for folder in home.resolve().parents if folder.exists())
    free = shutil.disk_usage(disk).free
    if free < _FREE_BYTES:
        raise ClusterError(
            f"{disk} has {free >> 20} MiB free, and a node with its images and databases needs {_FREE_BYTES >> 20}: "
            "free some space, or a full disk will keep pods from starting."
        )
    absent = cgroup.missing()
    if absent:
        raise ClusterError(
            f"the kernel has no cgroup controller {', '.join(absent)}, by which pods are limited: enable it at boot "
            "(cgroup_enable=NAME), or name the kubeconfig of another cluster with --kubeconfig FILE --context NAME."
        )
    for file, (module, purpose) in _KERNEL.items():
        if not _has(Path(file), module):
            raise ClusterError(
                f"the kernel has no {module}, which {purpose} need: `modprobe {module}` on the machine that this one "
                "runs on, or name the kubeconfig of another cluster with --kubeconfig FILE --context NAME."
            )


def _install(packages: list[str], say: Callable[[str], None]) -> None:
    if not packages:
        return
    wanted = " ".join(packages)
    if not shutil.which("apt-get"):
        raise ClusterError(
            f"{wanted} is missing and this is no Debian, on which it would be installed: install it yourself."
        )
    say(f"  installing from Debian: {wanted}")
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for command in (["update"], ["install", "--yes", "--no-install-recommends", *packages]):
        done = subprocess.run(
            ["apt-get", "--quiet=2", *command], env=environment, capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise ClusterError(
                f"{wanted} is missing and `apt-get {command[0]}` failed: {done.stderr.strip()[-500:]}. "
                "Install it yourself and run the same command again."
            )


def _has(file: Path, module: str) -> bool:
    if file.exists() or module in Path("/proc/filesystems").read_text().split():
        return True
    if shutil.which("modprobe"):
        subprocess.run(["modprobe", module], capture_output=True, check=False)
    return file.exists()
