"""The cluster's name server and its metrics: processes of the machine in the cluster's network, behind Services."""

from pathlib import Path
from typing import Any

from local.cluster.build import Binaries
from local.cluster.network import Network
from local.cluster.pki import Pki
from local.home import Home, write
from local.processes import Command, Processes

DNS, METRICS = "coredns", "metrics-server"
_METRICS_PORT = 4443


def start(home: Home, binaries: Binaries, pki: Pki, network: Network) -> None:
    """Start what is not running of them."""
    folder = home.folder("kubernetes")
    # Written where it changes alone: the API server announces itself only after its certificate is known.
    write(folder / "Corefile", _corefile(pki))
    metrics = [
        str(binaries.kubernetes),
        METRICS,
        f"--kubeconfig={pki.kubeconfig}",
        f"--bind-address={network.node}",
        f"--secure-port={_METRICS_PORT}",
        f"--tls-cert-file={pki.path('apiserver.crt')}",
        f"--tls-private-key-file={pki.path('apiserver.key')}",
    ]
    dns = [str(binaries.coredns), "-conf", str(folder / "Corefile"), "-quiet"]
    processes = Processes(home)
    for name, argv in ((DNS, dns), (METRICS, metrics)):
        if not processes.running(name):
            processes.start(Command(name=name, argv=[*network.inside, *argv], cwd=folder))


def objects(network: Network) -> list[dict[str, Any]]:
    """What the API server has to know of them."""
    return [
        _service("kube-dns", [("dns", 53, "UDP"), ("dns-tcp", 53, "TCP")], cluster_ip=network.dns),
        _behind("kube-dns", network.node, [("dns", 53, "UDP"), ("dns-tcp", 53, "TCP")]),
        _service(METRICS, [("https", 443, "TCP")]),
        _behind(METRICS, network.node, [("https", _METRICS_PORT, "TCP")]),
        {
            "apiVersion": "apiregistration.k8s.io/v1",
            "kind": "APIService",
            "metadata": {"name": "v1beta1.metrics.k8s.io"},
            "spec": {
                "group": "metrics.k8s.io",
                "version": "v1beta1",
                "groupPriorityMinimum": 100,
                "versionPriority": 100,
                # It presents the API server's certificate, which does not name this Service; the link is inside the machine.
                "insecureSkipTLSVerify": True,
                "service": {"name": METRICS, "namespace": "kube-system"},
            },
        },
    ]


def _corefile(pki: Pki) -> str:
    return f""".:53 {{
  errors
  ready 127.0.0.1:8181
  kubernetes cluster.local in-addr.arpa {{
    kubeconfig {_path(pki.kubeconfig)}
    pods insecure
  }}
  cache 5
}}
"""


def _path(path: Path) -> str:
    return f'"{path}"'


def _service(name: str, ports: list[tuple[str, int, str]], cluster_ip: str | None = None) -> dict[str, Any]:
    listed = [{"name": port, "port": number, "protocol": protocol} for port, number, protocol in ports]
    address = {"clusterIP": cluster_ip} if cluster_ip else {}
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name, "namespace": "kube-system"},
        "spec": {"ports": listed, **address},
    }


def _behind(service: str, address: str, ports: list[tuple[str, int, str]]) -> dict[str, Any]:
    labels = {"kubernetes.io/service-name": service, "endpointslice.kubernetes.io/managed-by": "vanta"}
    return {
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": {"name": f"{service}-machine", "namespace": "kube-system", "labels": labels},
        "addressType": "IPv4",
        "ports": [{"name": port, "port": number, "protocol": protocol} for port, number, protocol in ports],
        "endpoints": [{"addresses": [address], "conditions": {"ready": True}}],
    }
