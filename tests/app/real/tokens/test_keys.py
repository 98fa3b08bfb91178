"""The keys of an issuer: whose they are, when they are asked for, and how long they are believed."""

import json
from collections.abc import Callable
from typing import Any

import asyncpg
import pytest

from app.tenancy import issuers, jwks
from app.tenancy.authenticator import Authenticator
from app.tenancy.issuers import Issuer
from tests.app.real.conftest import Tenant

from .conftest import who
from .provider import EC, OTHER_RSA, RSA, WEAK_RSA, WIDE_EC, Provider, jwk, token


@pytest.mark.parametrize(
    "key",
    [
        jwk("RS256", WEAK_RSA, "bad"),
        jwk("RS256", RSA, "bad", use="enc"),
        jwk("RS256", RSA, "bad", alg="PS256"),
        jwk("ES384", WIDE_EC, "bad"),
        {"kty": "oct", "kid": "bad", "k": "AAAA", "alg": "HS256"},
        {"kty": "RSA", "kid": "bad", "n": "AQAB"},
        {"kty": "RSA", "kid": 7},
        "bad",
    ],
)
def test_a_key_that_must_not_sign_is_not_taken(key: Any) -> None:
    good = jwk("ES256", EC, "good")
    assert list(jwks.parse(json.dumps({"keys": [key, good]}).encode())) == ["good"]


async def test_the_keys_of_one_issuer_sign_for_no_other(
    pool: asyncpg.Pool, provider: Provider, new_tenant: Callable[[], Tenant]
) -> None:
    """An attacker's tenant trusts a server of the attacker's keys and claims the name of a good issuer."""
    good = provider.configuration(issuer="https://good.example")
    assert await issuers.put(pool, new_tenant().id, good, by=None, traceparent=None) == "set"
    bad = provider.configuration(issuer="https://good.example", jwks_uri=f"{provider.url}/evil")
    assert await issuers.put(pool, new_tenant().id, bad, by=None, traceparent=None) == "set"
    known = Authenticator(pool)
    assert await known.principal(f"Bearer {token(good)}")
    provider.served.keys = [jwk("RS256", OTHER_RSA, "RS256")]
    assert await known.principal(f"Bearer {token(bad, key=OTHER_RSA)}")
    assert await known.principal(f"Bearer {token(good, key=OTHER_RSA)}") is None


async def test_keys_are_asked_for_once_and_again_when_a_new_one_signs(
    pool: asyncpg.Pool, provider: Provider, trusted: Issuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = Authenticator(pool)
    for number in range(5):
        assert await known.principal(f"Bearer {token(trusted, sub=str(number))}")
    assert provider.served.asked == 1
    for _ in range(20):
        assert await known.principal(f"Bearer {token(trusted, kid='new')}") is None
    assert provider.served.asked == 1
    provider.served.keys.append(jwk("RS256", OTHER_RSA, "new"))
    monkeypatch.setattr(jwks, "AGAIN_SECONDS", 0)
    assert await known.principal(f"Bearer {token(trusted, kid='new', key=OTHER_RSA)}")
    assert provider.served.asked == 2


async def test_a_key_that_the_issuer_withdrew_ends(
    pool: asyncpg.Pool, provider: Provider, trusted: Issuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = Authenticator(pool)
    assert await known.principal(f"Bearer {token(trusted)}")
    provider.served.keys = [jwk("ES256", EC, "ES256")]
    monkeypatch.setattr(jwks, "FRESH_SECONDS", 0)
    monkeypatch.setattr(jwks, "AGAIN_SECONDS", 0)
    assert await known.principal(f"Bearer {token(trusted, sub='again')}") is None
    assert await known.principal(f"Bearer {token(trusted, 'ES256')}")


@pytest.mark.parametrize(
    ("status", "headers", "content"),
    [
        (500, {}, None),
        (302, {"location": "/elsewhere"}, None),
        (200, {}, b"no JSON"),
        (200, {}, b"[" * 100_000),
        (200, {}, b'{"keys": {}}'),
        (200, {}, b'{"keys": []}'),
        (200, {}, json.dumps({"keys": [jwk("RS256", RSA, "RS256")], "x": "x" * 300_000}).encode()),
    ],
)
async def test_what_is_no_set_of_keys_opens_nothing(
    pool: asyncpg.Pool,
    provider: Provider,
    trusted: Issuer,
    status: int,
    headers: dict[str, str],
    content: bytes | None,
) -> None:
    provider.served.status, provider.served.headers, provider.served.content = status, headers, content
    assert await who(pool, token(trusted)) is None


async def test_an_issuer_whose_certificate_is_unknown_is_not_believed(
    pool: asyncpg.Pool, provider: Provider, trusted: Issuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SSL_CERT_FILE")
    assert await who(pool, token(trusted)) is None
    assert provider.served.asked == 0


async def test_an_issuer_that_is_away_for_a_while_is_still_believed_and_not_for_ever(
    pool: asyncpg.Pool, provider: Provider, trusted: Issuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = Authenticator(pool)
    assert await known.principal(f"Bearer {token(trusted)}")
    provider.served.status = 500
    monkeypatch.setattr(jwks, "FRESH_SECONDS", 0)
    assert await known.principal(f"Bearer {token(trusted, sub='again')}")
    monkeypatch.setattr(jwks, "_STALE_SECONDS", 0)
    assert await known.principal(f"Bearer {token(trusted, sub='later')}") is None
