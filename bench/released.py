"""The platform on the cluster of this machine, seen by whoever releases versions of it and by its clients."""

import json
from contextlib import AbstractContextManager
from dataclasses import dataclass
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

    def deployment(self) -> dict[str, Any]:
        return self.get("deployment", API)

    def pods(self) -> list[dict[str, Any]]:
        """The pods that serve or are to serve: none that is on its way out."""
        found = self.get("pods", "--selector", "app.kubernetes.io/component=api")["items"]
        return [pod for pod in found if "deletionTimestamp" not in pod["metadata"]]

    def ready(self) -> int:
        """How many of them get requests."""
        return sum(
            condition["status"] == "True"
            for pod in self.pods()
            for condition in pod["status"].get("conditions", ())
            if condition["type"] == "Ready"
        )

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
