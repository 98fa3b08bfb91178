"""The entrance: how requests from outside of the cluster reach the pods."""

from dataclasses import dataclass

import pulumi
import pulumi_kubernetes as kubernetes
from pulumi_kubernetes.apiextensions import CustomResource

from infra.kubernetes.metadata import APP_NAME, metadata
from infra.kubernetes.options import inside
from infra.kubernetes.sizes import PORT_NAME
from infra.kubernetes.state_api import SERVICE_PORT

TLS_SECRET = f"{APP_NAME}-tls"


@dataclass(frozen=True, kw_only=True)
class EntranceArgs:
    """Inputs of :class:`Entrance`: the stack's own load balancer by ``target_group_arn``, or an Ingress for ``host``.

    With ``issuer``, a ClusterIssuer, cert-manager keeps the certificate; without, somebody else keeps its Secret.
    """

    service: kubernetes.core.v1.Service
    target_group_arn: pulumi.Input[str] | None
    host: str
    issuer: str


class Entrance(pulumi.ComponentResource):
    """What brings requests to the pods.

    Produces a ``TargetGroupBinding``, by which the AWS Load Balancer Controller registers the pods in the target group that
    the program made (docs/adr/0014-edge.md), or an ``Ingress`` with TLS for whatever controller the cluster has, or neither.

    Source: AWS Load Balancer Controller, "TargetGroupBinding"; Kubernetes documentation, "Ingress".
    """

    def __init__(self, name: str, args: EntranceArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("vanta:kubernetes:Entrance", name, None, opts)
        behind = inside(self, opts, args.service)
        if args.target_group_arn is not None:
            CustomResource(
                name,
                api_version="elbv2.k8s.aws/v1beta1",
                kind="TargetGroupBinding",
                metadata=metadata(APP_NAME, "entrance"),
                spec={
                    "serviceRef": {"name": APP_NAME, "port": SERVICE_PORT},
                    "targetGroupARN": args.target_group_arn,
                    "targetType": "ip",
                },
                opts=behind,
            )
        if args.host:
            kubernetes.networking.v1.Ingress(
                name,
                metadata=metadata(
                    APP_NAME,
                    "entrance",
                    annotations={
                        # Who gives it an address, and when, is not this program's to wait for.
                        "pulumi.com/skipAwait": "true",
                        **({"cert-manager.io/cluster-issuer": args.issuer} if args.issuer else {}),
                    },
                ),
                spec={
                    "tls": [{"hosts": [args.host], "secret_name": TLS_SECRET}],
                    "rules": [
                        {
                            "host": args.host,
                            "http": {
                                "paths": [
                                    {
                                        "path": "/",
                                        "path_type": "Prefix",
                                        "backend": {
                                            "service": {"name": APP_NAME, "port": {"name": PORT_NAME}}
                                        },
                                    }
                                ]
                            },
                        }
                    ],
                },
                opts=behind,
            )
        self.register_outputs({})
