"""API keys: ``/v1/keys``."""

from app.api import problems
from app.api.keys import KeyList, KeySecret, NewKey, Rotation
from app.api.routes.always import ALWAYS, BODY
from app.api.routes.route import Answer, Header, Route

_LOCATION = Header(name="Location", description="Path of the new key.", example="/v1/keys/0123456789abcdef")

ROUTES = (
    Route(
        method="POST",
        path="/v1/keys",
        handler="keys.create",
        summary="Make an API key",
        description="The answer holds its secret, which is stored nowhere and never shown again.",
        answers={201: Answer(description="Made.", body=KeySecret, headers=(_LOCATION,))},
        problems=(problems.TOO_MANY_KEYS, *BODY, *ALWAYS),
        body=NewKey,
        verb="admin",
    ),
    Route(
        method="GET",
        path="/v1/keys",
        handler="keys.list",
        summary="List the API keys",
        description="Every key of the tenant, oldest first, expired ones included; no secrets.",
        answers={200: Answer(description="The keys.", body=KeyList)},
        problems=ALWAYS,
        verb="audit",
    ),
    Route(
        method="POST",
        path="/v1/keys/{keyId}/rotate",
        handler="keys.rotate",
        summary="Rotate an API key",
        description="The key gets another secret; the old one works on for the overlap asked for.",
        answers={200: Answer(description="Rotated.", body=KeySecret)},
        problems=(problems.API_KEY_NOT_FOUND, *BODY, *ALWAYS),
        body=Rotation,
        verb="admin",
    ),
    Route(
        method="DELETE",
        path="/v1/keys/{keyId}",
        handler="keys.revoke",
        summary="Revoke an API key",
        description="Refused from now on by the process that answers, within 5 seconds by every other.",
        answers={204: Answer(description="Revoked.")},
        problems=(problems.API_KEY_NOT_FOUND, *ALWAYS),
        verb="admin",
    ),
)
