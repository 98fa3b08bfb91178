"""One process that serves: everything it is made of, put together once and taken apart at its end."""

import asyncio
import gc
import os
import signal
import sys
from collections.abc import Coroutine
from typing import Any

import asyncpg
import structlog

from app import logs, metrics, tracing
from app.agents.checkpoints import Checkpoints
from app.agents.threads import Threads
from app.api.agents import AgentHandlers
from app.api.application import Application
from app.api.checkpoints import CheckpointHandlers
from app.api.collections import CollectionsHandlers
from app.api.events import EventsHandlers
from app.api.health import HealthHandlers
from app.api.issuers import IssuerHandlers
from app.api.keys import KeyHandlers
from app.api.leaving import Leaving
from app.api.limits import Limits
from app.api.lists import ListsHandlers
from app.api.messages import Scope, Transport
from app.api.reference import ReferenceHandlers
from app.api.router import Router
from app.api.routes import ROUTES
from app.api.secrets import SecretsHandlers
from app.api.sessions import SessionsHandlers
from app.api.state import StateHandlers
from app.api.tenants import TenantHandlers
from app.api.threads import ThreadHandlers
from app.api.transactions import TransactionsHandlers
from app.api.webhooks import WebhooksHandlers
from app.db import postgres
from app.db.redis import Redis
from app.db.sweep import Sweep
from app.events import room
from app.secrets.room import SecretsRoom
from app.sessions.room import SessionsRoom
from app.settings import Settings
from app.state.cache import Cache
from app.state.collection import Collections
from app.state.documents import Documents
from app.state.epoch import Epoch
from app.state.lists import Lists
from app.state.store import Store
from app.state.sweeper import Sweeper
from app.tenancy import export
from app.tenancy.authenticator import Authenticator
from app.tenancy.erasure import Eraser
from app.tenancy.key_ring import KeyRing
from app.tenancy.rates import Rates
from app.tracing import Tracing

#: Two lanes of reads, two of writes, keys, the sweeper, readiness, and one to spare.
_CONNECTIONS = 8
# Lists, transactions and settings, whose number no batch bounds.
_SIDE_CONNECTIONS = 4
#: Two lanes of reads and two of writes for sessions, two of reads, heads and writes for secrets, and two for all else of both.
_GUARDED_CONNECTIONS = 12
# The parent's word that the end is near, docs/adr/0006-http-server.md.
DRAIN_SIGNAL = signal.SIGUSR1
_PARENT_SECONDS = 0.5

log = structlog.get_logger()


class Worker:
    """What granian calls: ``__rsgi_init__`` once, ``__rsgi__`` per request, ``__rsgi_del__`` after the last."""

    def __init__(self, settings: Settings, tracing: Tracing | None) -> None:
        self._settings = settings
        self._tracing = tracing
        self._pools: dict[str, asyncpg.Pool] = {}
        self._tasks: list[asyncio.Task[None]] = []
        self._application: Application | None = None
        self._draining = False
        self._secrets: SecretsRoom | None = None
        self._requests = logs.RequestLog(sys.stdout.buffer, enabled=settings.log_level in {"debug", "info"})

    def __rsgi_init__(self, loop: asyncio.AbstractEventLoop) -> None:
        """Start what runs beside the requests; no engine needs to be up for that."""
        loop.run_until_complete(self._start(loop))

    def __rsgi__(self, scope: Scope, transport: Transport) -> Coroutine[Any, Any, None]:
        """Answer one request."""
        assert self._application is not None  # noqa: S101 - granian starts before it serves
        return self._application(scope, Leaving(transport) if self._draining else transport)

    def __rsgi_del__(self, loop: asyncio.AbstractEventLoop) -> None:
        """Let go of the engines; every request has been answered by now."""
        loop.run_until_complete(self._stop())

    async def _start(self, loop: asyncio.AbstractEventLoop) -> None:
        pool = await postgres.pool(self._settings, _CONNECTIONS)
        # Of its own, so that a busy pool does not cost the trust in the cache.
        watch = await postgres.pool(self._settings, 1)
        # Of its own, so that a storm of reconnecting watches does not hold up requests.
        narration = await postgres.pool(self._settings, room.CONNECTIONS)
        # Of its own, so that lists and transactions do not hold up the batches.
        side = await postgres.pool(self._settings, _SIDE_CONNECTIONS)
        # Of its own, for an export takes long.
        exports = await postgres.pool(self._settings, export.CONNECTIONS)
        # Of its own, so that secrets and sessions do not wait for documents, nor documents for them.
        guarded = await postgres.pool(self._settings, _GUARDED_CONNECTIONS)
        self._pools = {
            "documents": pool,
            "epoch": watch,
            "events": narration,
            "side": side,
            "exports": exports,
            "guarded": guarded,
        }
        for name, one in self._pools.items():
            postgres.measure(name, one)
        redis = Redis(self._settings)
        epoch = Epoch(watch, lambda: redis.server_id)
        cache = Cache(redis)
        documents = Documents(Store(pool), cache, epoch, transactions=Store(side))
        lists = Lists(side)
        sealed = self._secrets = SecretsRoom(self._settings, guarded)
        events = room.Events(self._settings, narration, redis, sealed.keys)
        signed_in = SessionsRoom(guarded, cache, epoch)
        health = HealthHandlers(pool, lambda: redis.server_id is not None)
        authenticator = Authenticator(pool)
        rates = Rates(redis)
        eraser = Eraser(side, redis, authenticator.forget_tenant)
        rooms = {
            "state": StateHandlers(documents, lists),
            "lists": ListsHandlers(documents, lists),
            "transactions": TransactionsHandlers(documents),
            "collections": CollectionsHandlers(Collections(side)),
            "secrets": SecretsHandlers(sealed.vault, sealed.store, events.wrote),
            "sessions": SessionsHandlers(signed_in.sessions),
            "events": EventsHandlers(events.outbox, events.hub, authenticator),
            "webhooks": WebhooksHandlers(
                events.webhooks, events.deliveries, private=self._settings.webhook_private
            ),
            "keys": KeyHandlers(KeyRing(side, authenticator)),
            "issuers": IssuerHandlers(side, authenticator),
            "tenants": TenantHandlers(side, exports, authenticator, eraser),
            "agents": AgentHandlers(documents, Threads(side)),
            "threads": ThreadHandlers(Threads(side)),
            "checkpoints": CheckpointHandlers(Checkpoints(side)),
            "health": health,
            "reference": ReferenceHandlers(),
        }
        self._application = Application(
            Router(ROUTES, rooms),
            authenticator,
            rates,
            Limits(side),
            self._requests,
            events.wrote,
            self._tracing,
        )
        for work in (
            redis.run(),
            epoch.run(),
            Sweeper(pool, events.wrote).run(),
            *events.work(),
            rates.run(),
            Sweep(guarded, "vanta.sweep_secrets", metrics.SECRETS_EXPIRED, events.wrote).run(),
            Sweep(guarded, "vanta.sweep_sessions", metrics.SESSIONS_EXPIRED, events.wrote).run(),
            Sweep(side, "vanta.sweep_threads", metrics.THREADS_SWEPT, events.wrote).run(),
            _end_with(os.getppid()),
        ):
            self._tasks.append(loop.create_task(_forever(work)))

        def drain() -> None:
            self._draining = health.draining = True
            events.hub.drain()
            log.info("worker.draining")

        loop.add_signal_handler(DRAIN_SIGNAL, drain)
        # What is here now stays: no collection needs to look at it again.
        gc.freeze()

    async def _stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for pool in self._pools.values():
            pool.terminate()
        if self._secrets is not None:
            self._secrets.close()
        self._requests.flush()
        if self._tracing is not None:
            self._tracing.close()


async def _end_with(parent: int) -> None:
    """End when the parent was killed: nobody else would, and the port would stay taken."""
    while os.getppid() == parent:  # noqa: ASYNC110 - the kernel sets no event
        await asyncio.sleep(_PARENT_SECONDS)
    log.warning("worker.orphaned")
    _end()


async def _forever(work: Coroutine[Any, Any, None]) -> None:
    """Work that must not end: without it this process could serve wrong answers, so it ends as a whole."""
    try:
        await work
    except Exception:  # whatever it is, this work has ended
        log.exception("worker.broken")
        _end()


def _end() -> None:
    """End as if told from outside: watches first, for the server waits for them."""
    os.kill(os.getpid(), DRAIN_SIGNAL)
    os.kill(os.getpid(), signal.SIGTERM)


def make() -> Worker:
    """What granian loads in each worker process."""
    settings = Settings.from_environment(os.environ)
    logs.configure(settings.log_level)
    return Worker(settings, tracing.make(os.environ))
