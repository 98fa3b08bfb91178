"""Running an image with runc as a restricted Kubernetes pod would: its user, no capability, nothing to write to."""

import json
import subprocess
import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from local.image.archive import Image

# Masked and read-only paths are what the runtimes of Kubernetes give every container.
_MASKED = ["/proc/kcore", "/proc/keys", "/proc/timer_list", "/proc/sched_debug", "/sys/firmware"]
_NAMESPACES = ("pid", "ipc", "uts", "mount")


class Container:
    """A container of ``image`` below ``folder``, on the machine's own network; needs root and runc.

    ``mounts`` maps paths inside to folders outside, all read-only.
    """

    def __init__(
        self,
        image: Image,
        rootfs: Path,
        folder: Path,
        *,
        arguments: Sequence[str],
        environment: Mapping[str, str] | None = None,
        mounts: Mapping[str, Path] | None = None,
        entrypoint: Sequence[str] | None = None,
    ) -> None:
        self.name = f"vanta-{uuid.uuid4().hex[:12]}"
        self._bundle = folder / self.name
        self._bundle.mkdir(parents=True)
        self._runc = ["runc", "--root", str(folder / "runc")]
        self._process: subprocess.Popen[str] | None = None
        command = [*(image.config["Entrypoint"] if entrypoint is None else entrypoint), *arguments]
        variables = [*image.config["Env"], *(f"{k}={v}" for k, v in (environment or {}).items())]
        spec = _spec(image.config, rootfs, command, variables, mounts or {})
        (self._bundle / "config.json").write_text(json.dumps(spec))

    def start(self) -> subprocess.Popen[str]:
        """Start it in the foreground of the process returned, which hands on signals."""
        self._process = subprocess.Popen(
            [*self._runc, "run", "--bundle", str(self._bundle), self.name],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        return self._process

    def run(self, seconds: float = 60) -> subprocess.CompletedProcess[str]:
        """Run it to its end; raises ``TimeoutExpired`` after ``seconds`` and leaves nothing behind."""
        process = self.start()
        try:
            out, err = process.communicate(timeout=seconds)
        finally:
            self.remove()
        return subprocess.CompletedProcess(process.args, process.returncode, out, err)

    def remove(self) -> None:
        """Kill and forget it, if it is still there."""
        subprocess.run([*self._runc, "delete", "--force", self.name], capture_output=True, check=False)
        if self._process is not None:
            # Waits, and closes the pipes.
            self._process.__exit__(None, None, None)


def _spec(
    config: Mapping[str, Any],
    rootfs: Path,
    command: list[str],
    variables: list[str],
    mounts: Mapping[str, Path],
) -> dict[str, Any]:
    uid, gid = (int(number) for number in config["User"].split(":"))
    bound = [
        {"destination": inside, "type": "bind", "source": str(outside), "options": ["bind", "ro", "nosuid"]}
        for inside, outside in mounts.items()
    ]
    return {
        "ociVersion": "1.0.2",
        "process": {
            "user": {"uid": uid, "gid": gid},
            "args": command,
            "env": variables,
            "cwd": config["WorkingDir"] or "/",
            "capabilities": {},
            "noNewPrivileges": True,
        },
        "root": {"path": str(rootfs), "readonly": True},
        "mounts": [
            {"destination": "/proc", "type": "proc", "source": "proc"},
            {
                "destination": "/dev",
                "type": "tmpfs",
                "source": "tmpfs",
                "options": ["nosuid", "mode=755", "size=65536k"],
            },
            {
                "destination": "/dev/shm",  # noqa: S108 - inside the container, and its own
                "type": "tmpfs",
                "source": "shm",
                "options": ["nosuid", "nodev", "mode=1777"],
            },
            *bound,
        ],
        "linux": {
            "namespaces": [{"type": kind} for kind in _NAMESPACES],
            "maskedPaths": _MASKED,
            "readonlyPaths": ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"],
        },
    }
