"""The API server with its store and controllers alone: every manifest is admitted or refused as on a real cluster, no pod runs.

It needs neither root nor anything of the kernel, and starts in seconds.
"""

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from local.cluster import crds, pki
from local.cluster.build import Binaries, build_binaries, find_binaries
from local.cluster.control_plane import API, CONTROLLERS, ControlPlane
from local.cluster.error import ClusterError
from local.cluster.kubectl import Kubectl
from local.home import Home
from local.ports import Ports
from local.processes import Processes

_ADDRESS, _CONTEXT = "127.0.0.1", "vanta-light"
# Never dialled: no pod runs behind them.
_SERVICES = "198.19.0.0/24"


@contextmanager
def serving(
    home: Home, binaries: Binaries | None = None, *, custom_resources: bool = False
) -> Generator[Path]:
    """Serve the API of Kubernetes on loopback while the block runs; gives the administrator's kubeconfig.

    Controllers run, so namespaces, owners and service accounts behave as they do; without a scheduler pods stay Pending.
    The programs are built if there are none and ``binaries`` names none. With ``custom_resources`` the API knows those in use
    (:mod:`local.cluster.crds`). State is in ``home`` and gone with it.
    Raises :class:`ClusterError`.
    """
    if Processes(home).running(API):
        raise ClusterError(
            f"an API server is running in {home.root} already: end the command that serves it, or remove what a crash "
            f"left with `python -m local cluster --home {home.root} down`."
        )
    binaries = binaries or find_binaries() or build_binaries(lambda *_: None)
    port = Ports(home).claim(API)
    url = f"https://{_ADDRESS}:{port}"
    certificates = pki.ensure(
        home.folder("kubernetes", "pki"), server=url, addresses=[_ADDRESS], node="none", context=_CONTEXT
    )
    plane = ControlPlane(
        home=home, kubernetes=binaries.kubernetes, pki=certificates, url=url, services=_SERVICES
    )
    try:
        plane.start(CONTROLLERS)
        if custom_resources:
            crds.install(
                Kubectl(program=binaries.kubernetes, kubeconfig=certificates.kubeconfig, context=_CONTEXT)
            )
        yield certificates.kubeconfig
    finally:
        plane.stop()
