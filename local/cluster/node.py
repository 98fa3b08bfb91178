"""containerd, the kubelet and kube-proxy: the one node of a cluster, in the cluster's network."""

import json
import time
from dataclasses import dataclass
from pathlib import Path

import yaml

from local.cluster import images
from local.cluster.build import Binaries
from local.cluster.error import ClusterError
from local.cluster.network import Network
from local.cluster.pki import Pki
from local.cluster.tool import run
from local.home import Home, write
from local.processes import Command, Processes

NODE = "node"
RUNTIME, KUBELET, PROXY = "containerd", "kubelet", "kube-proxy"
PLUGINS = Path("/usr/lib/cni")


@dataclass(frozen=True, kw_only=True)
class Node:
    """The node of ``home``; ``run`` is its folder below /run, for the paths of sockets are limited to 108 bytes."""

    home: Home
    binaries: Binaries
    pki: Pki
    network: Network

    @property
    def run(self) -> Path:
        """Sockets and mounts: gone with the machine."""
        return Path("/run") / self.network.name

    @property
    def socket(self) -> Path:
        """Where containerd answers."""
        return self.run / "containerd.sock"

    @property
    def logs(self) -> Path:
        """What containers print, one folder a pod."""
        return self.home.folder("logs", "pods")

    def start(self) -> None:
        """Start what is not running of it. Raises :class:`ClusterError`."""
        self.run.mkdir(mode=0o711, exist_ok=True)
        folder = self.home.folder("kubernetes")
        write(folder / "containerd.toml", self._containerd())
        write(self.home.folder("kubernetes", "cni") / "10-vanta.conflist", self._cni())
        write(folder / "kubelet.yaml", yaml.safe_dump(self._kubelet()))
        write(folder / "kube-proxy.yaml", yaml.safe_dump(self._proxy()))
        self._ensure(RUNTIME, ["containerd", "--config", str(folder / "containerd.toml")])
        self._await_runtime()
        if images.PAUSE not in images.names(self.socket):
            archive = folder / "pause.tar"
            images.write_program(archive, images.PAUSE, self.binaries.pause)
            images.load(self.socket, archive)
        kubernetes = str(self.binaries.kubernetes)
        self._ensure(
            KUBELET,
            [
                kubernetes,
                KUBELET,
                f"--config={folder / 'kubelet.yaml'}",
                f"--kubeconfig={self.pki.path('kubelet.kubeconfig')}",
                f"--root-dir={self._volumes()}",
                f"--cert-dir={self.pki.folder}",
                f"--hostname-override={NODE}",
                f"--node-ip={self.network.node}",
                # As a node of EKS has them, so that pods may be spread.
                "--node-labels=topology.kubernetes.io/region=local,topology.kubernetes.io/zone=local-a",
            ],
        )
        self._ensure(PROXY, [kubernetes, PROXY, f"--config={folder / 'kube-proxy.yaml'}"])

    def _volumes(self) -> Path:
        """The kubelet's folder: on the home's disk, seen below /run, for it has sockets too."""
        seen = self.run / "kubelet"
        seen.mkdir(mode=0o750, exist_ok=True)
        kept = self.home.folder("kubernetes", "kubelet")
        # Not is_mount(): it takes a bind mount within one file system for none, and a second one would hide the volumes of pods.
        if not seen.samefile(kept):
            run("mount", "--bind", str(kept), str(seen))
        return seen

    def _ensure(self, name: str, argv: list[str]) -> None:
        processes = Processes(self.home)
        if not processes.running(name):
            cwd = self.home.folder("kubernetes")
            processes.start(Command(name=name, argv=[*self.network.inside, *argv], cwd=cwd))

    def _await_runtime(self, deadline: float = 30) -> None:
        end = time.monotonic() + deadline
        while True:
            try:
                run("ctr", "--address", str(self.socket), "version")
            except ClusterError:
                process = Processes(self.home).get(RUNTIME)
                if time.monotonic() > end or process is None or not process.handle():
                    raise ClusterError(
                        "containerd did not start, for the reason at the end of its log; put it right and run the same "
                        f"command again:\n{process.tail() if process else ''}"
                    ) from None
                time.sleep(0.1)
            else:
                return

    def _containerd(self) -> str:
        return f"""version = 2
root = "{self.home.folder("kubernetes", "containerd")}"
state = "{self.run / "containerd"}"
disabled_plugins = ["io.containerd.internal.v1.opt"]
[grpc]
  address = "{self.socket}"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "{images.PAUSE}"
  # Where CAP_SYS_RESOURCE is withheld, no process may be made less likely to be killed than containerd itself.
  restrict_oom_score_adj = true
  netns_mounts_under_state_dir = true
  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "overlayfs"
    default_runtime_name = "runc"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"
      [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
        SystemdCgroup = false
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "{PLUGINS}"
    conf_dir = "{self.home.folder("kubernetes", "cni")}"
"""

    def _cni(self) -> str:
        addresses = {
            "type": "host-local",
            "dataDir": str(self.home.folder("kubernetes", "addresses")),
            "ranges": [[{"subnet": self.network.pods}]],
            "routes": [{"dst": "0.0.0.0/0"}],
        }
        bridge = {
            "type": "bridge",
            "bridge": "pods",
            "isGateway": True,
            "hairpinMode": True,
            "ipam": addresses,
        }
        ports = {"type": "portmap", "capabilities": {"portMappings": True}}
        return json.dumps({"cniVersion": "0.4.0", "name": self.network.name, "plugins": [bridge, ports]})

    def _kubelet(self) -> dict[str, object]:
        return {
            "apiVersion": "kubelet.config.k8s.io/v1beta1",
            "kind": "KubeletConfiguration",
            "containerRuntimeEndpoint": f"unix://{self.socket}",
            "cgroupDriver": "cgroupfs",
            "cgroupRoot": f"/{self.network.name}",
            # Kubernetes 1.35 refuses version 1 unless told; a machine in a micro VM may have nothing else.
            "failCgroupV1": False,
            "failSwapOn": False,
            "address": self.network.node,
            "authentication": {
                "anonymous": {"enabled": False},
                "webhook": {"enabled": True},
                "x509": {"clientCAFile": self.pki.path("ca.crt")},
            },
            "authorization": {"mode": "Webhook"},
            "tlsCertFile": self.pki.path("kubelet.crt"),
            "tlsPrivateKeyFile": self.pki.path("kubelet.key"),
            "podCIDR": self.network.pods,
            "podLogsDir": str(self.logs),
            # The machine's name servers are out of reach in there.
            "resolvConf": "",
            "clusterDomain": "cluster.local",
            "clusterDNS": [self.network.dns],
            "imageGCHighThresholdPercent": 100,
            # Of what is left, not by a share: a large disk that is nearly full has room for these pods. And looked at again
            # at once: a disk that somebody filled for a moment would keep the node from taking pods for five minutes.
            "evictionHard": {
                "memory.available": "100Mi",
                "nodefs.available": "256Mi",
                "imagefs.available": "256Mi",
            },
            "evictionPressureTransitionPeriod": "5s",
            # How often a pod's files are brought to what its Secret says; Kubernetes' own minute is for thousands of pods.
            "syncFrequency": "10s",
            "serializeImagePulls": False,
        }

    def _proxy(self) -> dict[str, object]:
        return {
            "apiVersion": "kubeproxy.config.k8s.io/v1alpha1",
            "kind": "KubeProxyConfiguration",
            "clientConnection": {"kubeconfig": self.pki.path("proxy.kubeconfig")},
            "hostnameOverride": NODE,
            "mode": "iptables",
            "clusterCIDR": self.network.pods,
            # The table of connections is the machine's: its size is not ours to change.
            "conntrack": {"maxPerCore": 0, "min": 0},
        }
