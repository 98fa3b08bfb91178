"""A whole cluster of one node on this machine: up, down, and what runs."""

import shutil
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from local.cluster import addons, cgroup, crds, kernel, network, pki, preflight
from local.cluster.build import VERSION, Binaries, build_binaries, find_binaries
from local.cluster.control_plane import API, CONTROLLERS, SCHEDULER, STORE, ControlPlane
from local.cluster.error import ClusterError
from local.cluster.kubectl import Kubectl
from local.cluster.node import KUBELET, NODE, PROXY, RUNTIME, Node
from local.cluster.tool import run
from local.console import Console
from local.digest import digest
from local.home import REPOSITORY, Home, write
from local.processes import Processes
from local.usage import usage

FOLDER = ".vanta-cluster"
CONTEXT = "vanta"
_PORT = 6443
# Who depends on others stops before them; before all, what runs beside the cluster for its pods.
_STOPPED = (addons.METRICS, addons.DNS, PROXY, KUBELET, RUNTIME, SCHEDULER, CONTROLLERS, API, STORE)


@dataclass(frozen=True, kw_only=True)
class Running:
    """A cluster that is up: how to reach it, and whether anything had to be started."""

    kubeconfig: Path
    kubectl: Kubectl
    network: network.Network
    socket: Path
    changed: bool
    seconds: float


class Cluster:
    """The cluster of one home folder.

    Args:
        console: where progress is shown.
        root: the home folder; ``.vanta-cluster`` of this checkout unless a test says otherwise.
    """

    def __init__(self, console: Console, root: Path = REPOSITORY / FOLDER) -> None:
        self._console = console
        self._root = root

    def up(self) -> Running:
        """Bring the cluster up, or start what is down of it, as after a crash or a reboot.

        Raises :class:`ClusterError`.
        """
        started = time.monotonic()
        with self._console.step("machine") as step:
            preflight.check(self._console.say, self._root)
            step.outcome = "root, tools and kernel are there"
        binaries = self._binaries()
        home = Home.at(self._root)
        with home.alone(
            ClusterError("Another `make cluster-up` of this checkout is running: wait for it to end.")
        ):
            before = {process.pid for process in Processes(home).all() if process.handle()}
            node = self._start(home, binaries)
            after = {process.pid for process in Processes(home).all()}
            return Running(
                kubeconfig=node.pki.kubeconfig,
                kubectl=Kubectl(program=binaries.kubernetes, kubeconfig=node.pki.kubeconfig, context=CONTEXT),
                network=node.network,
                socket=node.socket,
                changed=before != after,
                seconds=time.monotonic() - started,
            )

    def down(self) -> int:
        """Remove every process, mount, interface, rule and file of the cluster; return how many processes there were."""
        home = Home(root=self._root.resolve())
        name = network.name_of(home)
        processes = Processes(home)
        with self._console.step("stop processes") as step:
            count = sum(process.handle() is not None for process in processes.all())
            engines = [process.command.name for process in processes.all()]
            for process in (*(name for name in engines if name not in _STOPPED), *_STOPPED):
                processes.stop(process, deadline=10)
            count += cgroup.remove(name)
            # What watches over containers outlives containerd on purpose.
            count += processes.stop_orphans()
            step.outcome = f"{count} stopped"
        with self._console.step("remove state") as step:
            for mounted in _mounts(home.root, Path("/run") / name):
                run("umount", str(mounted))
            if shutil.which("ip"):
                network.Network(name=name, slot=0).down()
            if not network.others():
                kernel.give_back()
            shutil.rmtree(Path("/run") / name, ignore_errors=True)
            shutil.rmtree(home.root, ignore_errors=True)
            step.outcome = str(self._root.name)
        return count

    def status(self) -> dict[str, Any]:
        """What runs: per process its pid, resident bytes and CPU seconds; the kubeconfig once there is one."""
        if not self._root.exists():
            return {"processes": {}, "kubeconfig": None}
        home = Home.at(self._root)
        kubeconfig = home.root / "kubernetes" / "pki" / "admin.kubeconfig"
        return {
            "processes": usage(Processes(home)),
            "kubeconfig": str(kubeconfig) if kubeconfig.exists() else None,
        }

    def _start(self, home: Home, binaries: Binaries) -> Node:
        with self._console.step("network") as step:
            net = network.claim(home)
            net.up()
            cgroup.make(net.name)
            kernel.remember()
            step.outcome = f"pods {net.pods}, node {net.node}, machine {net.machine[0]}"
        url = f"https://{net.node}:{_PORT}"
        certificates = pki.ensure(
            home.folder("kubernetes", "pki"),
            server=url,
            addresses=[net.node, "127.0.0.1", net.services.replace(".0/25", ".1")],
            node=NODE,
            context=CONTEXT,
        )
        with self._console.step("control plane") as step:
            plane = ControlPlane(
                home=home,
                kubernetes=binaries.kubernetes,
                pki=certificates,
                url=url,
                services=net.services,
                inside=net.inside,
            )
            plane.start(CONTROLLERS, SCHEDULER)
            step.outcome = url
        node = Node(home=home, binaries=binaries, pki=certificates, network=net)
        with self._console.step("node") as step:
            node.start()
            addons.start(home, binaries, certificates, net)
            kubectl = Kubectl(
                program=binaries.kubernetes, kubeconfig=certificates.kubeconfig, context=CONTEXT
            )
            kubectl.apply(addons.objects(net))
            self._await(home, kubectl)
            step.outcome = f"Kubernetes {VERSION} is ready"
        self._custom_resources(home, kubectl)
        return node

    def _custom_resources(self, home: Home, kubectl: Kubectl) -> None:
        made_from, installed = digest(Path(crds.__file__)), home.root / "kubernetes" / "custom-resources"
        with self._console.step("custom resources") as step:
            if installed.exists() and installed.read_text() == made_from:
                step.outcome = "are known"
                return
            crds.install(kubectl)
            write(installed, made_from)
            step.outcome = "of monitoring, secrets, databases and mesh"

    def _await(self, home: Home, kubectl: Kubectl) -> None:
        try:
            kubectl("wait", "--for=create", f"node/{NODE}", "--timeout=60s")
            kubectl("wait", "--for=condition=Ready", f"node/{NODE}", "--timeout=60s")
            kubectl("wait", "--for=create", "serviceaccount/default", "--timeout=60s")
            kubectl("wait", "--for=condition=Available", "apiservice/v1beta1.metrics.k8s.io", "--timeout=60s")
        except ClusterError as error:
            dead = [process for process in Processes(home).all() if process.handle() is None]
            tails = "\n".join(f"{process.command.name}:\n{process.tail(5)}" for process in dead)
            raise ClusterError(f"{error} {tails}") from None

    def _binaries(self) -> Binaries:
        with self._console.step("kubernetes") as step:
            found = find_binaries()
            if found is None:
                self._console.say(
                    f"  building Kubernetes {VERSION} from its Go modules, once, in about 25 minutes"
                )
                found = build_binaries(lambda done, total: step.report("compiling", done, total))
            step.outcome = str(found.kubernetes.parent).replace(str(Path.home()), "~")
            return found


def _mounts(*folders: Path) -> list[Path]:
    """What is mounted below ``folders``, innermost first."""
    mounted = [Path(line.split()[1]) for line in Path("/proc/self/mounts").read_text().splitlines()]
    return [path for path in reversed(mounted) if any(path.is_relative_to(folder) for folder in folders)]
