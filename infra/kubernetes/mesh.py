"""The mesh: who speaks mutual TLS with whom, and who cannot."""

from dataclasses import dataclass

import pulumi
from pulumi_kubernetes.apiextensions import CustomResource

from infra.kubernetes.metadata import APP_NAME, metadata, selector
from infra.kubernetes.options import inside
from infra.kubernetes.sizes import PORT

API_VERSION = "security.istio.io/v1"


@dataclass(frozen=True, kw_only=True)
class MeshArgs:
    """Inputs of :class:`Mesh`; ``outside_callers`` is whether what is in no mesh calls the API, such as a load balancer."""

    outside_callers: bool


class Mesh(pulumi.ComponentResource):
    """Mutual TLS between pods, required of everybody in the namespace (docs/adr/0027-mesh-and-operators.md).

    A load balancer has no identity in the mesh: where one calls, the API's one port takes plain HTTP too, from the addresses
    that the network policy names.

    Produces a ``PeerAuthentication`` for the namespace and, with callers from outside, one for the API.

    Source: Istio, "PeerAuthentication".
    """

    def __init__(self, name: str, args: MeshArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("vanta:kubernetes:Mesh", name, None, opts)
        child = inside(self, opts)
        CustomResource(
            "default",
            api_version=API_VERSION,
            kind="PeerAuthentication",
            metadata=metadata("default", "mesh"),
            spec={"mtls": {"mode": "STRICT"}},
            opts=child,
        )
        if args.outside_callers:
            CustomResource(
                APP_NAME,
                api_version=API_VERSION,
                kind="PeerAuthentication",
                metadata=metadata(APP_NAME, "mesh"),
                spec={
                    "selector": {"matchLabels": selector("api")},
                    "mtls": {"mode": "STRICT"},
                    "portLevelMtls": {str(PORT): {"mode": "PERMISSIVE"}},
                },
                opts=child,
            )
        self.register_outputs({})
