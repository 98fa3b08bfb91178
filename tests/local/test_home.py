"""A home is one command's at a time."""

import pytest

from local.home import Home


class BusyError(Exception):
    """Somebody else has it."""


def test_a_second_command_is_refused_at_once_and_let_in_after_the_first(home: Home) -> None:
    with home.alone(BusyError()), pytest.raises(BusyError), Home.at(home.root).alone(BusyError()):
        pytest.fail("both had it")
    with home.alone(BusyError()):
        pass
