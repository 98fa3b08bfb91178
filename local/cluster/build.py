"""Kubernetes itself, built once from its Go modules into the user's cache.

Two modules, for CoreDNS asks for newer versions of what Kubernetes is made of: ``kubernetes/`` is every part of a node with
etcd, kubectl and metrics-server in one binary, and pods' ``pause``; ``coredns/`` is the cluster's name server.
"""

import fcntl
from dataclasses import dataclass
from pathlib import Path

import platformdirs

from local import go
from local.cluster.error import ClusterError
from local.digest import digest

# The minor version is the one that the stacks declare for EKS (infra/settings/kubernetes_versions.py).
VERSION = "1.35.4"
_SOURCE = Path(__file__).parent
_STAMP = "k8s.io/component-base/version"
_FLAGS = (
    f"-s -w -X {_STAMP}.gitVersion=v{VERSION} -X {_STAMP}.gitMajor=1 -X {_STAMP}.gitMinor={VERSION.split('.')[1]}"
    f" -X {_STAMP}.gitTreeState=clean"
)
# file -> its module and its package there
_PROGRAMS = {
    "kubernetes": ("kubernetes", "."),
    "pause": ("kubernetes", "./pause"),
    "coredns": ("coredns", "."),
}


@dataclass(frozen=True, kw_only=True)
class Binaries:
    """The programs of a cluster; the first argument of ``kubernetes`` names the part that it is to be."""

    kubernetes: Path
    pause: Path
    coredns: Path


def find_binaries(cache: Path | None = None) -> Binaries | None:
    """The programs if all are built from the modules as they are now, else None."""
    paths = {name: _built(name, cache) for name in _PROGRAMS}
    return Binaries(**paths) if all(path.exists() for path in paths.values()) else None


def build_binaries(progress: go.Progress, cache: Path | None = None) -> Binaries:
    """Build what is missing (about 25 minutes on 2 cores, 200 MB) and return all; a second caller waits for the first.

    Raises :class:`ClusterError`.
    """
    folder = cache or platformdirs.user_cache_path("vanta")
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "kubernetes.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        for name, (module, package) in _PROGRAMS.items():
            binary = _built(name, cache)
            if binary.exists():
                continue
            for remains in binary.parent.glob(f"{name}.*"):
                remains.unlink()
            try:
                go.build(_SOURCE / module, package, binary, flags=_FLAGS, progress=progress)
            except go.GoError as error:
                raise ClusterError(
                    f"Kubernetes could not be built: {name}, {error}\nFree 6 GB of disk and memory, install Go or uv "
                    "where neither is, and run the same command again."
                ) from None
    return Binaries(**{name: _built(name, cache) for name in _PROGRAMS})


def _built(name: str, cache: Path | None) -> Path:
    """Where a program of this version, built from these modules, is kept."""
    module, _ = _PROGRAMS[name]
    folder = f"{module}-{digest(_SOURCE / module)}"
    return (cache or platformdirs.user_cache_path("vanta")) / folder / name
