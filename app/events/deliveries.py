"""Sends events to webhooks: in order for each of them, at least once, again later where they are not taken.

Every process delivers. Whoever claims a webhook holds it for a while and notes each step; when it dies, another claims it.
"""

import asyncio
import contextlib
import random
import time
from collections.abc import Collection
from uuid import UUID, uuid4

import asyncpg
import structlog

from app import metrics
from app.db.postgres import UNREACHABLE
from app.events.event import Event
from app.events.outbox import Outbox
from app.events.post import DeliveryError, Poster
from app.events.webhook import Webhook, signature
from app.events.webhooks import Webhooks, webhook
from app.secrets.errors import SealingError

#: Seconds; a claim must outlast one attempt.
HOLD_SECONDS = 60
LOOK_SECONDS = 2.0
TENANTS_SECONDS = 10.0
#: The wait after the first failure; each further one doubles it, up to the longest. Less by chance, so that not all come at once.
FIRST_WAIT_SECONDS = 5.0
LONGEST_WAIT_SECONDS = 3600.0
#: How many events in a row are given up before the webhook is.
DEATHS = 5
_KEPT_DEAD_LETTERS = 1000
_AT_ONCE = 100
_CONCURRENT = 32

_CLAIM = "select * from vanta.claim_webhooks($1, $2, $3, $4)"
_NOTE = "select vanta.note_delivery($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)"
_BURY = "select vanta.bury_event($1, $2, $3, $4, $5, $6, $7, $8, $9)"

log = structlog.get_logger()


class Deliveries:
    """Delivers for all tenants; an event that was not taken ``attempts`` times is given up."""

    def __init__(
        self, pool: asyncpg.Pool, outbox: Outbox, webhooks: Webhooks, poster: Poster, *, attempts: int
    ) -> None:
        self._pool = pool
        self._outbox = outbox
        self._webhooks = webhooks
        self._poster = poster
        self._attempts = attempts
        self._tenants: set[UUID] = set()
        self._wake = asyncio.Event()
        self._under_way: set[asyncio.Task[None]] = set()

    def wrote(self, tenants: Collection[UUID]) -> None:
        """There are new events of ``tenants``."""
        if not self._tenants.isdisjoint(tenants):
            self._wake.set()

    def added(self, tenant: UUID) -> None:
        """``tenant`` has a webhook."""
        self._tenants.add(tenant)
        self._wake.set()

    async def run(self) -> None:
        """Deliver until cancelled."""
        tenants_at = 0.0
        try:
            while True:
                try:
                    if time.monotonic() >= tenants_at:
                        tenants_at = time.monotonic() + TENANTS_SECONDS
                        await self._look_for_tenants()
                    await self.deliver()
                except UNREACHABLE as error:
                    log.warning("webhooks.interrupted", error=type(error).__name__)
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(LOOK_SECONDS):
                        await self._wake.wait()
                self._wake.clear()
        finally:
            for task in self._under_way:
                task.cancel()

    async def deliver(self) -> None:
        """Begin to deliver whatever is due, as far as there are places."""
        tenants, places = list(self._tenants), _CONCURRENT - len(self._under_way)
        if not tenants or not places:
            return
        # So that the same tenants are not the last each time.
        random.shuffle(tenants)
        holder = uuid4()
        for row in await self._pool.fetch(_CLAIM, tenants, holder, HOLD_SECONDS, places):
            task = asyncio.create_task(self._deliver_to(webhook(row), holder))
            self._under_way.add(task)
            task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._under_way.discard(task)
        # There is a place again, and there may be more to deliver.
        self._wake.set()

    async def _look_for_tenants(self) -> None:
        tenants = [row[0] for row in await self._pool.fetch("select tenant_id from vanta.tenant")]
        rows = await self._pool.fetch("select * from vanta.tenants_with_webhooks($1)", tenants)
        self._tenants = {row[0] for row in rows}

    async def _deliver_to(self, to: Webhook, holder: UUID) -> None:
        try:
            await self._deliver_page(to, holder)
        except (SealingError, *UNREACHABLE) as error:
            # The claim ends by itself, and then somebody tries again.
            log.warning("webhook.interrupted", webhook=to.id, error=type(error).__name__)

    async def _deliver_page(self, to: Webhook, holder: UUID) -> None:
        page = (await self._outbox.read({to.tenant: to.delivered}, _AT_ONCE))[to.tenant]
        attempts = to.attempts
        for event in page.events:
            if not to.wants(event.type, event.subject):
                continue
            try:
                await self.send(to, f"{to.tenant}-{event.id}", event.json)
            except DeliveryError as error:
                metrics.WEBHOOK_DELIVERIES.labels("failed").inc()
                await self._fail(to, holder, event, attempts + 1, error)
                return
            metrics.WEBHOOK_DELIVERIES.labels("delivered").inc()
            attempts = 0
            if not await self._note(to, holder, event.revision, event, success=True, hold=HOLD_SECONDS):
                return
        last = page.events[-1] if page.events else None
        await self._note(to, holder, last.revision if last else to.delivered, last)

    async def send(self, to: Webhook, message_id: str, body: bytes) -> None:
        """One attempt; raises :class:`DeliveryError`."""
        timestamp = int(time.time())
        headers = {
            "content-type": "application/cloudevents+json",
            "webhook-id": message_id,
            "webhook-timestamp": str(timestamp),
            "webhook-signature": signature(await self._webhooks.secret(to), message_id, timestamp, body),
        }
        await self._poster.post(to.url, headers, body)

    async def _fail(
        self, to: Webhook, holder: UUID, event: Event, attempts: int, error: DeliveryError
    ) -> None:
        if attempts < self._attempts and not error.gone:
            wait = min(FIRST_WAIT_SECONDS * 2 ** (attempts - 1), LONGEST_WAIT_SECONDS)
            wait *= random.uniform(0.5, 1)  # noqa: S311 - spreads load, guards nothing
            await self._note(to, holder, event.revision - 1, event, attempts=attempts, wait=wait)
            return
        metrics.WEBHOOK_DELIVERIES.labels("dead").inc()
        deaths = 0 if error.gone else DEATHS
        await self._pool.fetchval(
            _BURY,
            to.tenant,
            to.id,
            holder,
            event.revision,
            event.json.decode(),
            str(error),
            deaths,
            _KEPT_DEAD_LETTERS,
            event.time,
        )

    async def _note(
        self,
        to: Webhook,
        holder: UUID,
        delivered: int,
        tried: Event | None,
        *,
        attempts: int = 0,
        wait: float = 0,
        success: bool = False,
        hold: int = 0,
    ) -> bool:
        """Whether this may go on: nobody has taken over, and the event that was ``tried`` is not lost meanwhile."""
        return await self._pool.fetchval(
            _NOTE,
            to.tenant,
            to.id,
            holder,
            delivered,
            attempts,
            success,
            wait,
            hold,
            tried and tried.revision,
            tried and tried.time,
        )
