"""The whole platform, brought up once for all tests by the command that a user runs."""

from collections.abc import Callable, Generator
from contextlib import AbstractContextManager
from pathlib import Path

import httpx
import pytest
from driver import Platform

from local.home import Home


@pytest.fixture(scope="session")
def platform(
    engine: Path,  # noqa: ARG001 - built before the platform's own time runs
    tmp_path_factory: pytest.TempPathFactory,
    open_home: Callable[[Path], AbstractContextManager[Home]],
) -> Generator[Platform]:
    """The platform; each test leaves it up."""
    with open_home(tmp_path_factory.mktemp("platform")) as home:
        platform = Platform(home)
        platform.up()
        yield platform


@pytest.fixture
def api(platform: Platform) -> Generator[httpx.Client]:
    """The state API of the platform."""
    with platform.client() as client:
        yield client
