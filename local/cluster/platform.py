"""The platform on the cluster of this machine: the stack ``local`` with its engines in the cluster's home, and its pods in the cluster."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from local import tls
from local.api import first_key
from local.aws.emulator import ACCOUNT, Aws
from local.cluster import external_secrets, images
from local.cluster.cluster import Running
from local.digest import digest
from local.environment import app_environment, mount_secrets
from local.home import Home, write
from local.processes import Command, Processes
from local.pulumi.engine import build_engine, find_engine

if TYPE_CHECKING:
    from local.pulumi.stack import Change, Stack

_STACK = "local"
_REGION = "eu-west-1"
# Of infra/kubernetes, which nothing here imports but through the program.
_NAMESPACE, _API = "vanta", "state-api"


@dataclass(frozen=True, kw_only=True)
class ClusterPlatform:
    """What ``make cluster-up`` puts into the cluster ``running`` of ``home``."""

    home: Home
    running: Running

    def load(self, archive: Path) -> str:
        """Put the API's image of ``archive`` into the node under a name that tells its content, and return that name."""
        name = f"localhost/vanta-api:{digest(archive)}"
        if name not in images.names(self.running.socket):
            images.load(self.running.socket, archive)
            images.tag(self.running.socket, images.API, name)
        return name

    def up(self, image: str, config: dict[str, Any] | None = None) -> "Change":
        """Bring the stack up with the pods of ``image``; ``config`` is laid over the stack's own.

        Raises the errors of the engine, the stack and the emulator.
        """
        return self.stack(image, config).up()

    def url(self) -> str:
        """Where this machine reaches the API: the address of its Service. Raises :class:`ClusterError`."""
        address = self.running.kubectl(
            *("get", "service", _API, "--namespace", _NAMESPACE), "--output", "jsonpath={.spec.clusterIP}"
        )
        return f"http://{address}"

    def key(self, outputs: Mapping[str, Any]) -> Path:
        """The file with the API key of a first tenant, made by the operators' command on this machine.

        Raises :class:`local.api.ApiError`.
        """
        file = self.home.root / "api-key"
        if not file.exists():
            endpoint = Aws(self.home).endpoint
            folder = mount_secrets(self.home, outputs["appSecrets"], endpoint, outputs["region"])
            # It serves nothing, so that any port will do.
            environment = app_environment(self.home, outputs, endpoint, secrets=folder, port=1)
            write(file, first_key(environment))
        return file

    def stack(self, image: str, config: dict[str, Any] | None = None) -> "Stack":
        """The stack, with what it stands on running: the emulator, its engines, and who copies its secrets."""
        # The SDKs take seconds to import, and most commands need none of them.
        from local.pulumi.stack import Stack  # noqa: PLC0415

        emulator = Aws(self.home)
        emulator.start()
        emulator.revive()
        self._copy_secrets(emulator.endpoint)
        environment = self.home.folder("kubernetes") / "environment"
        write(environment, "".join(f"{name}={value}\n" for name, value in _seen(emulator.endpoint).items()))
        workload = {
            "enabled": True,
            "image": image,
            "kubeconfigFile": str(self.running.kubeconfig),
            "kubeconfigContext": self.running.kubectl.context,
            "environmentFile": str(environment),
            "authoritiesFile": str(tls.ensure(self.home).ca),
        }
        return Stack(
            _STACK,
            folder=self.home.folder("stack"),
            engine=find_engine() or build_engine(lambda *_: None),
            endpoint=emulator.endpoint,
            config={"vanta:workload": {**workload, **(config or {})}},
        )

    def _copy_secrets(self, endpoint: str) -> None:
        processes = Processes(self.home)
        if not processes.running(external_secrets.NAME):
            argv = [
                *(sys.executable, "-m", "local.cluster.external_secrets"),
                *("--kubeconfig", str(self.running.kubeconfig)),
                *("--endpoint", endpoint, "--region", _REGION),
            ]
            processes.start(Command(name=external_secrets.NAME, argv=argv, cwd=self.home.root))


def _seen(endpoint: str) -> dict[str, str]:
    """What the pods see otherwise than on AWS; the emulator takes any credentials, so these are no secret."""
    return {
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_ACCESS_KEY_ID": ACCOUNT,
        "AWS_SECRET_ACCESS_KEY": "local",
    }
