"""The built image, unpacked once, and a way to run it; ``make test-image`` alone runs what is here."""

import os
import shutil
from collections.abc import Callable, Generator
from pathlib import Path

import pytest

from local.image.archive import Image
from local.image.build import ARCHIVE
from local.image.container import Container

HERE = Path(__file__).parent


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave these out unless they are named: they need root, packages of the system, and a built image."""
    if any(Path(argument).resolve().is_relative_to(HERE) for argument in config.args):
        return
    mine = [item for item in items if item.path.is_relative_to(HERE)]
    config.hook.pytest_deselected(items=mine)
    items[:] = [item for item in items if item not in mine]


@pytest.fixture(scope="session")
def image() -> Image:
    assert ARCHIVE.exists(), "there is no image: run `make image`"
    return Image(ARCHIVE)


@pytest.fixture(scope="session")
def rootfs(image: Image, tmp_path_factory: pytest.TempPathFactory) -> Generator[Path]:
    assert os.geteuid() == 0, "containers are run by runc as root: run `make test-image` as root"
    assert shutil.which("runc"), "containers are run by runc: `apt-get install runc`"
    folder = tmp_path_factory.mktemp("rootfs")
    image.unpack(folder)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def container(image: Image, rootfs: Path, tmp_path: Path) -> Generator[Callable[..., Container]]:
    """Make a container of the image; whatever still runs after the test is killed."""
    made: list[Container] = []

    def make(*arguments: str, **options: object) -> Container:
        made.append(Container(image, rootfs, tmp_path, arguments=arguments, **options))  # ty: ignore[invalid-argument-type] - passed on as they come
        return made[-1]

    yield make
    for each in made:
        each.remove()
