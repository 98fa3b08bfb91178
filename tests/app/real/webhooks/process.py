"""What delivers in one process, step by step."""

import asyncio
import secrets
from dataclasses import dataclass
from uuid import UUID

from app.events.deliveries import Deliveries
from app.events.webhook import Webhook
from app.events.webhooks import Webhooks
from app.secrets.kms import Kms, Wrapped
from tests.app.real.conftest import Database, Tenant

ATTEMPTS = 3


class FakeKms(Kms):
    """Wraps nothing: what KMS does is tested with secrets."""

    def __init__(self) -> None:
        pass

    async def generate(self, tenant: UUID) -> tuple[bytes, Wrapped]:  # noqa: ARG002 - as its base
        key = secrets.token_bytes(32)
        return key, Wrapped(kms_key="fake", blob=key)

    async def unwrap(self, tenant: UUID, wrapped: Wrapped) -> bytes:  # noqa: ARG002 - as its base
        return wrapped.blob


@dataclass(frozen=True, kw_only=True)
class Process:
    """What delivers in one process, without its loop: tests say when it looks."""

    webhooks: Webhooks
    deliveries: Deliveries

    async def make(self, tenant: Tenant, url: str, *types: str) -> Webhook:
        webhook, _ = await self.webhooks.create(tenant.id, url, types, (), None)
        self.deliveries.added(tenant.id)
        return webhook

    async def deliver(self) -> None:
        """Look, and wait until what was begun has ended."""
        await self.deliveries.deliver()
        await asyncio.gather(*self.deliveries._under_way)  # noqa: SLF001 - nobody else knows when it ends

    async def state(self, webhook: Webhook) -> Webhook:
        found = await self.webhooks.find(webhook.tenant, webhook.id)
        assert found
        return found


def emit(database: Database, tenant: Tenant, first: int, last: int, type_: str = "t") -> None:
    database.query(
        "select vanta.emit($1, $4, 's', null, jsonb_build_object('n', n)) from generate_series($2::int, $3::int) n",
        tenant.id,
        first,
        last,
        type_,
    )
