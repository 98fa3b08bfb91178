"""What a cache may hold of a past that the database has given up: cached documents, and streams with ids that are in the future now."""

import asyncio
from typing import cast

import msgspec

from app.db import postgres
from app.db.redis import Redis, RedisLostError
from app.settings import Settings
from app.state.epoch import Epoch

CONNECT_SECONDS = 5.0
_STREAMS = "vanta:*:events"


class Left(msgspec.Struct, frozen=True, kw_only=True):
    """What was left behind: ``streams`` were deleted; None where the cache did not answer, which then has to be emptied."""

    streams: int | None


async def leave(settings: Settings) -> Left:
    """Let nobody believe the cache until it is filled from the database anew, and let streams begin anew.

    Their consumers read the events that they miss from the feed, as after any loss of the cache (ADR 0019).
    """
    pool = await postgres.pool(settings, 1)
    try:
        await Epoch(pool, lambda: None).close()
    finally:
        pool.terminate()
    return Left(streams=await _without_streams(settings))


async def _without_streams(settings: Settings) -> int | None:
    redis = Redis(settings)
    connection = asyncio.create_task(redis.run())
    try:
        async with asyncio.timeout(CONNECT_SECONDS):
            while redis.server_id is None:  # noqa: ASYNC110 - the client has no event to wait for
                await asyncio.sleep(0.02)
        return await _delete(redis)
    except (TimeoutError, RedisLostError):
        return None
    finally:
        connection.cancel()
        await asyncio.gather(connection, return_exceptions=True)


async def _delete(redis: Redis) -> int:
    position, deleted = b"0", 0
    while True:
        position, keys = cast(
            "tuple[bytes, list[bytes]]",
            await redis.send("SCAN", position, "MATCH", _STREAMS, "COUNT", 1000, "TYPE", "stream"),
        )
        if keys:
            deleted += await redis.send("UNLINK", *keys)
        if position == b"0":
            return deleted
