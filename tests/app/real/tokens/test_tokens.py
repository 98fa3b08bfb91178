"""Bearer tokens of other issuers: who is believed, and what is tried in vain."""

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import jwt
import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from app.tenancy import issuers
from app.tenancy.issuers import Issuer
from tests.app.real.conftest import Database, Tenant, serving

from .conftest import who
from .provider import ALGORITHMS, OTHER_RSA, RSA, Provider, claims, jwk, token


def part(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


@pytest.mark.parametrize("algorithm", list(ALGORITHMS))
async def test_a_sound_token_opens_the_tenant_it_is_for(
    pool: asyncpg.Pool, trusted: Issuer, tenant: Tenant, algorithm: str
) -> None:
    principal = await who(pool, token(trusted, algorithm))
    assert (principal.tenant, principal.role, principal.scopes) == (tenant.id, "writer", ())
    assert principal.id.startswith("oidc-")
    assert "someone" not in principal.id


@pytest.mark.parametrize(
    ("roles", "role"),
    [
        (["boss", "guest"], "admin"),
        (["guest", "robot"], "writer"),
        ("guest", "reader"),
        ([], "nobody"),
        (None, "nobody"),
        (["king"], "nobody"),
        ([{"boss": 1}, 7], "nobody"),
        ({"boss": True}, "nobody"),
        ("operator", "nobody"),
    ],
)
async def test_the_claim_decides_the_role(
    pool: asyncpg.Pool, trusted: Issuer, roles: object, role: str
) -> None:
    assert (await who(pool, token(trusted, roles=roles))).role == role


@pytest.mark.parametrize(
    "changes",
    [
        {"exp": 1},
        {"exp": int(time.time()) - 60},
        {"exp": None},
        {"exp": "soon"},
        {"exp": 1e400},
        {"exp": True},
        {"nbf": int(time.time()) + 600},
        {"iat": int(time.time()) + 600},
        {"iss": "https://another.example"},
        {"iss": None},
        {"iss": 7},
        {"iss": "https://x.example/\0"},
        {"iss": "\ud800"},
        {"aud": "another"},
        {"aud": None},
        {"aud": 7},
        {"aud": ["\0"]},
        {"aud": ["x"] * 11},
        {"sub": None},
        {"sub": 7},
        {"padding": "x" * 9000},
    ],
)
async def test_a_token_with_a_wrong_claim_opens_nothing(
    pool: asyncpg.Pool, trusted: Issuer, changes: dict[str, Any]
) -> None:
    assert await who(pool, token(trusted, **changes)) is None


def forged(issuer: Issuer) -> dict[str, str]:
    """Tokens that look as if the issuer had signed them, by how they were made."""
    body = part(claims(issuer, roles=["boss"]))
    public = RSA.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)

    def by_hmac(header: dict[str, Any], secret: bytes) -> str:
        signed = f"{part(header)}.{body}"
        mac = hmac.digest(secret, signed.encode(), hashlib.sha256)
        return f"{signed}.{base64.urlsafe_b64encode(mac).rstrip(b'=').decode()}"

    sound = token(issuer)
    head, _, signature = sound.split(".")
    embedded = jwk("RS256", OTHER_RSA, "RS256")
    return {
        "no algorithm": f"{part({'alg': 'none', 'kid': 'RS256'})}.{body}.",
        "no algorithm, capitals": f"{part({'alg': 'NoNe', 'kid': 'RS256'})}.{body}.",
        "no signature": f"{head}.{body}.",
        "another body": f"{head}.{body}.{signature}",
        "the public key as a shared secret": by_hmac({"alg": "HS256", "kid": "RS256"}, public),
        "an empty shared secret": by_hmac({"alg": "HS256", "kid": "RS256"}, b""),
        "another key": token(issuer, key=OTHER_RSA),
        "another algorithm of the same key": jwt.encode(claims(issuer), RSA, "PS256", {"kid": "RS256"}),
        "a longer digest": jwt.encode(claims(issuer), RSA, "RS512", {"kid": "RS256"}),
        "the key of another kind": token(issuer, "ES256", kid="RS256"),
        "a key of its own": jwt.encode(claims(issuer), OTHER_RSA, "RS256", {"kid": "RS256", "jwk": embedded}),
        "a key of elsewhere": jwt.encode(
            claims(issuer), OTHER_RSA, "RS256", {"kid": "RS256", "jku": "https://evil.example/keys"}
        ),
        "an unknown key": token(issuer, kid="unknown"),
        "a file as key": token(issuer, kid="../../../../dev/null"),
        "SQL as key": token(issuer, kid="' or 1=1 --"),
        "NUL as key": token(issuer, kid="\0"),
        "a long key id": token(issuer, kid="k" * 600),
        "no key id": jwt.encode(claims(issuer), RSA, "RS256"),
        "a critical extension": jwt.encode(
            claims(issuer), RSA, "RS256", {"kid": "RS256", "crit": ["x"], "x": 1}
        ),
        "no JSON": f"{head}.AAAA.{signature}",
        "deep JSON": f"{head}.{base64.urlsafe_b64encode(b'[' * 5000).decode().rstrip('=')}.{signature}",
        "an array": f"{head}.{part([])}.{signature}",
        "a header that is a number": f"{part(7)}.{body}.{signature}",
        "nothing": "..",
    }


@pytest.mark.parametrize(
    "attack",
    list(forged(Issuer(issuer="https://x", audience="x", jwks_uri="https://x", role_claim="x", roles={}))),
)
async def test_a_forged_token_opens_nothing(pool: asyncpg.Pool, trusted: Issuer, attack: str) -> None:
    assert await who(pool, forged(trusted)[attack]) is None


async def test_no_issuers_token_opens_another_tenant(
    pool: asyncpg.Pool, provider: Provider, trusted: Issuer, new_tenant: Callable[[], Tenant], tenant: Tenant
) -> None:
    other = new_tenant()
    theirs = provider.configuration()
    assert await issuers.put(pool, other.id, trusted, by=None, traceparent=None) == "taken"
    assert await issuers.listed(pool, other.id) == []
    assert await issuers.put(pool, other.id, theirs, by=None, traceparent=None) == "set"
    assert (await who(pool, token(trusted))).tenant == tenant.id
    assert (await who(pool, token(theirs))).tenant == other.id
    assert await who(pool, token(trusted, aud=[trusted.audience, theirs.audience])) is None


def test_tokens_work_over_http_until_the_issuer_is_trusted_no_longer(
    provider: Provider, database: Database, tenant: Tenant, tmp_path: Path, operator_key: str
) -> None:
    operator = {"authorization": f"Bearer {operator_key}"}
    trusted = provider.configuration(audience="https://api.example/é")
    path = f"/v1/tenants/{tenant.id}/issuers"
    new = {
        "issuer": trusted.issuer,
        "audience": trusted.audience,
        "jwksUri": trusted.jwks_uri,
        "roleClaim": "roles",
        "roles": {"robot": "writer", "guest": "reader"},
    }
    with (
        serving(database, tmp_path, SSL_CERT_FILE=str(provider.ca)) as served,
        httpx.Client(base_url=served.url) as client,
    ):
        assert client.put(path, json=new, headers=operator).json() == new
        assert client.get(path, headers=operator).json() == {"issuers": [new]}
        robot = {"authorization": f"Bearer {token(trusted)}"}
        guest = {"authorization": f"Bearer {token(trusted, roles='guest')}"}
        nobody = {"authorization": f"Bearer {token(trusted, roles=[])}"}
        assert client.put("/v1/state/a/b", json=1, headers=robot).status_code == 201
        assert client.get("/v1/state/a/b", headers=guest).json() == 1
        assert client.put("/v1/state/a/c", json=1, headers=guest).status_code == 403
        assert client.get("/v1/state/a/b", headers=nobody).status_code == 403
        assert client.get("/v1/tenants", headers=robot).status_code == 403
        query = {"issuer": trusted.issuer, "audience": trusted.audience}
        assert client.delete(path, params=query, headers=operator).status_code == 204
        assert client.get("/v1/state/a/b", headers=guest).status_code == 401
        gone = client.delete(path, params=query, headers=operator)
        assert gone.json()["type"].endswith(":issuer-not-found")
        for wrong in (
            {"issuer": "http://x"},
            {"jwksUri": "file:///etc/passwd"},
            {"roles": {"x": "operator"}},
        ):
            assert client.put(path, json={**new, **wrong}, headers=operator).status_code == 422
        log = served.log.read_text()
        assert "someone@" not in log
        assert token(trusted).split(".")[2] not in log
    types = database.query("select type from vanta.outbox where tenant_id = $1 order by revision", tenant.id)
    assert [row[0] for row in types if "issuer" in row[0]] == [
        "vanta.tenancy.issuer.set",
        "vanta.tenancy.issuer.removed",
    ]
