"""Who is asking, and what they may do."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

import msgspec

#: What a route needs. ``metadata`` is what is known of values without them; ``operate`` is asked of no tenant's key.
Verb = Literal["read", "write", "metadata", "audit", "admin", "operate"]
TenantRole = Literal["reader", "writer", "admin", "auditor"]
Role = Literal[TenantRole, "operator", "nobody"]

#: Which role may what. An operator runs the platform and reads no tenant's data; an auditor sees that and when, never what.
VERBS: Mapping[Role, frozenset[Verb]] = {
    "reader": frozenset({"read", "metadata"}),
    "writer": frozenset({"read", "write", "metadata"}),
    "admin": frozenset({"read", "write", "metadata", "audit", "admin"}),
    "auditor": frozenset({"metadata", "audit"}),
    "operator": frozenset({"operate"}),
    "nobody": frozenset(),
}

# What a scope must grant for each verb; a key with scopes administers nothing.
_SCOPED: Mapping[Verb, str] = {"read": "read", "metadata": "read", "audit": "read", "write": "write"}


class Scope(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Some verbs on the collections of a name, or of all names that begin alike: ``agents``, ``agents.*``, ``*``."""

    collection: Annotated[
        str,
        msgspec.Meta(
            description="A collection, or with `*` at its end all that begin so; `_secrets` and its like are rooms.",
            pattern=r"^(_?[a-z0-9][a-z0-9._-]{0,62}|(_?[a-z0-9][a-z0-9._-]{0,62})?\*)$(?!\n)",
        ),
    ]
    verbs: Annotated[
        tuple[Literal["read", "write"], ...],
        msgspec.Meta(
            description="What may be done there; reading includes metadata.", min_length=1, max_length=2
        ),
    ]

    def covers(self, collection: str) -> bool:
        """Whether ``collection`` is one of them; rooms such as ``_secrets`` only by a name that begins as theirs do."""
        if collection.startswith("_") and not self.collection.startswith("_"):
            return False
        if self.collection.endswith("*"):
            return collection.startswith(self.collection[:-1])
        return collection == self.collection


class Rate(msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """How many requests a tenant may send: ``per_second`` for as long as it likes, ``burst`` at once."""

    per_second: Annotated[
        int, msgspec.Meta(description="Requests a second that may go on and on.", ge=1, le=1_000_000)
    ]
    burst: Annotated[int, msgspec.Meta(description="Requests at once.", ge=1, le=1_000_000)]


class Principal(msgspec.Struct, frozen=True, kw_only=True):
    """Who sent a request: ``id`` is a key's id, or a digest of a token's issuer and subject; it may be logged.

    No ``scopes`` are no restriction. ``expires_at`` is when its key ends, None for never and for tokens.
    """

    tenant: UUID | None
    id: str | None
    role: Role
    scopes: tuple[Scope, ...] = ()
    expires_at: datetime | None = None
    suspended: bool = False
    rate: Rate | None = None

    def may(self, collection: str, verb: Verb) -> bool:
        """Whether role and scopes allow ``verb`` on ``collection``."""
        if verb not in VERBS[self.role]:
            return False
        return not self.scopes or any(
            _SCOPED.get(verb) in scope.verbs and scope.covers(collection) for scope in self.scopes
        )


#: Before a caller is known, and where nobody is asked who they are.
NOBODY = Principal(tenant=None, id=None, role="nobody")
