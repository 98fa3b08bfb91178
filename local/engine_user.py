"""Who PostgreSQL runs as when we are root: it refuses to run as root."""

import functools
import os
import subprocess
from pathlib import Path

NOBODY = 65534

# Nobody in a user namespace of its own, root outside it: files keep their owner, and closed folders above them stay open.
_NAMESPACE = ["unshare", "--user", f"--map-user={NOBODY}", f"--map-group={NOBODY}", "--"]
# Where namespaces are forbidden, as in most containers: nobody, who may read what root may. PostgreSQL still asks for the
# permissions of its own files by access(2), which counts no capability: a checkout in a folder closed to others fails.
_CAPABILITY = [
    "setpriv",
    f"--reuid={NOBODY}",
    f"--regid={NOBODY}",
    "--clear-groups",
    "--inh-caps=+dac_override",
    "--ambient-caps=+dac_override",
]


def as_engine_user(argv: list[str]) -> list[str]:
    """Return ``argv`` as PostgreSQL may be run."""
    return [*_prefix(), *argv]


def give(path: Path) -> None:
    """Let PostgreSQL own ``path``."""
    if _prefix() is _CAPABILITY:
        os.chown(path, NOBODY, NOBODY)


@functools.cache
def _prefix() -> list[str]:
    if os.geteuid() != 0:
        return []
    namespaces = subprocess.run([*_NAMESPACE, "true"], capture_output=True, check=False).returncode == 0
    return _NAMESPACE if namespaces else _CAPABILITY
