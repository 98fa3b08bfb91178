"""Which errors of PostgreSQL are told as 503: those after which another try may succeed."""

import asyncpg
import pytest

from app.db.postgres import UNREACHABLE


@pytest.mark.parametrize(
    "error",
    [
        asyncpg.DeadlockDetectedError,
        asyncpg.SerializationError,
        asyncpg.QueryCanceledError,
        ConnectionResetError,
        TimeoutError,
    ],
)
def test_what_another_try_may_mend_is_unavailable(error: type[Exception]) -> None:
    assert issubclass(error, UNREACHABLE)


@pytest.mark.parametrize(
    "error", [asyncpg.UniqueViolationError, asyncpg.DataError, asyncpg.UndefinedTableError]
)
def test_what_no_other_try_mends_is_not(error: type[Exception]) -> None:
    assert not issubclass(error, UNREACHABLE)
