"""The load balancer: the only way in from the internet, over TLS, to whatever serves the state API."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_aws as aws

from infra.aws.access import ANYWHERE, HTTPS_PORT, Access, security_group
from infra.aws.bucket import BucketArgs, PrivateBucket, gone_after
from infra.aws.place import Place
from infra.names import Names
from infra.settings.lifetime import Lifetime

HTTP_PORT = 80
# What the image listens on, and the route that says whether requests will succeed.
APP_PORT = 8080
READINESS = "/readyz"
# Elastic Load Balancing, "Security policies for your Application Load Balancer": TLS 1.3 and 1.2 with forward secrecy, and
# key exchanges that a quantum computer does not break.
TLS_POLICY = "ELBSecurityPolicy-TLS13-1-2-Res-PQ-2025-09"
# A pod is taken out after two lost answers, and gets its last requests while it ends.
HEALTH_SECONDS = 5
DRAINING_SECONDS = 30


@dataclass(frozen=True, kw_only=True)
class LoadBalancerArgs:
    """Inputs of :class:`LoadBalancer`; its access logs are kept for ``log_days``."""

    names: Names
    place: Place
    lifetime: Lifetime
    vpc_id: pulumi.Input[str]
    subnet_ids: Sequence[pulumi.Input[str]]
    app_group_id: pulumi.Input[str]
    certificate_arn: pulumi.Input[str]
    log_days: int


class LoadBalancer(pulumi.ComponentResource):
    """An Application Load Balancer with access logs, whose targets are pods that a ``TargetGroupBinding`` registers.

    Plain HTTP is answered with the way to HTTPS. Headers that are no HTTP are dropped, and a request that could be read in
    two ways is refused: nothing behind it has to guess.

    Produces ``LoadBalancer``, ``TargetGroup``, two ``Listener``, a ``SecurityGroup`` with its ``SecurityGroupIngressRule``
    and ``SecurityGroupEgressRule``, and a :class:`PrivateBucket`.

    Source: Elastic Load Balancing, "Application Load Balancers" and "Enable access logs for your Application Load Balancer";
    AWS Load Balancer Controller, "TargetGroupBinding".
    """

    arn: pulumi.Output[str]
    arn_suffix: pulumi.Output[str]
    dns_name: pulumi.Output[str]
    zone_id: pulumi.Output[str]
    target_group_arn: pulumi.Output[str]
    target_group_suffix: pulumi.Output[str]
    group_id: pulumi.Output[str]

    def __init__(self, name: str, args: LoadBalancerArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("vanta:aws:LoadBalancer", name, None, opts)
        self._child = child = pulumi.ResourceOptions(parent=self)
        tags = args.names.tags(layer="foundation", classification="public", name=name)

        logs = self._logs(args)
        self.group_id = self._group(name, args)
        balancer = aws.lb.LoadBalancer(
            name,
            name=args.names.of("api"),
            internal=False,
            load_balancer_type="application",
            security_groups=[self.group_id],
            subnets=list(args.subnet_ids),
            access_logs={"bucket": logs.name, "enabled": True},
            drop_invalid_header_fields=True,
            desync_mitigation_mode="strictest",
            enable_deletion_protection=args.lifetime.protected,
            tags=tags,
            # Elastic Load Balancing tries the bucket before it accepts it.
            opts=pulumi.ResourceOptions(parent=self, depends_on=[logs]),
        )
        targets = aws.lb.TargetGroup(
            name,
            name=args.names.of("api"),
            target_type="ip",
            port=APP_PORT,
            protocol="HTTP",
            vpc_id=args.vpc_id,
            deregistration_delay=DRAINING_SECONDS,
            health_check={
                "path": READINESS,
                "matcher": "200",
                "interval": HEALTH_SECONDS,
                "timeout": HEALTH_SECONDS - 1,
                "healthy_threshold": 2,
                "unhealthy_threshold": 2,
            },
            tags=tags,
            opts=child,
        )
        aws.lb.Listener(
            f"{name}-https",
            load_balancer_arn=balancer.arn,
            port=HTTPS_PORT,
            protocol="HTTPS",
            ssl_policy=TLS_POLICY,
            certificate_arn=args.certificate_arn,
            default_actions=[{"type": "forward", "target_group_arn": targets.arn}],
            tags=tags,
            opts=child,
        )
        aws.lb.Listener(
            f"{name}-http",
            load_balancer_arn=balancer.arn,
            port=HTTP_PORT,
            protocol="HTTP",
            default_actions=[
                {
                    "type": "redirect",
                    "redirect": {
                        "protocol": "HTTPS",
                        "port": str(HTTPS_PORT),
                        "status_code": "HTTP_301",
                    },
                }
            ],
            tags=tags,
            opts=child,
        )
        self.arn, self.arn_suffix = balancer.arn, balancer.arn_suffix
        self.dns_name, self.zone_id = balancer.dns_name, balancer.zone_id
        self.target_group_arn, self.target_group_suffix = targets.arn, targets.arn_suffix
        self.register_outputs({"arn": self.arn, "dnsName": self.dns_name})

    def _group(self, name: str, args: LoadBalancerArgs) -> pulumi.Output[str]:
        """Reached by everybody on the two ports of the web, reaching the app alone."""
        group_id = security_group(
            name,
            "The load balancer of the state API",
            names=args.names,
            vpc_id=args.vpc_id,
            child=self._child,
        )
        for noun, port in (("https", HTTPS_PORT), ("http", HTTP_PORT)):
            aws.vpc.SecurityGroupIngressRule(
                f"{name}-{noun}",
                security_group_id=group_id,
                cidr_ipv4=ANYWHERE,
                ip_protocol="tcp",
                from_port=port,
                to_port=port,
                description=f"{noun.upper()} from the internet",
                tags=args.names.tags(layer="foundation", classification="internal", name=f"{name}-{noun}"),
                opts=self._child,
            )
        access = Access(names=args.names, client=name, group_id=group_id, child=self._child)
        access.to_group("app", args.app_group_id, APP_PORT)
        return group_id

    def _logs(self, args: LoadBalancerArgs) -> PrivateBucket:
        return PrivateBucket(
            "edge-logs",
            BucketArgs(
                names=args.names,
                lifetime=args.lifetime,
                layer="audit",
                classification="confidential",
                # Delivery takes only S3's own keys.
                statements=[log_delivery(args.names, args.place)],
                lifecycle=gone_after(args.log_days),
            ),
            opts=self._child,
        )


def log_delivery(names: Names, place: Place) -> dict[str, Any]:
    """The statement by which Elastic Load Balancing may write access logs: the account in the path is whose they are."""
    return {
        "Sid": "LoadBalancerLogDelivery",
        "Effect": "Allow",
        "Principal": {"Service": "logdelivery.elasticloadbalancing.amazonaws.com"},
        "Action": "s3:PutObject",
        "Resource": f"arn:{place.partition}:s3:::{names.bucket('edge-logs')}/AWSLogs/{place.account_id}/*",
    }
