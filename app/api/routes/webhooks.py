"""Webhooks: ``/v1/webhooks``."""

from app.api import problems
from app.api.routes.always import ALWAYS
from app.api.routes.route import Answer, Route
from app.api.webhooks import CreatedWebhook, DeadLetterList, DeadLettersQuery, NewWebhook, WebhookList

_SEALING = (problems.SECRETS_NOT_CONFIGURED, problems.KMS_UNAVAILABLE, problems.DAMAGED)
_WEBHOOK = "/v1/webhooks/{webhook}"

ROUTES = (
    Route(
        method="POST",
        path="/v1/webhooks",
        handler="webhooks.create",
        summary="Make a webhook",
        description="It is sent what happens from now on, signed as Standard Webhooks says. The secret is shown this once.",
        answers={201: Answer(description="Made.", body=CreatedWebhook)},
        problems=(
            problems.MALFORMED_JSON,
            problems.TOO_MANY_WEBHOOKS,
            problems.BODY_TIMEOUT,
            problems.BODY_TOO_LARGE,
            problems.UNSUPPORTED_MEDIA_TYPE,
            problems.INVALID_DOCUMENT,
            problems.INVALID_BODY,
            problems.INVALID_URL,
            *_SEALING,
            *ALWAYS,
        ),
        body=NewWebhook,
        verb="admin",
    ),
    Route(
        method="GET",
        path="/v1/webhooks",
        handler="webhooks.list",
        summary="List webhooks",
        description="All of the tenant, the oldest first, with their state and without their secrets.",
        answers={200: Answer(description="The webhooks.", body=WebhookList)},
        problems=ALWAYS,
        verb="admin",
    ),
    Route(
        method="DELETE",
        path=_WEBHOOK,
        handler="webhooks.delete",
        summary="Delete a webhook",
        description="Its dead letters go with it. What is being sent at this moment may still arrive.",
        answers={204: Answer(description="Deleted.")},
        problems=(problems.WEBHOOK_NOT_FOUND, *ALWAYS),
        verb="admin",
    ),
    Route(
        method="POST",
        path=_WEBHOOK + "/test",
        handler="webhooks.test",
        summary="Test a webhook",
        description=(
            "Sends an event of the type vanta.webhook.test now. If it is taken, a disabled webhook goes on, "
            "after the last event that was given up or is no longer kept."
        ),
        answers={204: Answer(description="It was taken.")},
        problems=(problems.WEBHOOK_NOT_FOUND, problems.DELIVERY_FAILED, *_SEALING, *ALWAYS),
        verb="admin",
    ),
    Route(
        method="GET",
        path=_WEBHOOK + "/dead-letters",
        handler="webhooks.dead_letters",
        summary="List dead letters",
        description="Events that a webhook did not take in all attempts; the newest 1000 are kept.",
        answers={200: Answer(description="Dead letters, in order.", body=DeadLetterList)},
        problems=(problems.WEBHOOK_NOT_FOUND, *ALWAYS),
        query=DeadLettersQuery,
        verb="admin",
    ),
    Route(
        method="POST",
        path=_WEBHOOK + "/dead-letters/{revision}/redeliver",
        handler="webhooks.redeliver",
        summary="Redeliver a dead letter",
        description="Sends it now, out of its order. If it is taken, it is a dead letter no more.",
        answers={204: Answer(description="It was taken.")},
        problems=(
            problems.WEBHOOK_NOT_FOUND,
            problems.DEAD_LETTER_NOT_FOUND,
            problems.DELIVERY_FAILED,
            *_SEALING,
            *ALWAYS,
        ),
        verb="admin",
    ),
)
