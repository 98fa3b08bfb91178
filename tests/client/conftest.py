"""Clients on the served API: the fixtures are those of its own tests."""

from collections.abc import Generator
from secrets import token_hex
from typing import TYPE_CHECKING

import pytest

from client.langgraph import VantaSaver

from ..app.real.conftest import api, database, new_tenant, tenant  # noqa: F401, TID252 - fixtures; tests are no package

if TYPE_CHECKING:
    from tests.app.real.conftest import Served, Tenant


@pytest.fixture
def saver(api: "Served", tenant: "Tenant") -> Generator[VantaSaver]:  # noqa: F811 - the fixtures above
    """A checkpointer of an agent that nobody else has."""
    with VantaSaver(api.url, tenant.key, f"agent-{token_hex(4)}") as saver:
        yield saver
