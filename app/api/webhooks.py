"""``/v1/webhooks``: where events are sent."""

import re
from datetime import UTC, datetime
from typing import Annotated, Literal
from uuid import UUID, uuid4

import msgspec

from app.api import body, problems
from app.api.messages import Request, Response, callers_tenant
from app.api.problems import ProblemError
from app.events.deliveries import Deliveries
from app.events.event import Event
from app.events.post import DeliveryError
from app.events.webhook import MAX_URL, Webhook, secret_text, url_error
from app.events.webhooks import LIMIT, TooManyError, Webhooks

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_REVISION = re.compile(r"[0-9]{1,18}")

Types = Annotated[
    list[Annotated[str, msgspec.Meta(min_length=1, max_length=128)]],
    msgspec.Meta(description="Types of events to send; none are all.", max_length=64),
]
SubjectPrefixes = Annotated[
    list[Annotated[str, msgspec.Meta(min_length=1, max_length=1024)]],
    msgspec.Meta(description="What the subject must begin with, one of these; none are all.", max_length=64),
]


class NewWebhook(msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """A webhook to be made."""

    url: Annotated[
        str, msgspec.Meta(description="Where to send events, https and public.", max_length=MAX_URL)
    ]
    types: Types = []
    subject_prefixes: SubjectPrefixes = []


class WebhookState(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A webhook, and how far it has come."""

    id: UUID
    url: str
    types: tuple[str, ...]
    subject_prefixes: tuple[str, ...]
    created_at: datetime
    state: Annotated[
        Literal["active", "failing", "disabled"],
        msgspec.Meta(
            description=(
                "failing: the next event was not taken yet; a test says why. "
                "disabled: too much was given up; a test that succeeds lets it go on."
            )
        ),
    ]
    delivered: Annotated[
        int, msgspec.Meta(description="Up to which revision events were sent, not wanted, or given up.")
    ]
    attempts: Annotated[int, msgspec.Meta(description="How often the next one has failed so far.")]


class CreatedWebhook(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A webhook just made."""

    id: UUID
    secret: Annotated[
        str, msgspec.Meta(description="The key of the signatures (Standard Webhooks); shown this once.")
    ]


class WebhookList(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """All webhooks of the tenant."""

    webhooks: tuple[WebhookState, ...]


class DeadLetterState(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """An event that was given up."""

    revision: int
    reason: Annotated[str, msgspec.Meta(description="Why the last attempt failed.")]
    died_at: datetime
    event: Annotated[msgspec.Raw, msgspec.Meta(description="The CloudEvent.")]


class DeadLetterList(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What a webhook has given up, in order."""

    dead_letters: tuple[DeadLetterState, ...]


class DeadLettersQuery(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What is read of the query string."""

    after: Annotated[
        int, msgspec.Meta(description="The revision after which to begin.", ge=0, le=2**63 - 1)
    ] = 0
    limit: Annotated[int, msgspec.Meta(description="How many at most.", ge=1, le=1000)] = 100


class _Id(msgspec.Struct):
    """What is read of a CloudEvent."""

    id: str


class WebhooksHandlers:
    """The handlers of the webhook routes; ``private`` allows any URL."""

    def __init__(self, webhooks: Webhooks, deliveries: Deliveries, *, private: bool) -> None:
        self._webhooks = webhooks
        self._deliveries = deliveries
        self._private = private

    async def create(self, request: Request) -> Response:
        """Make a webhook (201)."""
        asked = await body.read(request, NewWebhook)
        if error := url_error(asked.url, private=self._private):
            raise ProblemError(problems.INVALID_URL, error)
        tenant = callers_tenant(request)
        try:
            made, secret = await self._webhooks.create(
                tenant, asked.url, asked.types, asked.subject_prefixes, request.traceparent
            )
        except TooManyError:
            raise ProblemError(
                problems.TOO_MANY_WEBHOOKS, f"A tenant has {LIMIT} at most: delete one."
            ) from None
        self._deliveries.added(tenant)
        return _json(201, CreatedWebhook(id=made.id, secret=secret_text(secret)))

    async def list(self, request: Request) -> Response:
        """All webhooks."""
        found = await self._webhooks.of(callers_tenant(request))
        return _json(200, WebhookList(webhooks=tuple(_state(webhook) for webhook in found)))

    async def delete(self, request: Request) -> Response:
        """Remove a webhook (204)."""
        if not await self._webhooks.delete(callers_tenant(request), _id(request), request.traceparent):
            raise _not_found()
        return Response(status=204)

    async def test(self, request: Request) -> Response:
        """Send an event made for it, now; one that is taken enables a disabled webhook (204)."""
        webhook = await self._find(request)
        name = f"test-{uuid4().hex}"
        event = Event(
            tenant=webhook.tenant,
            revision=webhook.delivered,
            type="vanta.webhook.test",
            subject=f"webhooks/{webhook.id}",
            time=datetime.now(UTC),
            traceparent=request.traceparent,
            data="{}",
        )
        await self._send(webhook, name, event.json)
        if await self._webhooks.enable(webhook.tenant, webhook.id, request.traceparent):
            self._deliveries.added(webhook.tenant)
        return Response(status=204)

    async def dead_letters(self, request: Request) -> Response:
        """What was given up."""
        webhook = await self._find(request)
        found = await self._webhooks.dead_letters(webhook, request.query.after, request.query.limit)
        letters = tuple(
            DeadLetterState(
                revision=letter.revision,
                reason=letter.reason,
                died_at=letter.died_at,
                event=msgspec.Raw(letter.event.encode()),
            )
            for letter in found
        )
        return _json(200, DeadLetterList(dead_letters=letters))

    async def redeliver(self, request: Request) -> Response:
        """Send a dead letter, now; one that is taken is a dead letter no more (204)."""
        webhook = await self._find(request)
        text = request.parameters[1]
        revision = int(text) if _REVISION.fullmatch(text) else 0
        found = await self._webhooks.dead_letters(webhook, revision - 1, 1) if revision else []
        if not found or found[0].revision != revision:
            raise ProblemError(problems.DEAD_LETTER_NOT_FOUND, "The webhook has given up no such event.")
        letter = found[0].event.encode()
        # As it was called before, so that a receiver knows it again.
        event_id = msgspec.json.decode(letter, type=_Id).id
        await self._send(webhook, f"{webhook.tenant}-{event_id}", letter)
        await self._webhooks.remove_dead_letter(webhook, revision)
        return Response(status=204)

    async def _find(self, request: Request) -> Webhook:
        webhook = await self._webhooks.find(callers_tenant(request), _id(request))
        if webhook is None:
            raise _not_found()
        return webhook

    async def _send(self, webhook: Webhook, message_id: str, content: bytes) -> None:
        try:
            await self._deliveries.send(webhook, message_id, content)
        except DeliveryError as error:
            raise ProblemError(problems.DELIVERY_FAILED, str(error)) from None


def _id(request: Request) -> UUID:
    text = request.parameters[0]
    if not _UUID.fullmatch(text):
        raise _not_found()
    return UUID(text)


def _not_found() -> ProblemError:
    return ProblemError(problems.WEBHOOK_NOT_FOUND, "The tenant has no webhook of this id.")


def _state(webhook: Webhook) -> WebhookState:
    failing: Literal["active", "failing"] = "failing" if webhook.attempts else "active"
    return WebhookState(
        id=webhook.id,
        url=webhook.url,
        types=webhook.types,
        subject_prefixes=webhook.subject_prefixes,
        created_at=webhook.created_at,
        state="disabled" if webhook.disabled_at else failing,
        delivered=webhook.delivered,
        attempts=webhook.attempts,
    )


def _json(status: int, content: msgspec.Struct) -> Response:
    return Response(
        status=status,
        headers=[("content-type", "application/json"), ("cache-control", "no-store")],
        body=msgspec.json.encode(content),
    )
