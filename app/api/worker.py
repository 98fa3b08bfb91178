"""One process that serves: everything it is made of, put together once and taken apart at its end."""

import asyncio
import os
import signal
import sys
from collections.abc import Coroutine
from typing import Any

import asyncpg
import structlog

from app import logs
from app.api.application import Application
from app.api.health import HealthHandlers
from app.api.messages import Scope, Transport
from app.api.reference import ReferenceHandlers
from app.api.router import Router
from app.api.routes import ROUTES
from app.api.state import StateHandlers
from app.db import postgres
from app.db.redis import Redis
from app.settings import Settings
from app.state.cache import Cache
from app.state.documents import Documents
from app.state.epoch import Epoch
from app.state.store import Store
from app.state.sweeper import Sweeper
from app.tenancy.authenticator import Authenticator

#: Two lanes of reads, two of writes, keys, the sweeper, readiness, and one to spare.
_CONNECTIONS = 8
# The parent's word that the end is near, docs/adr/0006-http-server.md.
DRAIN_SIGNAL = signal.SIGUSR1
_PARENT_SECONDS = 0.5

log = structlog.get_logger()


class Worker:
    """What granian calls: ``__rsgi_init__`` once, ``__rsgi__`` per request, ``__rsgi_del__`` after the last."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._pools: list[asyncpg.Pool] = []
        self._tasks: list[asyncio.Task[None]] = []
        self._application: Application | None = None
        self._requests = logs.RequestLog(sys.stdout.buffer, enabled=settings.log_level in {"debug", "info"})

    def __rsgi_init__(self, loop: asyncio.AbstractEventLoop) -> None:
        """Start what runs beside the requests; no engine needs to be up for that."""
        loop.run_until_complete(self._start(loop))

    async def __rsgi__(self, scope: Scope, transport: Transport) -> None:
        """Answer one request."""
        assert self._application is not None  # noqa: S101 - granian starts before it serves
        await self._application(scope, transport)

    def __rsgi_del__(self, loop: asyncio.AbstractEventLoop) -> None:
        """Let go of the engines; every request has been answered by now."""
        loop.run_until_complete(self._stop())

    async def _start(self, loop: asyncio.AbstractEventLoop) -> None:
        pool = await postgres.pool(self._settings, _CONNECTIONS)
        # Of its own, so that a busy pool does not cost the trust in the cache.
        watch = await postgres.pool(self._settings, 1)
        self._pools = [pool, watch]
        redis = Redis(self._settings)
        epoch = Epoch(watch, lambda: redis.server_id)
        documents = Documents(Store(pool), Cache(redis), epoch)
        health = HealthHandlers(pool, lambda: redis.server_id is not None)
        rooms = {"state": StateHandlers(documents), "health": health, "reference": ReferenceHandlers()}
        self._application = Application(Router(ROUTES, rooms), Authenticator(pool), self._requests)
        for work in (redis.run(), epoch.run(), Sweeper(pool).run(), _end_with(os.getppid())):
            self._tasks.append(loop.create_task(_forever(work)))

        def drain() -> None:
            health.draining = True
            log.info("worker.draining")

        loop.add_signal_handler(DRAIN_SIGNAL, drain)

    async def _stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for pool in self._pools:
            pool.terminate()
        self._requests.flush()


async def _end_with(parent: int) -> None:
    """End when the parent was killed: nobody else would, and the port would stay taken."""
    while os.getppid() == parent:  # noqa: ASYNC110 - the kernel sets no event
        await asyncio.sleep(_PARENT_SECONDS)
    log.warning("worker.orphaned")
    os.kill(os.getpid(), signal.SIGTERM)


async def _forever(work: Coroutine[Any, Any, None]) -> None:
    """Work that must not end: without it this process could serve wrong answers, so it ends as a whole."""
    try:
        await work
    except Exception:  # whatever it is, this work has ended
        log.exception("worker.broken")
        os.kill(os.getpid(), signal.SIGTERM)


def make() -> Worker:
    """What granian loads in each worker process."""
    settings = Settings.from_environment(os.environ)
    logs.configure(settings.log_level)
    return Worker(settings)
