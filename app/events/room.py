"""Everything of the events that runs in one process, put together."""

from collections.abc import Collection, Coroutine, Sequence
from typing import Any
from uuid import UUID

import asyncpg

from app.db.redis import Redis
from app.events.deliveries import Deliveries
from app.events.hints import Hints
from app.events.hub import Hub
from app.events.outbox import Outbox
from app.events.post import Poster
from app.events.relay import Relay
from app.events.retention import Retention
from app.events.webhooks import ROOM, Webhooks
from app.secrets.data_keys import DataKeys
from app.secrets.envelope import Envelope
from app.settings import Settings

#: The reader of new events, two of older ones, the relay, and one for the feed and webhooks.
CONNECTIONS = 5


class Events:
    """``wrote`` is to be called after each write; ``pool`` is best one of its own, of :data:`CONNECTIONS`.

    ``keys`` seal the secrets of webhooks.
    """

    def __init__(self, settings: Settings, pool: asyncpg.Pool, redis: Redis, keys: DataKeys) -> None:
        self.outbox = Outbox(pool)
        self.hub = Hub(
            self.outbox,
            hearing=lambda: self._hints.connected,
            limit=settings.watches,
            tenant_limit=settings.watches_per_tenant,
        )
        self.webhooks = Webhooks(pool, Envelope(keys, ROOM))
        self.deliveries = Deliveries(
            pool,
            self.outbox,
            self.webhooks,
            Poster(private=settings.webhook_private),
            attempts=settings.webhook_attempts,
        )
        self._relay = Relay(pool, redis, length=settings.stream_length)
        self._retention = Retention(pool, settings.event_retention_hours)
        self._hints = Hints(settings, redis, here=self._here, elsewhere=self._elsewhere)
        self.wrote = self._hints.wrote

    def work(self) -> Sequence[Coroutine[Any, Any, None]]:
        """What must run for as long as the process serves."""
        return (
            self.hub.run(),
            self._hints.run(),
            self._relay.run(),
            self.deliveries.run(),
            self._retention.run(),
        )

    def _here(self, tenants: Collection[UUID]) -> None:
        self.hub.wake(tenants)
        self._relay.wrote(tenants)
        self.deliveries.wrote(tenants)

    def _elsewhere(self, tenants: Collection[UUID]) -> None:
        self.hub.wake(tenants)
        self._relay.suspect(tenants)
        self.deliveries.wrote(tenants)
