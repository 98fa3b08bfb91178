"""Ports that are found free once and then kept, so that a restarted server has the address it had."""

import logging
import socket
import zlib
from collections.abc import Sequence

import msgspec

from local.home import Home, write

# Below the range from which Linux takes the ports of outgoing connections, and above the usual servers.
FIRST, LAST = 20000, 32000

log = logging.getLogger(__name__)


class PortError(Exception):
    """No port was free."""


class Ports:
    """The ports of ``home``, by name, kept in its ``ports.json``."""

    def __init__(self, home: Home) -> None:
        self.home = home
        self._file = home.root / "ports.json"

    def claim(self, name: str, *, hosts: Sequence[str] = ("127.0.0.1",), held: bool = False) -> int:
        """Return the port of ``name``, free on every address of ``hosts``.

        The first call chooses one; later calls return the same, unless another program has taken it meanwhile: then a new one
        is chosen and a warning logged. ``held`` says that our own server is listening there now, so it is not looked at.
        """
        with self.home.lock("ports"):
            ports = self.all()
            known = ports.get(name)
            if known is not None and (held or _free(known, hosts)):
                return known
            taken = {*ports.values()}
            # Two checkouts search from different places, so that they do not pick the same port at the same moment.
            start = zlib.crc32(f"{self.home.root}\0{name}".encode())
            candidates = (FIRST + (start + step) % (LAST - FIRST) for step in range(LAST - FIRST))
            port = next((port for port in candidates if port not in taken and _free(port, hosts)), None)
            if port is None:
                raise PortError(
                    f"no port between {FIRST} and {LAST} is free for {name}: stop a server on this machine."
                )
            if known is not None:
                log.warning(
                    "port %d of %s is taken by another program: %s uses port %d from now on",
                    known,
                    name,
                    name,
                    port,
                )
            write(self._file, msgspec.json.encode({**ports, name: port}).decode())
            return port

    def all(self) -> dict[str, int]:
        """Return every port claimed so far, by name."""
        try:
            return msgspec.json.decode(self._file.read_bytes(), type=dict[str, int])
        except FileNotFoundError:
            return {}


def _free(port: int, hosts: Sequence[str]) -> bool:
    for host in hosts:
        with socket.socket() as probe:
            # As servers do: a connection that has just ended (TIME_WAIT) does not make the port taken.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((host, port))
            except OSError:
                return False
    return True
