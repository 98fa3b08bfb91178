"""The endpoints: how the network reaches AWS without crossing the internet."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_aws as aws

from infra.aws.access import HTTPS_PORT, Access, security_group
from infra.aws.endpoint_policies import interface_policies, s3_policy
from infra.aws.place import Place
from infra.names import Names


@dataclass(frozen=True, kw_only=True)
class EndpointsArgs:
    """Inputs of :class:`Endpoints`; ``interfaces`` are paid for by the hour and zone, the gateway of S3 is free."""

    names: Names
    place: Place
    interfaces: bool
    vpc_id: pulumi.Input[str]
    subnet_ids: Sequence[pulumi.Input[str]]
    route_table_ids: Sequence[pulumi.Input[str]]
    app_security_group_id: pulumi.Input[str]


class Endpoints(pulumi.ComponentResource):
    """Private ways to the AWS services that nodes and the app call, each with a policy that names the calls.

    Produces the gateway ``VpcEndpoint`` of S3 and the app's ``SecurityGroupEgressRule`` to it; with ``interfaces`` a
    ``SecurityGroup``, its ``SecurityGroupIngressRule`` and the app's ``SecurityGroupEgressRule``, and a ``VpcEndpoint``
    for each service of :func:`infra.aws.endpoint_policies.interface_policies`. ``security_group_id`` is that of the
    interfaces, None where there are none.

    Source: AWS PrivateLink Guide, "Access AWS services through AWS PrivateLink" and "Gateway endpoints for Amazon S3".
    """

    s3_prefix_list_id: pulumi.Output[str]
    security_group_id: pulumi.Output[str] | None

    def __init__(self, name: str, args: EndpointsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("vanta:aws:Endpoints", name, None, opts)
        self._args = args
        self._child = pulumi.ResourceOptions(parent=self)
        access = Access(
            names=args.names, client="app", group_id=args.app_security_group_id, child=self._child
        )

        s3 = aws.ec2.VpcEndpoint(
            "s3",
            vpc_id=args.vpc_id,
            service_name=self._service("s3"),
            vpc_endpoint_type="Gateway",
            route_table_ids=list(args.route_table_ids),
            policy=json.dumps(s3_policy(args.place, args.names.of(""))),
            tags=self._tags("s3"),
            opts=self._child,
        )
        self.s3_prefix_list_id, self.security_group_id = s3.prefix_list_id, None
        access.to_prefix_list("s3", s3.prefix_list_id, HTTPS_PORT)
        if args.interfaces:
            self.security_group_id = security_group(
                name,
                "The interface endpoints, reached over TLS",
                names=args.names,
                vpc_id=args.vpc_id,
                child=self._child,
            )
            access.to_group(name, self.security_group_id, HTTPS_PORT)
            for service, policy in interface_policies(args.place, args.names.of("")).items():
                self._interface(service, policy, self.security_group_id)
        self.register_outputs({})

    def _interface(self, service: str, policy: dict[str, Any], group_id: pulumi.Output[str]) -> None:
        aws.ec2.VpcEndpoint(
            service,
            vpc_id=self._args.vpc_id,
            service_name=self._service(service),
            vpc_endpoint_type="Interface",
            # The service's public name resolves to the endpoint: clients need no configuration.
            private_dns_enabled=True,
            subnet_ids=list(self._args.subnet_ids),
            security_group_ids=[group_id],
            policy=json.dumps(policy),
            tags=self._tags(service),
            opts=self._child,
        )

    def _service(self, service: str) -> str:
        return f"com.amazonaws.{self._args.place.region}.{service}"

    def _tags(self, name: str) -> dict[str, str]:
        return self._args.names.tags(layer="foundation", classification="internal", name=name)
