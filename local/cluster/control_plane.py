"""etcd, the API server and the controllers: what decides, without a node that runs anything."""

import http.client
import ssl
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from local.cluster.error import ClusterError
from local.cluster.pki import Pki
from local.home import Home
from local.processes import Command, Processes

# Relative to the folder that the processes work in: the path of a unix socket is limited to 108 bytes.
# etcd wants a port in every address, so the files are named so.
_ETCD, _PEERS = "unix://etcd:1", "unix://peers:1"
STORE, API, CONTROLLERS, SCHEDULER = "etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler"


@dataclass(frozen=True, kw_only=True)
class ControlPlane:
    """The control plane of one home.

    Args:
        home: whose processes they are.
        kubernetes: the binary.
        pki: the certificates.
        url: where the API server answers, ``https://ADDRESS:PORT``.
        services: the range of Service addresses, in CIDR notation.
        inside: a command that runs the rest of its arguments in the cluster's network.
    """

    home: Home
    kubernetes: Path
    pki: Pki
    url: str
    services: str
    inside: Sequence[str] = ()

    def start(self, *clients: str, deadline: float = 60) -> None:
        """Start what is not running of the store, the API server and, once that is ready, ``clients`` (names of this module).

        Raises :class:`ClusterError` with the end of a log when it is not ready within ``deadline`` seconds.
        """
        self._ensure(STORE, API)
        processes = Processes(self.home)
        end = time.monotonic() + deadline
        while not self.ready():
            dead = next((part for part in (STORE, API) if not processes.running(part)), None)
            if dead or time.monotonic() > end:
                process = processes.get(dead or API)
                raise ClusterError(
                    f"{dead or API} did not start at {self.url}, for the reason at the end of its log; "
                    f"put it right and run the same command again:\n{process.tail() if process else ''}"
                )
            time.sleep(0.05)
        # They give up by themselves when the API server takes longer than 10 s, as on a busy machine it does.
        self._ensure(*clients)

    def _ensure(self, *parts: str) -> None:
        processes = Processes(self.home)
        for part in parts:
            if not processes.running(part):
                processes.start(self._command(part))

    def ready(self) -> bool:
        """Whether the API server answers and says that it is ready."""
        context = ssl.create_default_context(cafile=self.pki.path("ca.crt"))
        context.load_cert_chain(self.pki.path("admin.crt"), self.pki.path("admin.key"))
        connection = http.client.HTTPSConnection(urlsplit(self.url).netloc, timeout=5, context=context)
        try:
            connection.request("GET", "/readyz")
            return connection.getresponse().status == http.HTTPStatus.OK
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    def stop(self) -> None:
        """Stop all of it, clients before servers."""
        processes = Processes(self.home)
        for part in (SCHEDULER, CONTROLLERS, API, STORE):
            processes.stop(part)

    def _command(self, part: str) -> Command:
        flags = {STORE: _etcd, API: self._api, CONTROLLERS: self._controllers, SCHEDULER: self._scheduler}
        arguments = [f"--{name}={value}" for name, value in flags[part]().items()]
        folder = self.home.folder("kubernetes")
        argv = [*self.inside, str(self.kubernetes), part, *arguments]
        return Command(name=part, argv=argv, cwd=folder)

    def _api(self) -> Mapping[str, str]:
        address = urlsplit(self.url)
        loopback = (address.hostname or "").startswith("127.")
        return {
            "etcd-servers": _ETCD,
            "bind-address": f"{address.hostname}",
            "advertise-address": f"{address.hostname}",
            "secure-port": f"{address.port}",
            "service-cluster-ip-range": self.services,
            "client-ca-file": self.pki.path("ca.crt"),
            "tls-cert-file": self.pki.path("apiserver.crt"),
            "tls-private-key-file": self.pki.path("apiserver.key"),
            "service-account-key-file": self.pki.path("sa.pub"),
            "service-account-signing-key-file": self.pki.path("sa.key"),
            "service-account-issuer": "https://kubernetes.default.svc.cluster.local",
            "authorization-mode": "Node,RBAC",
            "enable-admission-plugins": "NodeRestriction",
            "anonymous-auth": "false",
            # As on EKS: whether a pod may be privileged is Pod Security's to say, by namespace.
            "allow-privileged": "true",
            "profiling": "false",
            "kubelet-client-certificate": self.pki.path("admin.crt"),
            "kubelet-client-key": self.pki.path("admin.key"),
            "kubelet-certificate-authority": self.pki.path("ca.crt"),
            "kubelet-preferred-address-types": "InternalIP",
            "requestheader-client-ca-file": self.pki.path("ca.crt"),
            "requestheader-allowed-names": "front-proxy",
            "requestheader-username-headers": "X-Remote-User",
            "requestheader-group-headers": "X-Remote-Group",
            "requestheader-extra-headers-prefix": "X-Remote-Extra-",
            "proxy-client-cert-file": self.pki.path("front-proxy.crt"),
            "proxy-client-key-file": self.pki.path("front-proxy.key"),
            "enable-aggregator-routing": "true",
            # No pod reaches a loopback address, and the reconciler refuses to announce one.
            "endpoint-reconciler-type": "none" if loopback else "lease",
        }

    def _controllers(self) -> Mapping[str, str]:
        return {
            "kubeconfig": self.pki.path("controller-manager.kubeconfig"),
            "service-account-private-key-file": self.pki.path("sa.key"),
            "root-ca-file": self.pki.path("ca.crt"),
            "use-service-account-credentials": "true",
            "leader-elect": "false",
            "secure-port": "0",
            # Kubernetes' own 15 s would be most of a scaling's time.
            "horizontal-pod-autoscaler-sync-period": "2s",
        }

    def _scheduler(self) -> Mapping[str, str]:
        return {
            "kubeconfig": self.pki.path("scheduler.kubeconfig"),
            "leader-elect": "false",
            "secure-port": "0",
        }


def _etcd() -> Mapping[str, str]:
    return {
        "name": "node",
        "data-dir": "etcd",
        "listen-client-urls": _ETCD,
        "advertise-client-urls": _ETCD,
        "listen-peer-urls": _PEERS,
        "initial-advertise-peer-urls": _PEERS,
        "initial-cluster": f"node={_PEERS}",
        "log-level": "warn",
        # What a crash of the machine would lose is remade by `make cluster-up`.
        "unsafe-no-fsync": "true",
    }
