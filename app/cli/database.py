"""The database itself, for commands that need no API and no key to begin with."""

import asyncio
import dataclasses
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


def with_both(
    host: str, port: int | None, work: Callable[[asyncpg.Connection, asyncpg.Connection], Awaitable[T]]
) -> T:
    """What ``work`` gives with the database of the environment and another one with its logins, at ``host``."""
    settings = Settings.from_environment(os.environ)
    there = dataclasses.replace(settings.database, host=host, port=port or settings.database.port)

    async def run() -> T:
        own = await postgres.connect(settings, "database-master")
        try:
            other = await postgres.connect(dataclasses.replace(settings, database=there), "database-master")
            try:
                return await work(own, other)
            finally:
                await other.close()
        finally:
            await own.close()

    return asyncio.run(run())
