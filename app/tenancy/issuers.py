"""The issuers whose bearer tokens open a tenant; operators configure them."""

from collections.abc import Mapping
from typing import Annotated
from uuid import UUID

import asyncpg
import msgspec

from app.tenancy.principal import TenantRole

# The lookaheads: app/state/names.py says why.
_TEXT = r"^[^\x00-\x1f\x7f]+$(?!\n)"
# ASCII, because languages do not agree on what else is a space.
_HTTPS = r'^https://[!"$-.0->A-~]+(/[!"$-?A-~]*)?$(?!\n)'


class Issuer(msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """Tokens of ``issuer`` for ``audience`` open the tenant, with the role that ``roles`` has for their claim."""

    issuer: Annotated[
        str, msgspec.Meta(description="`iss` of the tokens, to the letter.", max_length=500, pattern=_HTTPS)
    ]
    audience: Annotated[
        str,
        msgspec.Meta(
            description="`aud` of the tokens; with this issuer it belongs to one tenant.",
            min_length=1,
            max_length=500,
            pattern=_TEXT,
        ),
    ]
    jwks_uri: Annotated[
        str, msgspec.Meta(description="Where its public keys are.", max_length=1000, pattern=_HTTPS)
    ]
    role_claim: Annotated[
        str,
        msgspec.Meta(
            description="The claim that tells roles: a text or an array of texts.",
            min_length=1,
            max_length=200,
            pattern=_TEXT,
        ),
    ]
    roles: Annotated[
        Mapping[
            Annotated[str, msgspec.Meta(min_length=1, max_length=200, pattern=_TEXT)],
            TenantRole,
        ],
        msgspec.Meta(
            description="From values of that claim to roles; of several the mightiest counts.", max_length=100
        ),
    ]


async def listed(pool: asyncpg.Pool, tenant: UUID) -> list[Issuer]:
    """The issuers of ``tenant``."""
    return [
        Issuer(
            issuer=row["issuer"],
            audience=row["audience"],
            jwks_uri=row["jwks_uri"],
            role_claim=row["role_claim"],
            roles=msgspec.json.decode(row["roles"]),
        )
        for row in await pool.fetch("select * from vanta.list_issuers($1)", tenant)
    ]


async def put(
    pool: asyncpg.Pool, tenant: UUID, issuer: Issuer, *, by: str | None, traceparent: str | None
) -> str:
    """``set``, ``not_found``, or ``taken`` if its tokens for that audience open another tenant."""
    return await pool.fetchval(
        "select vanta.set_issuer($1, $2, $3, $4, $5, $6, $7, $8)",
        tenant,
        issuer.issuer,
        issuer.audience,
        issuer.jwks_uri,
        issuer.role_claim,
        msgspec.json.encode(issuer.roles).decode(),
        by,
        traceparent,
    )


async def remove(
    pool: asyncpg.Pool, tenant: UUID, issuer: str, audience: str, *, by: str | None, traceparent: str | None
) -> bool:
    """Whether there was such an issuer."""
    return await pool.fetchval(
        "select vanta.remove_issuer($1, $2, $3, $4, $5)", tenant, issuer, audience, by, traceparent
    )
