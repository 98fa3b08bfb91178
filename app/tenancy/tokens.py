"""Bearer tokens of other issuers: OpenID Connect, as far as an API needs it."""

import hashlib
import time
from collections.abc import Mapping
from typing import Any

import asyncpg
import jwt
import msgspec

from app.tenancy.jwks import KeySets
from app.tenancy.principal import Principal, Rate, TenantRole

MAX_BYTES = 8192
# Clocks of issuers are not ours.
_LEEWAY_SECONDS = 30
_MAX_TEXT = 500
_MAX_AUDIENCES = 10
_REQUIRED = ["iss", "aud", "sub", "exp"]

#: Where a token's claim gives several roles, the first of these counts.
_PRECEDENCE: tuple[TenantRole, ...] = ("admin", "writer", "reader", "auditor")

_roles = msgspec.json.Decoder(dict[str, TenantRole])


class Believed(msgspec.Struct, frozen=True, kw_only=True):
    """Who sent a token, and how many seconds it still is good for."""

    principal: Principal
    seconds: float


class Tokens:
    """Verifies tokens by the keys of the issuers that operators have configured for tenants."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool
        self._key_sets = KeySets()

    async def verify(self, token: str) -> Believed | None:
        """Who sends ``token``, None if it is not to be believed; raises what the database raises."""
        if len(token) > MAX_BYTES:
            return None
        try:
            header = jwt.get_unverified_header(token)
            unverified = jwt.decode(token, options={"verify_signature": False})
        except (jwt.PyJWTError, ValueError, RecursionError):
            return None
        kid, issuer, audiences = (
            _text(header.get("kid")),
            _text(unverified.get("iss")),
            _audiences(unverified),
        )
        if kid is None or issuer is None or not audiences or "crit" in header:
            return None
        rows = await self._pool.fetch("select * from vanta.find_issuers($1, $2)", issuer, audiences)
        if len(rows) != 1:
            # None, or a token that would open several tenants.
            return None
        (row,) = rows
        found = await self._key_sets.of(row["tenant_id"], row["jwks_uri"]).find(kid)
        if found is None:
            return None
        algorithm, key = found
        try:
            claims = jwt.decode(
                token,
                key,
                algorithms=[algorithm],
                issuer=issuer,
                audience=row["audience"],
                leeway=_LEEWAY_SECONDS,
                options={"require": _REQUIRED},
            )
            seconds = float(claims["exp"]) + _LEEWAY_SECONDS - time.time()
        except (jwt.PyJWTError, ValueError, OverflowError):
            return None
        return Believed(principal=_principal(row, issuer, claims), seconds=seconds)


def _principal(row: asyncpg.Record, issuer: str, claims: Mapping[str, Any]) -> Principal:
    mapping = _roles.decode(row["roles"])
    values = claims.get(row["role_claim"])
    given = {mapping[value] for value in _texts(values) if value in mapping}
    return Principal(
        tenant=row["tenant_id"],
        id=_pseudonym(issuer, claims["sub"]),
        role=next((role for role in _PRECEDENCE if role in given), "nobody"),
        suspended=row["suspended"],
        rate=Rate(per_second=row["rate_per_second"], burst=row["burst"]) if row["rate_per_second"] else None,
    )


def _pseudonym(issuer: str, subject: str) -> str:
    """What logs and events call a person: the same each time, and no name."""
    return "oidc-" + hashlib.sha256(f"{issuer}\n{subject}".encode()).hexdigest()[:16]


def _audiences(claims: Mapping[str, Any]) -> list[str]:
    audiences = claims.get("aud")
    listed = [audiences] if isinstance(audiences, str) else audiences
    if not isinstance(listed, list) or len(listed) > _MAX_AUDIENCES or None in map(_text, listed):
        return []
    return sorted({*listed})


def _texts(values: object) -> list[str]:
    if isinstance(values, str):
        return [values]
    return [value for value in values if isinstance(value, str)] if isinstance(values, list) else []


def _text(value: object) -> str | None:
    """``value`` if it is a text that PostgreSQL can be asked about."""
    if not isinstance(value, str) or not 1 <= len(value) <= _MAX_TEXT or "\0" in value:
        return None
    try:
        value.encode()
    except UnicodeEncodeError:
        return None
    return value
