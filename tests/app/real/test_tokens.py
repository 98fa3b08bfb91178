"""Bearer tokens of other issuers: who is believed, and what is tried in vain."""

import base64
import hashlib
import hmac
import json
import secrets
import ssl
import time
from collections.abc import Callable, Generator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import asyncpg
import httpx
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from app.tenancy import issuers, jwks
from app.tenancy.authenticator import Authenticator
from app.tenancy.issuers import Issuer
from local import tls
from local.home import Home

from .conftest import Database, Tenant, serving

RSA = rsa.generate_private_key(65537, 2048)
OTHER_RSA = rsa.generate_private_key(65537, 2048)
WEAK_RSA = rsa.generate_private_key(65537, 1024)  # noqa: S505 - to see it refused
EC = ec.generate_private_key(ec.SECP256R1())
WIDE_EC = ec.generate_private_key(ec.SECP384R1())
ED = ed25519.Ed25519PrivateKey.generate()
ALGORITHMS = {"RS256": RSA, "ES256": EC, "EdDSA": ED}


def jwk(algorithm: str, key: Any, kid: str, **more: Any) -> dict[str, Any]:
    made = jwt.get_algorithm_by_name(algorithm)
    return {**made.to_jwk(key.public_key(), as_dict=True), "kid": kid, **more}


class Keys:
    """The document of keys that the issuer serves, how often it was asked for, and how it answers."""

    def __init__(self) -> None:
        self.keys = [jwk(algorithm, key, algorithm) for algorithm, key in ALGORITHMS.items()]
        self.asked = 0
        self.status = 200
        self.headers: dict[str, str] = {}
        self.content: bytes | None = None


class Handler(BaseHTTPRequestHandler):
    served: Keys

    def do_GET(self) -> None:
        self.served.asked += 1
        self.send_response(self.served.status)
        for name, value in self.served.headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(self.served.content or json.dumps({"keys": self.served.keys}).encode())

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the signature is the library's
        """Nothing."""


class Provider:
    """An issuer: a server of keys at ``url``, whose CA is in ``ca``."""

    def __init__(self, url: str, ca: Path, served: Keys) -> None:
        self.url, self.ca, self.served = url, ca, served

    def configuration(self, **changes: Any) -> Issuer:
        given = {
            "issuer": self.url,
            "audience": f"vanta-{secrets.token_hex(6)}",
            "jwks_uri": f"{self.url}/keys",
            "role_claim": "roles",
            "roles": {"boss": "admin", "robot": "writer", "guest": "reader"},
        }
        return Issuer(**{**given, **changes})  # ty: ignore[invalid-argument-type] - as given above


@pytest.fixture
def provider(session_home: Home, monkeypatch: pytest.MonkeyPatch) -> Generator[Provider]:
    files = tls.ensure(session_home)
    served = Keys()
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Serving", (Handler,), {"served": served}))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(files.certificate, files.key)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    monkeypatch.setenv("SSL_CERT_FILE", str(files.ca))
    yield Provider(f"https://127.0.0.1:{server.server_port}", files.ca, served)
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
async def trusted(pool: asyncpg.Pool, provider: Provider, tenant: Tenant) -> Issuer:
    """The provider, as the tenant trusts it."""
    configuration = provider.configuration()
    assert await issuers.put(pool, tenant.id, configuration, by=None, traceparent=None) == "set"
    return configuration


def claims(issuer: Issuer, **changes: Any) -> dict[str, Any]:
    now = int(time.time())
    given = {
        "iss": issuer.issuer,
        "aud": issuer.audience,
        "sub": "someone@example.com",
        "exp": now + 300,
        "iat": now,
        "roles": ["robot"],
        **changes,
    }
    return {name: value for name, value in given.items() if value is not None}


def token(
    issuer: Issuer, algorithm: str = "RS256", kid: str | None = None, key: Any = None, **changes: Any
) -> str:
    headers = {"kid": kid or algorithm}
    # Not jwt.encode, which refuses to make some of what is to be tried.
    return jwt.PyJWS().encode(
        json.dumps(claims(issuer, **changes)).encode(), key or ALGORITHMS[algorithm], algorithm, headers
    )


def part(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


async def who(pool: asyncpg.Pool, text: str) -> Any:
    return await Authenticator(pool).principal(f"Bearer {text}")


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
