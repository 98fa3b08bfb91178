"""kubectl against one cluster, never the one that the user's own KUBECONFIG happens to name."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from local.cluster.error import ClusterError
from local.cluster.tool import run


@dataclass(frozen=True, kw_only=True)
class Kubectl:
    """kubectl with its cluster: ``program`` is the binary of :mod:`local.cluster.build`."""

    program: Path
    kubeconfig: Path
    context: str

    def __call__(self, *arguments: str, said: str | None = None) -> str:
        """Run one command with ``said`` as its standard input; raises :class:`ClusterError` with kubectl's words."""
        where = ["--kubeconfig", str(self.kubeconfig), "--context", self.context]
        return run(str(self.program), "kubectl", *where, *arguments, said=said)

    def apply(self, objects: Sequence[dict[str, Any]]) -> None:
        """Apply ``objects`` by server-side apply."""
        document = json.dumps({"apiVersion": "v1", "kind": "List", "items": list(objects)})
        self("apply", "--server-side", "--filename=-", said=document)


def named(program: Path, kubeconfig: Path, context: str | None) -> Kubectl:
    """The cluster of a kubeconfig that is not ours: its context must be named, for "current" may be somebody's production.

    Raises :class:`ClusterError`.
    """
    try:
        known = [entry["name"] for entry in yaml.safe_load(kubeconfig.read_text())["contexts"]]
    except (OSError, yaml.YAMLError, KeyError, TypeError):
        raise ClusterError(
            f"{kubeconfig} is no kubeconfig: name a file that `kubectl --kubeconfig` takes."
        ) from None
    if context is None or context not in known:
        said = f"has no context {context}" if context else "may lead to somebody's production"
        raise ClusterError(f"{kubeconfig} {said}: choose with --context one of {', '.join(known)}.")
    return Kubectl(program=program, kubeconfig=kubeconfig, context=context)
