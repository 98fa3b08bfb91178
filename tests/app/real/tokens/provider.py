"""An issuer of tokens: its keys, the server of them, and what it signs."""

import json
import secrets
import time
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from app.tenancy.issuers import Issuer

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
