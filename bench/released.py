"""The platform on the cluster of this machine, seen by whoever releases versions of it and by its clients."""

import json
from collections.abc import Generator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

from bench.clients import Clients, clients
from bench.versions import derive
from local.cluster.kubectl import Kubectl
from local.cluster.platform import ClusterPlatform
from local.home import Home

NAMESPACE, API = "vanta", "state-api"


@dataclass(frozen=True)
class Released:
    """The platform with the pods of ``image``; ``outputs`` are the stack's."""

    platform: ClusterPlatform
    image: str
    outputs: dict[str, Any]

    @property
    def kubectl(self) -> Kubectl:
        return self.platform.running.kubectl

    @property
    def home(self) -> Home:
        return self.platform.home

    @cached_property
    def key(self) -> str:
        """The API key of a tenant."""
        return self.platform.key(self.outputs).read_text().strip()

    def clients(self, rate: float) -> AbstractContextManager[Clients]:
        """``rate`` requests a second to the API's Service for as long as the block lasts."""
        return clients(self.platform.url(), self.key, rate)

    def version(self, tag: str, files: dict[str, str]) -> str:
        """The name of a further version of the image, with ``files`` (content by path) laid over it."""
        name = f"{self.image.rpartition(':')[0]}:{tag}"
        derive(self.platform.running.socket, self.image, name, files)
        return name

    def get(self, *arguments: str) -> dict[str, Any]:
        """What kubectl answers in the API's namespace."""
        return json.loads(self.kubectl("get", *arguments, "--namespace", NAMESPACE, "--output", "json"))

    def patch(self, kind: str, name: str, spec: dict[str, Any]) -> None:
        """Change what ``kind`` ``name`` asks for, as an operator would by hand."""
        change = json.dumps({"spec": spec})
        self.kubectl("patch", kind, name, "--namespace", NAMESPACE, "--patch", change)

    @contextmanager
    def scaling_at(self, percent: int) -> Generator[None]:
        """With an autoscaler to which ``percent`` of the requested CPU is busy, and which lets go without two calm minutes."""
        usual = self.autoscaler()["spec"]
        (metric,) = json.loads(json.dumps(usual["metrics"]))
        metric["resource"]["target"]["averageUtilization"] = percent
        policy = {"type": "Pods", "value": 1, "periodSeconds": 1}
        hasty = {"scaleDown": {"stabilizationWindowSeconds": 0, "policies": [policy]}}
        try:
            self.patch("horizontalpodautoscaler", API, {"metrics": [metric], "behavior": hasty})
            yield
        finally:
            kept = {key: usual[key] for key in ("metrics", "behavior")}
            self.patch("horizontalpodautoscaler", API, kept)

    def autoscaler(self) -> dict[str, Any]:
        return self.get("horizontalpodautoscaler", API)

    def deployment(self) -> dict[str, Any]:
        return self.get("deployment", API)

    def pods(self) -> list[dict[str, Any]]:
        """The pods that serve or are to serve: none that is on its way out."""
        found = self.get("pods", "--selector", "app.kubernetes.io/component=api")["items"]
        return [pod for pod in found if "deletionTimestamp" not in pod["metadata"]]

    def ready(self) -> int:
        """How many of them get requests."""
        return len(self.ready_since())

    def ready_since(self) -> list[datetime]:
        """Since when each of these does, to a second."""
        return [
            datetime.fromisoformat(condition["lastTransitionTime"])
            for pod in self.pods()
            for condition in pod["status"].get("conditions", ())
            if condition["type"] == "Ready" and condition["status"] == "True"
        ]

    def restarts(self) -> int:
        """How often their containers were started again."""
        return sum(
            status["restartCount"]
            for pod in self.pods()
            for status in pod["status"].get("containerStatuses", ())
        )

    def images(self) -> set[str]:
        """What they run."""
        return {pod["spec"]["containers"][0]["image"] for pod in self.pods()}
