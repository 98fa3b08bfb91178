"""Webhooks."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Literal

import httpx
import msgspec

from client.call import Call, body, nothing, reads
from client.flow import Page, Pages
from client.room import Room, S, iteration, operation

_WEBHOOK = "/v1/webhooks/{webhook}"


class CreatedWebhook(msgspec.Struct, frozen=True, kw_only=True):
    """A webhook with the secret its messages are signed with, which is shown this once."""

    id: str
    secret: str

    def __repr__(self) -> str:
        return f"CreatedWebhook(id={self.id!r})"


class WebhookState(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A webhook, and up to which revision it has everything."""

    id: str
    url: str
    types: list[str]
    subject_prefixes: list[str]
    created_at: datetime
    state: Literal["active", "failing", "disabled"]
    delivered: int
    attempts: int


class WebhookList(msgspec.Struct, frozen=True, kw_only=True):
    """All of the tenant."""

    webhooks: list[WebhookState]


class DeadLetterState(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """An event that was not taken."""

    revision: int
    reason: str
    died_at: datetime
    event: Any


class DeadLetterList(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Dead letters, by revision."""

    dead_letters: list[DeadLetterState]


class Webhooks(Room[S]):
    """``/v1/webhooks``."""

    @operation
    def create(
        self, url: str, *, types: Sequence[str] = (), subject_prefixes: Sequence[str] = ()
    ) -> Call[CreatedWebhook]:
        """Have events sent to ``url`` from now on."""
        return Call(
            method="POST",
            route="/v1/webhooks",
            body=body(url=url, types=types, subjectPrefixes=subject_prefixes),
            read=reads(CreatedWebhook),
        )

    @operation
    def list(self) -> Call[Sequence[WebhookState]]:
        """All of the tenant, and how they fare."""
        return Call(
            method="GET", route="/v1/webhooks", read=lambda response: reads(WebhookList)(response).webhooks
        )

    @operation
    def delete(self, webhook: str) -> Call[None]:
        """Delete one."""
        return Call(method="DELETE", route=_WEBHOOK, names={"webhook": webhook}, read=nothing)

    @operation
    def test(self, webhook: str) -> Call[None]:
        """Send it a test; if that is taken, a disabled one goes on."""
        return Call(method="POST", route=_WEBHOOK + "/test", names={"webhook": webhook}, read=nothing)

    @iteration
    def dead_letters(self, webhook: str, *, after: int = 0, page: int = 100) -> Pages[DeadLetterState]:
        """What it did not take, after a revision."""

        def read(response: httpx.Response) -> Page[DeadLetterState]:
            found = reads(DeadLetterList)(response).dead_letters
            return Page(items=found, cursor=str(found[-1].revision) if len(found) == page else None)

        return Pages(
            first=Call(
                method="GET",
                route=_WEBHOOK + "/dead-letters",
                names={"webhook": webhook},
                query={"after": after, "limit": page},
                read=read,
            ),
            cursor="after",
        )

    @operation
    def redeliver(self, webhook: str, revision: int) -> Call[None]:
        """Send a dead letter again."""
        return Call(
            method="POST",
            route=_WEBHOOK + "/dead-letters/{revision}/redeliver",
            names={"webhook": webhook, "revision": str(revision)},
            read=nothing,
        )
