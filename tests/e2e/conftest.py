"""The whole platform, brought up once for all tests by the command that a user runs."""

from collections.abc import Callable, Generator
from contextlib import AbstractContextManager
from pathlib import Path

import httpx
import pytest
from driver import Platform

from local.home import Home
from local.pulumi.engine import build_engine, find_engine


@pytest.fixture(scope="session", autouse=True)
def engine() -> Path:
    """The engine of this machine, built if there is none."""
    return find_engine() or build_engine(lambda *_: None)


@pytest.fixture(scope="session")
def platform(
    tmp_path_factory: pytest.TempPathFactory, open_home: Callable[[Path], AbstractContextManager[Home]]
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
