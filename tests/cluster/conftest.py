"""A real API server for the tests of this folder, which ``make test-cluster`` alone runs."""

import os
import time
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from local.cluster import images, light
from local.cluster.cluster import Cluster, Running
from local.console import Console
from local.home import Home
from local.image.build import ARCHIVE

HERE = Path(__file__).parent


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
    if os.geteuid():
        pytest.skip("a node needs root")
    return tmp_path_factory.mktemp("node") / ".vanta-cluster"


@pytest.fixture(scope="session")
def cluster(root: Path) -> Generator[Cluster]:
    cluster = Cluster(Console(), root)
    try:
        yield cluster
    finally:
        cluster.down()


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
