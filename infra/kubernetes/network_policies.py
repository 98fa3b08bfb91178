"""Who may talk to whom: nobody, but for the openings named here."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi
import pulumi_kubernetes as kubernetes
from pulumi_kubernetes.networking.v1 import (
    NetworkPolicyEgressRuleArgsDict,
    NetworkPolicyIngressRuleArgsDict,
    NetworkPolicySpecArgsDict,
)

from infra.aws.access import POSTGRESQL_PORT
from infra.aws.timescale_backup import ACCOUNT as TIMESCALE_ACCOUNT
from infra.kubernetes.metadata import APP_NAME, NAME, metadata, selector
from infra.kubernetes.options import inside
from infra.kubernetes.peers import (
    ANYWHERE,
    DNS_PORT,
    METADATA,
    MONITORING,
    POD_IDENTITY,
    POD_IDENTITY_PORT,
    block,
    dns,
    pods,
    tcp,
    udp,
)
from infra.kubernetes.sizes import PORT

TIMESCALE = TIMESCALE_ACCOUNT.namespace
# Namespaces whose pods may call the API put this label on themselves: an ingress controller's, another service's.
CALLER = {"vanta/ingress": "true"}
# Istio, "Ambient and Kubernetes NetworkPolicy": the tunnel between nodes, and the address that the kubelet's probes get.
_TUNNEL = 15008
_PROBES = "169.254.7.127/32"
_OTLP = 4318


@dataclass(frozen=True, kw_only=True)
class NetworkPoliciesArgs:
    """Inputs of :class:`NetworkPolicies`.

    ``caller_cidrs`` are where load balancers outside of the cluster call from, ``engine_cidrs`` where database and cache
    are on ``engine_ports``, ``cloud_ports`` where the cloud's APIs and webhooks answer.
    """

    caller_cidrs: Sequence[str]
    engine_cidrs: Sequence[str]
    engine_ports: Sequence[pulumi.Input[int]]
    cloud_ports: Sequence[int]
    meshed: bool
    timescale: bool


class NetworkPolicies(pulumi.ComponentResource):
    """Default deny in both directions, and one policy for each opening.

    Produces a ``NetworkPolicy`` each for ``default-deny``, ``callers``, ``monitoring``, ``dns``, ``engines``, ``cloud``,
    ``telemetry`` and, where there is such a thing, ``timescale`` and ``mesh``.

    Source: Kubernetes documentation, "Network Policies"; Amazon EKS User Guide, "Limit Pod traffic with Kubernetes network
    policies".
    """

    def __init__(
        self, name: str, args: NetworkPoliciesArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("vanta:kubernetes:NetworkPolicies", name, None, opts)
        self._inside = inside(self, opts)
        api, every = selector("api"), {NAME: APP_NAME}
        self._policy("default-deny", {}, ingress=[], egress=[])
        self._policy(
            "callers",
            api,
            ingress=[
                {
                    "from_": [
                        *(block(cidr) for cidr in args.caller_cidrs),
                        {"namespace_selector": {"match_labels": CALLER}},
                    ],
                    "ports": [tcp(PORT)],
                }
            ],
        )
        self._policy(
            "monitoring",
            api,
            ingress=[{"from_": [pods(MONITORING, {NAME: "prometheus"})], "ports": [tcp(PORT)]}],
        )
        self._policy("dns", every, egress=[{"to": [dns()], "ports": [udp(DNS_PORT), tcp(DNS_PORT)]}])
        self._policy(
            "engines",
            every,
            egress=[
                {
                    "to": [block(cidr) for cidr in args.engine_cidrs],
                    "ports": [tcp(port) for port in args.engine_ports],
                }
            ],
        )
        self._policy(
            "cloud",
            every,
            egress=[
                # S3, KMS, customers' webhooks: names without fixed addresses, so that only the port can be said.
                {
                    "to": [block(ANYWHERE, but=METADATA)],
                    "ports": [tcp(port) for port in args.cloud_ports],
                },
                {"to": [block(POD_IDENTITY)], "ports": [tcp(POD_IDENTITY_PORT)]},
            ],
        )
        self._policy("telemetry", every, egress=[{"to": [pods(MONITORING)], "ports": [tcp(_OTLP)]}])
        if args.timescale:
            self._policy(
                "timescale", api, egress=[{"to": [pods(TIMESCALE)], "ports": [tcp(POSTGRESQL_PORT)]}]
            )
        if args.meshed:
            self._policy(
                "mesh",
                every,
                ingress=[
                    {"from_": [block(_PROBES)], "ports": [tcp(PORT)]},
                    {
                        "from_": [pods(MONITORING), {"namespace_selector": {"match_labels": CALLER}}],
                        "ports": [tcp(_TUNNEL)],
                    },
                ],
                egress=[{"to": [pods(MONITORING)], "ports": [tcp(_TUNNEL)]}],
            )
        self.register_outputs({})

    def _policy(
        self,
        name: str,
        chosen: dict[str, str],
        *,
        ingress: list[NetworkPolicyIngressRuleArgsDict] | None = None,
        egress: list[NetworkPolicyEgressRuleArgsDict] | None = None,
    ) -> None:
        kubernetes.networking.v1.NetworkPolicy(
            name,
            metadata=metadata(name, "network"),
            spec=policy_spec(chosen, ingress=ingress, egress=egress),
            opts=self._inside,
        )


def policy_spec(
    chosen: Mapping[str, str],
    *,
    ingress: list[NetworkPolicyIngressRuleArgsDict] | None,
    egress: list[NetworkPolicyEgressRuleArgsDict] | None,
) -> NetworkPolicySpecArgsDict:
    """A policy for the pods with the labels ``chosen``, all if there are none; a direction with no rules lets nothing through."""
    spec: NetworkPolicySpecArgsDict = {
        "pod_selector": {"match_labels": dict(chosen)} if chosen else {},
        "policy_types": [
            kind for kind, rules in (("Ingress", ingress), ("Egress", egress)) if rules is not None
        ],
    }
    if ingress:
        spec["ingress"] = ingress
    if egress:
        spec["egress"] = egress
    return spec
