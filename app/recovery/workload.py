"""The pods of a stack, through ``kubectl`` with a context that has the cluster's name."""

import shutil
import subprocess

import msgspec

from app.recovery.errors import LostError
from app.recovery.stacks import Stack

NAMESPACE, DEPLOYMENT = "vanta", "deployment/state-api"
_SECONDS = 15


class Workload:
    """The state API's pods in the cluster of ``stack``."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack

    @property
    def missing(self) -> str:
        """Why there is nothing to be done here; empty if there is."""
        if not self._stack.kubernetes:
            return f"{self._stack.name} has no Kubernetes cluster"
        if shutil.which("kubectl") is None:
            return "there is no `kubectl` on PATH"
        return ""

    def replicas(self) -> tuple[int, int]:
        """How many pods are wanted, and how many are ready."""
        found = msgspec.json.decode(self._kubectl("get", DEPLOYMENT, "--output", "json"))
        return found["spec"]["replicas"], found.get("status", {}).get("readyReplicas", 0)

    def scale(self, replicas: int) -> None:
        """Ask for ``replicas`` pods; with 0 the autoscaler leaves it alone, from 1 on it decides."""
        self._kubectl("scale", DEPLOYMENT, f"--replicas={replicas}")

    def run(self, *command: str) -> str:
        """What ``command`` prints in one of the pods."""
        return self._kubectl("exec", DEPLOYMENT, "--", *command)

    def _kubectl(self, *arguments: str) -> str:
        command = ["kubectl", "--context", self._stack.kubernetes, "--namespace", NAMESPACE, *arguments]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=_SECONDS, check=False)
        except subprocess.TimeoutExpired:
            raise LostError(f"The Kubernetes cluster of {self._stack.name} does not answer.") from None
        if done.returncode:
            reason = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
            raise LostError(f"`kubectl {arguments[0]}` failed on {self._stack.kubernetes} ({reason}).")
        return done.stdout
