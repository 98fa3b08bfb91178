"""The application's connection to Redis."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from app.db.redis import Redis
from app.settings import Settings


@asynccontextmanager
async def connected(settings: Settings) -> AsyncGenerator[Redis]:
    """One to the Redis of ``settings``, from when it is there until the end of the block."""
    redis = Redis(settings)
    task = asyncio.create_task(redis.run())
    try:
        async with asyncio.timeout(20):
            while redis.server_id is None:  # noqa: ASYNC110 - the connection sets no event
                await asyncio.sleep(0.01)
        yield redis
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
