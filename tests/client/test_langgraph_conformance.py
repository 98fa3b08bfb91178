"""LangGraph's own suite for checkpointers, base and extended, against the served API."""

from collections.abc import AsyncGenerator
from secrets import token_hex
from typing import TYPE_CHECKING

import pytest
from langgraph.checkpoint.conformance import checkpointer_test, validate
from langgraph.checkpoint.conformance.capabilities import ALL_CAPABILITIES

from client.langgraph import VantaSaver

if TYPE_CHECKING:
    from tests.app.real.conftest import Served, Tenant


@pytest.mark.parametrize("capability", sorted(capability.value for capability in ALL_CAPABILITIES))
async def test_the_checkpointer_conforms(capability: str, api: "Served", tenant: "Tenant") -> None:
    @checkpointer_test(name="VantaSaver")
    async def saver() -> AsyncGenerator[VantaSaver]:
        async with VantaSaver(api.url, tenant.key, f"agent-{token_hex(4)}") as saver:
            yield saver

    report = await validate(saver, capabilities={capability})
    result = report.results[capability]
    assert result.detected
    assert result.failures == []
    assert result.tests_passed
