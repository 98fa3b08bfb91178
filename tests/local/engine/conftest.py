"""The real engine and an emulator for the stacks of one module."""

from collections.abc import Callable, Generator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from local.aws.emulator import Aws
from local.home import Home


@pytest.fixture(scope="module")
def module_aws(
    tmp_path_factory: pytest.TempPathFactory, open_home: Callable[[Path], AbstractContextManager[Home]]
) -> Generator[Aws]:
    """An emulator of this module alone, with whatever engines its stacks make."""
    with open_home(tmp_path_factory.mktemp("engine")) as home:
        emulator = Aws(home)
        emulator.start()
        yield emulator
