"""The network of a cluster: a namespace of its own, joined to the machine by one pair of interfaces.

Bridges, ports and iptables rules of the cluster live and die in the namespace: the machine sees one interface and two routes.
Both sides reach each other without translation:

- the machine reaches pods, Services (by their ClusterIP) and NodePorts (at :attr:`Network.node`);
- pods reach what listens at :attr:`Network.machine`, addresses that nothing outside this machine can reach. The servers of
  the cluster's home listen there (:attr:`local.home.Home.addresses`), so one address, and one certificate, serves both.

Nothing else is reachable from the cluster: it has no way to the internet.
"""

import ipaddress
import json
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from local.cluster.error import ClusterError
from local.cluster.tool import run
from local.home import LOOPBACK, Home, write

# RFC 2544 reserves 198.18.0.0/15 for such networks: no address of a real one is in it.
_PODS, _LINKS = "198.18", "198.19"
_SLOTS = 256
_PREFIX = "vanta-"
_NAMESPACES = Path("/run/netns")
_SETTINGS = ("net/ipv4/ip_forward", "net/bridge/bridge-nf-call-iptables")


def name_of(home: Home) -> str:
    """What the interface, the namespace, the cgroup and the run folder of the cluster of ``home`` are called.

    Made from its path, so that they are found again after the folder was deleted; 14 characters, of the 15 that Linux allows.
    """
    return f"{_PREFIX}{zlib.crc32(str(home.root).encode()):08x}"


@dataclass(frozen=True, kw_only=True)
class Network:
    """The addresses of one cluster: ``slot`` (0 to 255) tells it from others on the machine."""

    name: str
    slot: int

    @property
    def machine(self) -> tuple[str, ...]:
        """The machine's addresses on the link, as many as a home has: what listens there is reached from pods."""
        return tuple(f"{_LINKS}.{self.slot}.{240 + number}" for number in range(1, len(LOOPBACK) + 1))

    @property
    def node(self) -> str:
        """The node's address: the API server's, the kubelet's and the NodePorts'."""
        return f"{_LINKS}.{self.slot}.254"

    @property
    def services(self) -> str:
        """The range of ClusterIPs."""
        return f"{_LINKS}.{self.slot}.0/25"

    @property
    def dns(self) -> str:
        """The ClusterIP of the cluster's name server."""
        return f"{_LINKS}.{self.slot}.10"

    @property
    def pods(self) -> str:
        """The range of pods' addresses."""
        return f"{_PODS}.{self.slot}.0/24"

    @property
    def inside(self) -> tuple[str, ...]:
        """The command that runs its arguments in the namespace.

        Not ``ip netns exec``: that mounts /sys anew and hides the cgroups.
        """
        return ("nsenter", f"--net={_NAMESPACES / self.name}", "--")

    def up(self) -> None:
        """Make what is missing of it. Raises :class:`ClusterError`."""
        if not (_NAMESPACES / self.name).exists():
            run("ip", "netns", "add", self.name)
        run(*self.inside, "ip", "link", "set", "lo", "up")
        if self.name not in {link["ifname"] for link in _ip("link")}:
            # Named alike on both sides: they are never in one namespace.
            run("ip", "link", "add", self.name, "type", "veth", "peer", "name", "machine", "netns", self.name)
            for address in self.machine:
                run("ip", "addr", "add", f"{address}/28", "dev", self.name)
            run("ip", "link", "set", self.name, "up")
            run(*self.inside, "ip", "addr", "add", f"{self.node}/28", "dev", "machine")
            run(*self.inside, "ip", "link", "set", "machine", "up")
            for reached in (self.pods, self.services):
                run("ip", "route", "add", reached, "via", self.node)
            # A packet to a ClusterIP needs a route before kube-proxy rewrites it.
            run(*self.inside, "ip", "route", "add", self.services, "via", self.machine[0])
        for setting in _SETTINGS:
            run(*self.inside, "sh", "-c", f"echo 1 > /proc/sys/{setting}")

    def down(self) -> None:
        """Remove it; the interface, its routes and all rules go with the namespace."""
        if self.name in {link["ifname"] for link in _ip("link")}:
            run("ip", "link", "delete", self.name)
        if (_NAMESPACES / self.name).exists():
            run("ip", "netns", "delete", self.name)


def claim(home: Home) -> Network:
    """Return the network of ``home``: the addresses that it had, else the first that nobody on this machine uses.

    Raises :class:`ClusterError` when the addresses that it had are somebody else's now.
    """
    name, kept = name_of(home), home.folder("kubernetes") / "slot"
    with home.lock("slot"):
        taken = _taken(name)
        if kept.exists():
            slot = int(kept.read_text())
            if slot in taken:
                raise ClusterError(
                    f"the addresses of this cluster ({_LINKS}.{slot}.0/24) are used by another interface of this machine: "
                    "run `make cluster-down`, then `make cluster-up` takes others."
                )
            return Network(name=name, slot=slot)
        start = zlib.crc32(name.encode())
        slot = next((s for step in range(_SLOTS) if (s := (start + step) % _SLOTS) not in taken), None)
        if slot is None:
            raise ClusterError(
                f"every network in {_PODS}.0.0/15 is in use on this machine: stop a cluster with `make cluster-down`."
            )
        network = Network(name=name, slot=slot)
        write(home.root / "addresses", " ".join(network.machine))
        write(kept, str(slot))
        return network


def others() -> bool:
    """Whether this machine has the network of any cluster of ours."""
    return any(_NAMESPACES.glob(f"{_PREFIX}*"))


def _taken(name: str) -> set[int]:
    """The slots of which an address is assigned or routed by anything but the interface ``name``."""
    addresses = [
        info["local"] for link in _ip("address") if link["ifname"] != name for info in link["addr_info"]
    ]
    routes = [route["dst"] for route in _ip("route") if route.get("dev") != name]
    ours = ipaddress.ip_network(f"{_PODS}.0.0/15")
    used = set()
    for text in (*addresses, *routes):
        if text != "default" and ipaddress.ip_network(text, strict=False).overlaps(ours):
            used.add(int(text.split(".")[2]))
    return used


def _ip(what: str) -> list[dict[str, Any]]:
    return json.loads(run("ip", "-4", "-json", what, "show") or "[]")
