"""The database itself, for commands that need no API and no key to begin with."""

import asyncio
import os
from collections.abc import Awaitable, Callable
from typing import TypeVar

import asyncpg

from app.db import postgres
from app.settings import Settings

T = TypeVar("T")


def with_database(work: Callable[[asyncpg.Connection], Awaitable[T]]) -> T:
    """What ``work`` gives with a connection of the schema's owner."""
    settings = Settings.from_environment(os.environ)

    async def run() -> T:
        connection = await postgres.connect(settings, "database-master")
        try:
            return await work(connection)
        finally:
            await connection.close()

    return asyncio.run(run())
