"""The configuration of the pods: environment variables, and the authorities that they trust."""

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi
import pulumi_kubernetes as kubernetes

from infra.kubernetes.metadata import metadata
from infra.kubernetes.options import inside

AUTHORITIES = "authorities.pem"


@dataclass(frozen=True, kw_only=True)
class ConfigurationArgs:
    """Inputs of :class:`Configuration`; ``authorities`` is PEM, empty for those of the image."""

    environment: Mapping[str, pulumi.Input[str]]
    authorities: str


class Configuration(pulumi.ComponentResource):
    """What the pods are told. It cannot be changed, only replaced under another name: a change of configuration rolls them.

    Produces an immutable ``ConfigMap`` for the environment and, if there are authorities, one for them.

    Source: Kubernetes documentation, "Immutable ConfigMaps".
    """

    environment_name: pulumi.Output[str]
    authorities_name: pulumi.Output[str] | None

    def __init__(
        self, name: str, args: ConfigurationArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("vanta:kubernetes:Configuration", name, None, opts)
        self._inside = inside(self, opts)
        self.environment_name = self._map("state-api-environment", args.environment)
        self.authorities_name = (
            self._map("state-api-authorities", {AUTHORITIES: args.authorities}) if args.authorities else None
        )
        self.register_outputs({})

    def _map(self, name: str, data: Mapping[str, pulumi.Input[str]]) -> pulumi.Output[str]:
        made = kubernetes.core.v1.ConfigMap(
            name,
            metadata=metadata(None, "configuration"),
            data=dict(data),
            immutable=True,
            opts=self._inside,
        )
        # The engine names what has no name; only the type of the SDK does not know.
        return made.metadata.apply(lambda found: found.name or "")
