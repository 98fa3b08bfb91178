"""How soon the relay goes round again."""

import pytest

from app.events.relay import pause_after


@pytest.mark.parametrize(("relayed", "left"), [(512, 0), (0, 1)])
def test_after_a_round_that_could_not_carry_all_the_next_comes_sooner(relayed: int, left: int) -> None:
    assert pause_after(relayed, tenants_left=left) < pause_after(511, tenants_left=0)
