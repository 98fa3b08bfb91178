"""A real API server for the tests of this folder, which ``make test-cluster`` alone runs."""

import time
from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest

from bench.clients import Clients
from bench.released import Released
from local.cluster import images, light, preflight
from local.cluster.cluster import Cluster, Running
from local.cluster.error import ClusterError
from local.cluster.platform import ClusterPlatform
from local.console import Console
from local.home import Home
from local.image.build import ARCHIVE
from local.processes import Processes
from local.pulumi.stack import Change

HERE = Path(__file__).parent
# Requests a second, of each test that has clients.
RATE = 100


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave these out unless they are named: Kubernetes is built for them first, which takes long."""
    if any(Path(argument.split("::")[0]).resolve().is_relative_to(HERE) for argument in config.args):
        return
    mine = [item for item in items if item.path.is_relative_to(HERE)]
    config.hook.pytest_deselected(items=mine)
    items[:] = [item for item in items if item not in mine]


@pytest.fixture(scope="session")
def light_cluster(
    tmp_path_factory: pytest.TempPathFactory, open_home: Callable[[Path], AbstractContextManager[Home]]
) -> Generator[Path]:
    """The kubeconfig of an API server with controllers and without nodes: each test makes a namespace of its own."""
    with open_home(tmp_path_factory.mktemp("light")) as home, light.serving(home) as kubeconfig:
        yield kubeconfig


@pytest.fixture(scope="session")
def until() -> Callable[..., None]:
    """Wait for a condition, for at most ``deadline`` seconds."""

    def wait(condition: Callable[[], bool], deadline: float = 30) -> None:
        end = time.monotonic() + deadline
        while not condition():
            assert time.monotonic() < end, "the condition did not come true in time"
            time.sleep(0.05)

    return wait


@pytest.fixture(scope="session")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the node's state is; a machine that no node can run on says why."""
    folder = tmp_path_factory.mktemp("node") / ".vanta-cluster"
    try:
        preflight.check(Console().say, folder)
    except ClusterError as error:
        pytest.skip(str(error))
    return folder


@pytest.fixture(scope="session")
def cluster(root: Path) -> Generator[Cluster]:
    cluster = Cluster(Console(), root)
    try:
        yield cluster
    finally:
        cluster.down()
    # Nothing is recorded any more, so that whatever still carries the home's mark was forgotten.
    left = [process.as_dict(["pid", "cmdline"]) for process in Processes(Home(root=root.resolve())).orphans()]
    assert not left, f"these processes were left behind: {left}"


@pytest.fixture(scope="session")
def running(cluster: Cluster) -> Running:
    """The cluster, with the API's image in its store."""
    running = cluster.up()
    assert images.API in images.load(running.socket, ARCHIVE)
    return running


@pytest.fixture(scope="session")
def node_home(root: Path, running: Running) -> Home:
    assert running.changed
    return Home.at(root)


@pytest.fixture(scope="session")
def platform(running: Running, node_home: Home) -> ClusterPlatform:
    return ClusterPlatform(home=node_home, running=running)


@pytest.fixture(scope="session")
def image(platform: ClusterPlatform) -> str:
    return platform.load(ARCHIVE)


@pytest.fixture(scope="session")
def deployed(platform: ClusterPlatform, image: str) -> Change:
    """What the first `up` did."""
    return platform.up(image)


@pytest.fixture(scope="session")
def released(platform: ClusterPlatform, image: str, deployed: Change, until: Callable[..., None]) -> Released:
    """The platform in the cluster, which each test leaves with the pods of its image."""
    released = Released(platform, image, deployed.outputs)
    # The program says no number: the first pod comes with it, the others when the autoscaler has seen it.
    until(lambda: released.ready() == released.autoscaler()["spec"]["minReplicas"], deadline=60)
    return released


@pytest.fixture(scope="session")
def unnoticed(released: Released) -> Callable[[], AbstractContextManager[Clients]]:
    """Clients none of whom may see a request fail."""

    @contextmanager
    def sending() -> Generator[Clients]:
        with released.clients(RATE) as sent:
            yield sent
        assert sent.outcome().failures == {}
        assert len(sent.answers) > RATE

    return sending


@pytest.fixture
def meanwhile(until: Callable[..., None]) -> Callable[..., AbstractContextManager[None]]:
    """Try something beside the block, again and again, until it says that it was done."""

    @contextmanager
    def trying(act: Callable[[], bool]) -> Generator[None]:
        with ThreadPoolExecutor(1) as beside:
            done = beside.submit(until, act, deadline=240)
            yield
            done.result()

    return trying
