"""Operations under load: no request fails where none need fail."""

from collections.abc import Generator

import pytest

from bench.fleet import fleet
from bench.operations import HARMLESS, database_restarted, under_load
from bench.served import Served, served

pytestmark = pytest.mark.real

RATE, AROUND = 40, (0.5, 0.5)


@pytest.fixture(scope="module")
def api() -> Generator[Served]:
    """The engines of this file."""
    with served() as running:
        yield running


@pytest.mark.parametrize("operation", HARMLESS)
async def test_no_client_notices(api: Served, operation: str) -> None:
    async with fleet(api, 2) as (running, balancer):
        seen = await under_load(HARMLESS[operation], api, running, balancer.url, rate=RATE, around=AROUND)
    assert seen["outcome"]["failures"] == {}
    assert sum(kind["count"] for kind in seen["outcome"]["kinds"].values()) > RATE / 2


async def test_a_database_that_is_away_is_noticed_and_forgotten(api: Served) -> None:
    async with fleet(api, 1) as (running, balancer):
        seen = await under_load(database_restarted, api, running, balancer.url, rate=RATE, around=(0.5, 3))
    assert set(seen["outcome"]["failures"]) == {"503"}
    assert seen["outcome"]["seconds"][-1]["failed"] == 0
