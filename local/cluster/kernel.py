"""Settings of the machine's kernel that a kubelet changes, and the last `make cluster-down` gives back."""

import json
from pathlib import Path

from local.home import write

# Kubernetes, pkg/kubelet/cm/container_manager_linux.go, "setupKernelTunables".
_SETTINGS = (
    "vm/overcommit_memory",
    "vm/panic_on_oom",
    "kernel/panic",
    "kernel/panic_on_oops",
    "kernel/keys/root_maxkeys",
    "kernel/keys/root_maxbytes",
)
_PROC = Path("/proc/sys")
# Of the machine and not of a home: a second cluster finds what the first one's kubelet has set.
_KEPT = Path("/run/vanta-kernel.json")


def remember() -> None:
    """Keep the settings as they are before the first cluster of the machine."""
    if not _KEPT.exists():
        values = {name: (_PROC / name).read_text().strip() for name in _SETTINGS if (_PROC / name).exists()}
        write(_KEPT, json.dumps(values))


def give_back() -> None:
    """Set what :func:`remember` kept; for when no cluster is left."""
    if _KEPT.exists():
        for name, value in json.loads(_KEPT.read_text()).items():
            if (_PROC / name).read_text().strip() != value:
                (_PROC / name).write_text(value)
        _KEPT.unlink()
