"""API keys."""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal

import msgspec

from client.call import Call, body, nothing, reads
from client.room import Room, S, operation

Role = Literal["reader", "writer", "admin", "auditor"]


class Scope(msgspec.Struct, frozen=True, kw_only=True):
    """Where a key may do what."""

    collection: str
    verbs: Sequence[Literal["read", "write"]]


class KeyItem(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A key without its secret."""

    id: str
    name: str
    role: Role
    scopes: list[Scope]
    created_at: datetime
    expires_at: datetime | None
    previous_until: datetime | None


class KeyList(msgspec.Struct, frozen=True, kw_only=True):
    """All keys of the tenant."""

    keys: list[KeyItem]


class KeySecret(msgspec.Struct, frozen=True, kw_only=True):
    """A key with its secret, which is shown this once."""

    id: str
    key: str

    def __repr__(self) -> str:
        return f"KeySecret(id={self.id!r})"


class Keys(Room[S]):
    """``/v1/keys``."""

    @operation
    def create(
        self, name: str, role: Role, *, scopes: Sequence[Scope] = (), expires_at: datetime | None = None
    ) -> Call[KeySecret]:
        """Make a key."""
        return Call(
            method="POST",
            route="/v1/keys",
            body=body(name=name, role=role, scopes=scopes, expiresAt=expires_at),
            read=reads(KeySecret),
        )

    @operation
    def list(self) -> Call[Sequence[KeyItem]]:
        """All of the tenant."""
        return Call(method="GET", route="/v1/keys", read=lambda response: reads(KeyList)(response).keys)

    @operation
    def rotate(self, key_id: str, *, overlap_seconds: int) -> Call[KeySecret]:
        """Give one another secret; the old one works for so long."""
        return Call(
            method="POST",
            route="/v1/keys/{keyId}/rotate",
            names={"keyId": key_id},
            body=body(overlapSeconds=overlap_seconds),
            read=reads(KeySecret),
        )

    @operation
    def revoke(self, key_id: str) -> Call[None]:
        """End one."""
        return Call(method="DELETE", route="/v1/keys/{keyId}", names={"keyId": key_id}, read=nothing)
