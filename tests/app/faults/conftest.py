"""What breaks the platform runs by name only: ``make test-faults``, or ``python -m pytest tests/app/faults``."""

import random
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from local.home import Home

from .platform import Platform, platform

HERE = Path(__file__).parent


def pytest_addoption(parser: pytest.Parser) -> None:
    """How long, and which."""
    parser.addoption("--seed", type=int, help="Repeat the choices of a run, as far as timing lets it.")
    parser.addoption("--minutes", type=float, default=0.7, help="How long histories are recorded, in all.")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what starts engines unless it is named: it takes long, and all of the machine."""
    if any(Path(argument.split("::")[0]).resolve().is_relative_to(HERE) for argument in config.args):
        return
    mine = [
        item
        for item in items
        if item.path.is_relative_to(HERE) and "broken" in getattr(item, "fixturenames", ())
    ]
    config.hook.pytest_deselected(items=mine)
    items[:] = [item for item in items if item not in mine]


@pytest.fixture
def seed(request: pytest.FixtureRequest) -> int:
    """Of this test's choices; shown when it fails."""
    given = request.config.getoption("--seed", None)
    chosen = random.SystemRandom().randrange(10**6) if given is None else given
    print(f"--seed {chosen}")  # noqa: T201 - pytest shows it with the failure
    return chosen


@pytest.fixture(scope="module")
def broken(
    open_home: Callable[[Path], AbstractContextManager[Home]], tmp_path_factory: pytest.TempPathFactory
) -> Generator[Platform]:
    """A platform of this module's own, for it will be broken."""
    folder = tmp_path_factory.mktemp("faults")
    with open_home(folder) as home, platform(folder, home) as made:
        yield made
