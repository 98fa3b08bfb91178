"""Peers and ports of network policies, by the names that they have here."""

from collections.abc import Mapping

import pulumi
from pulumi_kubernetes.networking.v1 import NetworkPolicyPeerArgsDict, NetworkPolicyPortArgsDict

MONITORING = "monitoring"
ANYWHERE = "0.0.0.0/0"
# Link-local services of a node: its metadata, which hold its role, and the agent that gives a pod its own.
METADATA = "169.254.169.254/32"
POD_IDENTITY = "169.254.170.23/32"
DNS_PORT, POD_IDENTITY_PORT = 53, 80


def block(cidr: str, *, but: str | None = None) -> NetworkPolicyPeerArgsDict:
    """The addresses of a network, without those of ``but``."""
    return {"ip_block": {"cidr": cidr, "except_": [but]} if but else {"cidr": cidr}}


def pods(namespace: str | None = None, labels: Mapping[str, str] | None = None) -> NetworkPolicyPeerArgsDict:
    """The pods with ``labels``, all without; of ``namespace``, or of the policy's own."""
    peer: NetworkPolicyPeerArgsDict = {}
    if labels or namespace is None:
        peer["pod_selector"] = {"match_labels": dict(labels)} if labels else {}
    if namespace is not None:
        peer["namespace_selector"] = {"match_labels": {"kubernetes.io/metadata.name": namespace}}
    return peer


def dns() -> NetworkPolicyPeerArgsDict:
    """The cluster's own DNS."""
    return pods("kube-system", {"k8s-app": "kube-dns"})


def tcp(port: pulumi.Input[int]) -> NetworkPolicyPortArgsDict:
    """A port of TCP."""
    return {"protocol": "TCP", "port": port}


def udp(port: int) -> NetworkPolicyPortArgsDict:
    """A port of UDP."""
    return {"protocol": "UDP", "port": port}
