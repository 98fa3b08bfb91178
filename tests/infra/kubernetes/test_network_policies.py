"""Who may talk to whom in the cluster: the openings, one by one, and nothing else."""

import ipaddress
from typing import Any

import pytest

SUBNETS_OF_DATA = {"10.22.252.0/22", "10.22.248.0/22", "10.22.244.0/22"}


def policies(stack: Any, namespace: str = "vanta") -> dict[str, dict[str, Any]]:
    return {
        r.inputs["metadata"]["name"]: r.inputs["spec"]
        for r in stack.all("NetworkPolicy")
        if r.inputs["metadata"]["namespace"] == namespace
    }


@pytest.mark.parametrize("namespace", ["vanta", "vanta-timescale"])
def test_nothing_is_open_that_is_not_named(prod: Any, namespace: str) -> None:
    assert policies(prod, namespace)["default-deny"] == {
        "podSelector": {},
        "policyTypes": ["Ingress", "Egress"],
    }


def test_the_openings_are_these(prod: Any, dev: Any, elsewhere: Any) -> None:
    always = {"default-deny", "callers", "monitoring", "dns", "engines", "cloud", "telemetry"}
    assert policies(prod).keys() == always | {"mesh", "timescale"}
    assert policies(dev).keys() == always | {"mesh"}
    assert policies(elsewhere).keys() == always


def test_a_policy_closes_what_it_opens_for(prod: Any) -> None:
    for name, policy in policies(prod).items():
        for direction in ("Ingress", "Egress"):
            assert name == "default-deny" or (direction in policy["policyTypes"]) == (
                direction.lower() in policy
            )


def test_requests_come_from_the_load_balancer_and_from_namespaces_that_say_so(prod: Any) -> None:
    policy = policies(prod)["callers"]
    (rule,) = policy["ingress"]
    assert rule["ports"] == [{"protocol": "TCP", "port": 8080}]
    blocks = [peer["ipBlock"]["cidr"] for peer in rule["from"] if "ipBlock" in peer]
    # The public subnets, where the load balancer is; not those of nodes and pods.
    assert blocks == ["10.22.192.0/22", "10.22.196.0/22", "10.22.200.0/22"]
    assert [peer for peer in rule["from"] if "ipBlock" not in peer] == [
        {"namespaceSelector": {"matchLabels": {"vanta/ingress": "true"}}}
    ]
    assert policy["podSelector"]["matchLabels"]["app.kubernetes.io/component"] == "api"


def test_without_a_load_balancer_no_address_is_let_in(dev: Any, elsewhere: Any) -> None:
    assert not [peer for peer in policies(dev)["callers"]["ingress"][0]["from"] if "ipBlock" in peer]
    blocks = [p["ipBlock"]["cidr"] for p in policies(elsewhere)["callers"]["ingress"][0]["from"] if "ipBlock" in p]  # fmt: skip
    assert blocks == ["192.0.2.0/24"]


def test_pods_reach_database_and_cache_where_they_are(prod: Any, elsewhere: Any) -> None:
    (rule,) = policies(prod)["engines"]["egress"]
    assert {peer["ipBlock"]["cidr"] for peer in rule["to"]} == SUBNETS_OF_DATA
    assert [port["port"] for port in rule["ports"]] == [4242, 4242]
    (rule,) = policies(elsewhere)["engines"]["egress"]
    assert [port["port"] for port in rule["ports"]] == [15432, 4242]


def test_pods_reach_the_cloud_but_not_the_role_of_their_node(prod: Any, elsewhere: Any) -> None:
    https, identity = policies(prod)["cloud"]["egress"]
    (peer,) = https["to"]
    assert peer["ipBlock"] == {"cidr": "0.0.0.0/0", "except": ["169.254.169.254/32"]}
    assert https["ports"] == [{"protocol": "TCP", "port": 443}]
    # Amazon EKS User Guide, "EKS Pod Identity Agent": where a pod asks for its own role.
    assert identity == {
        "to": [{"ipBlock": {"cidr": "169.254.170.23/32"}}],
        "ports": [{"protocol": "TCP", "port": 80}],
    }
    https, _ = policies(elsewhere)["cloud"]["egress"]
    assert [port["port"] for port in https["ports"]] == [443, 4566]


def test_prometheus_alone_scrapes_and_dns_is_the_clusters(prod: Any) -> None:
    (rule,) = policies(prod)["monitoring"]["ingress"]
    (peer,) = rule["from"]
    assert peer["namespaceSelector"]["matchLabels"] == {"kubernetes.io/metadata.name": "monitoring"}
    assert peer["podSelector"]["matchLabels"] == {"app.kubernetes.io/name": "prometheus"}
    (rule,) = policies(prod)["dns"]["egress"]
    assert {(port["protocol"], port["port"]) for port in rule["ports"]} == {("UDP", 53), ("TCP", 53)}
    assert rule["to"][0]["podSelector"]["matchLabels"] == {"k8s-app": "kube-dns"}


def test_the_mesh_reaches_the_pods_through_its_tunnel_and_probes_by_their_address(prod: Any) -> None:
    """Istio, "Ambient and Kubernetes NetworkPolicy"."""
    probes, tunnel = policies(prod)["mesh"]["ingress"]
    assert probes["from"] == [{"ipBlock": {"cidr": "169.254.7.127/32"}}]
    assert [port["port"] for port in tunnel["ports"]] == [15008]


def test_the_mesh_asks_for_mutual_tls_of_all_but_the_load_balancer(prod: Any, dev: Any) -> None:
    found = {r.inputs["metadata"]["name"]: r.inputs["spec"] for r in prod.all("PeerAuthentication")}
    assert found["default"] == {"mtls": {"mode": "STRICT"}}
    assert found["state-api"]["mtls"] == {"mode": "STRICT"}
    assert found["state-api"]["portLevelMtls"] == {"8080": {"mode": "PERMISSIVE"}}
    assert [r.inputs["metadata"]["name"] for r in dev.all("PeerAuthentication")] == ["default"]


def test_timescale_lets_the_app_in_on_one_port(prod: Any) -> None:
    app, *_ = policies(prod, "vanta-timescale")["callers"]["ingress"]
    assert app["ports"] == [{"protocol": "TCP", "port": 5432}]
    assert app["from"][0]["podSelector"]["matchLabels"] == {"app.kubernetes.io/name": "state-api"}
    (rule,) = policies(prod)["timescale"]["egress"]
    assert rule["ports"] == app["ports"]


def test_the_subnets_of_data_are_within_the_network(prod: Any) -> None:
    network = ipaddress.IPv4Network(prod.outputs["networkCidr"])
    assert all(ipaddress.IPv4Network(subnet).subnet_of(network) for subnet in SUBNETS_OF_DATA)
