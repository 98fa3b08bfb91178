"""The fail-over: clients keep one name, and are led to the region that answers."""

from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from infra.aws.access import HTTPS_PORT
from infra.aws.load_balancer import READINESS
from infra.names import Names

# Amazon Route 53 API: HealthCheckConfig, RequestInterval and FailureThreshold: half a minute until it is noticed, while
# one lost answer changes nothing.
INTERVAL_SECONDS = 10
FAILURES = 3


@dataclass(frozen=True, kw_only=True)
class FailoverArgs:
    """Inputs of :class:`Failover`.

    ``host`` is the clients' name, ``own_host`` the one that leads to this stack alone, whoever serves.
    """

    names: Names
    zone_id: pulumi.Input[str]
    host: str
    own_host: str
    standby: bool
    target: pulumi.Input[str]
    target_zone_id: pulumi.Input[str]


class Failover(pulumi.ComponentResource):
    """Two names for the load balancer: its own, and its half of the one that the primary and its standby share.

    Route 53 asks the own name from all over the world whether requests will succeed. As long as the primary's answer is
    yes, clients are led there; else to the standby, if its answer is yes.

    Produces two ``Record`` and a ``HealthCheck``.

    Source: Amazon Route 53 Developer Guide, "Active-passive failover" and "How Amazon Route 53 determines whether a health
    check is healthy".
    """

    health_check_id: pulumi.Output[str]

    def __init__(self, name: str, args: FailoverArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("vanta:aws:Failover", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        aws.route53.Record(
            f"{name}-own",
            zone_id=args.zone_id,
            name=args.own_host,
            type="A",
            aliases=[
                {
                    "name": args.target,
                    "zone_id": args.target_zone_id,
                    # The health check has to find the load balancer even when nothing behind it answers.
                    "evaluate_target_health": False,
                }
            ],
            opts=child,
        )
        check = aws.route53.HealthCheck(
            name,
            type="HTTPS",
            fqdn=args.own_host,
            port=HTTPS_PORT,
            resource_path=READINESS,
            enable_sni=True,
            request_interval=INTERVAL_SECONDS,
            failure_threshold=FAILURES,
            tags=args.names.tags(layer="foundation", classification="internal", name=name),
            # Operators close the way to a lost region until it serves again; an update in between may not reopen it.
            opts=pulumi.ResourceOptions(parent=self, ignore_changes=["disabled", "invertHealthcheck"]),
        )
        aws.route53.Record(
            name,
            zone_id=args.zone_id,
            name=args.host,
            type="A",
            set_identifier=args.names.stack,
            failover_routing_policies=[{"type": "SECONDARY" if args.standby else "PRIMARY"}],
            health_check_id=check.id,
            aliases=[{"name": args.target, "zone_id": args.target_zone_id, "evaluate_target_health": True}],
            opts=child,
        )
        self.health_check_id = check.id
        self.register_outputs({"healthCheckId": self.health_check_id})
