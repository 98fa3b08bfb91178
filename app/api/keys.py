"""``/v1/keys``: the API keys of a tenant over HTTP."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

import msgspec

from app.api import body, problems
from app.api.messages import Request, Response, callers_tenant
from app.api.problems import ProblemError
from app.tenancy import keys
from app.tenancy.key_ring import KeyRefusedError, KeyRing, StoredKey
from app.tenancy.principal import Scope, TenantRole

MAX_OVERLAP = 7 * 24 * 3600

# The one answer that holds a secret must be kept by nobody in between.
SECRET_HEADERS = (("content-type", "application/json"), ("cache-control", "no-store"))


class NewKey(msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """A key to make."""

    name: Annotated[
        str,
        msgspec.Meta(
            description="What it is for.", min_length=1, max_length=100, pattern=r"^[^\x00-\x1f\x7f]+$(?!\n)"
        ),
    ]
    role: Annotated[TenantRole, msgspec.Meta(description="What it may do.")]
    scopes: Annotated[
        list[Scope],
        msgspec.Meta(description="Where it may; empty: everywhere in the tenant.", max_length=50),
    ] = msgspec.field(default_factory=list)
    expires_at: Annotated[
        Annotated[datetime, msgspec.Meta(tz=True)] | None,
        msgspec.Meta(description="When it ends; never later than the key that makes it, null is never."),
    ] = None


class Rotation(msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """How to rotate."""

    overlap_seconds: Annotated[
        int,
        msgspec.Meta(
            description="For how long the old secret still works; 0 ends it at once.", ge=0, le=MAX_OVERLAP
        ),
    ]


class KeySecret(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A key with its secret, which is never shown again."""

    id: Annotated[str, msgspec.Meta(description="May be shown and logged.")]
    key: Annotated[str, msgspec.Meta(description="What goes after `Authorization: Bearer`.")]


class KeyItem(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A key without its secret."""

    id: str
    name: str
    role: TenantRole
    scopes: Sequence[Scope]
    created_at: datetime
    expires_at: datetime | None
    previous_until: Annotated[
        datetime | None, msgspec.Meta(description="Until when the secret before the last rotation works.")
    ]


class KeyList(msgspec.Struct, frozen=True, kw_only=True):
    """All keys of the tenant."""

    keys: list[KeyItem]


class KeyHandlers:
    """The handlers of the routes of keys."""

    def __init__(self, ring: KeyRing) -> None:
        self._ring = ring

    async def create(self, request: Request) -> Response:
        """Make a key (201)."""
        new = await body.read(request, NewKey)
        try:
            key = await self._ring.create(
                request.principal,
                name=new.name,
                role=new.role,
                scopes=new.scopes,
                expires_at=new.expires_at,
                traceparent=request.traceparent,
            )
        except KeyRefusedError as error:
            raise _refusal(error) from None
        return Response(
            status=201,
            headers=[*SECRET_HEADERS, ("location", f"/v1/keys/{key.id}")],
            body=msgspec.json.encode(KeySecret(id=key.id, key=key.text)),
        )

    async def list(self, request: Request) -> Response:
        """Every key, without secrets."""
        listed = KeyList(keys=[_item(key) for key in await self._ring.list(callers_tenant(request))])
        return Response(
            status=200, headers=[("content-type", "application/json")], body=msgspec.json.encode(listed)
        )

    async def rotate(self, request: Request) -> Response:
        """Give a key another secret."""
        key_id = _key_id(request)
        rotation = await body.read(request, Rotation)
        try:
            key = await self._ring.rotate(
                request.principal,
                key_id,
                overlap_seconds=rotation.overlap_seconds,
                traceparent=request.traceparent,
            )
        except KeyRefusedError as error:
            raise _refusal(error) from None
        return Response(
            status=200,
            headers=[*SECRET_HEADERS],
            body=msgspec.json.encode(KeySecret(id=key.id, key=key.text)),
        )

    async def revoke(self, request: Request) -> Response:
        """End a key (204)."""
        key_id = _key_id(request)
        if not await self._ring.revoke(request.principal, key_id, traceparent=request.traceparent):
            raise _refusal(KeyRefusedError("not_found"))
        return Response(status=204)


def _key_id(request: Request) -> str:
    (key_id,) = request.parameters
    if not keys.is_id(key_id):
        raise _refusal(KeyRefusedError("not_found"))
    return key_id


def _item(key: StoredKey) -> KeyItem:
    return KeyItem(
        id=key.id,
        name=key.name,
        role=key.role,
        scopes=key.scopes,
        created_at=key.created_at,
        expires_at=key.expires_at,
        previous_until=key.previous_until,
    )


def _refusal(error: KeyRefusedError) -> ProblemError:
    match error.reason:
        case "past":
            return ProblemError(problems.INVALID_BODY, "expiresAt has passed: name a time to come.")
        case "beyond":
            return ProblemError(
                problems.FORBIDDEN, "A key that expires can neither make nor rotate one that outlives it."
            )
        case "limit":
            return ProblemError(
                problems.TOO_MANY_KEYS, "The tenant has all the keys it can have: revoke some."
            )
        case "not_found":
            return ProblemError(problems.API_KEY_NOT_FOUND, "The tenant has no key of this id.")
