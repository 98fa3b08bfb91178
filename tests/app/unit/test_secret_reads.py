"""A read of a secret writes an event, and whoever reads events is told at once."""

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any, cast
from uuid import UUID, uuid4

import pytest

from app.api.problems import ProblemError
from app.api.secrets import SecretsHandlers
from app.secrets.secret import Value


class Vault:
    """Has ``value``."""

    def __init__(self, value: Value | None) -> None:
        self._value = value

    async def get(self, _: object) -> Value | None:
        """As it was made."""
        return self._value


async def told_after_a_read(value: Value | None) -> tuple[UUID, Sequence[UUID]]:
    """The tenant that reads, and whom the handler told of."""
    tenant, told = uuid4(), cast("list[UUID]", [])
    handlers = SecretsHandlers(cast("Any", Vault(value)), cast("Any", None), told.append)
    request = SimpleNamespace(
        tenant=tenant,
        principal=SimpleNamespace(id="k"),
        traceparent=None,
        parameters=("a",),
        query=SimpleNamespace(version=None),
    )
    if value is None:
        with pytest.raises(ProblemError):
            await handlers.get(cast("Any", request))
    else:
        await handlers.get(cast("Any", request))
    return tenant, told


@pytest.mark.parametrize(
    "value", [Value(version=1, tag="0", value=b"1", created_ms=0, expires_ms=None), None]
)
async def test_a_read_is_told_of_whether_or_not_there_was_something(value: Value | None) -> None:
    tenant, told = await told_after_a_read(value)
    assert told == [tenant]
