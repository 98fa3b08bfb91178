"""The public keys of issuers, fetched over HTTPS and kept for a while."""

import asyncio
import json
import ssl
import time
from http import HTTPStatus
from http.client import HTTPException, HTTPSConnection
from urllib.parse import urlsplit

import jwt
import structlog
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

#: How long keys are used without asking for them again, and how soon a key nobody knows makes them be asked for (seconds).
FRESH_SECONDS = 600.0
AGAIN_SECONDS = 10.0
# Keys that could not be asked for again are used for so long: an issuer may be away, but not be robbed in silence for ever.
_STALE_SECONDS = 3600.0
_TIMEOUT_SECONDS = 3.0
_MAX_BYTES = 262_144
_MAX_KEYS = 100
_MIN_RSA_BITS = 2048
_MAX_ISSUERS = 10_000

log = structlog.get_logger()

PublicKey = RSAPublicKey | EllipticCurvePublicKey | Ed25519PublicKey


class KeySet:
    """The keys at one address; one fetch at a time, and none sooner than ``AGAIN_SECONDS`` after the last."""

    def __init__(self, uri: str) -> None:
        self._uri = uri
        self._keys: dict[str, tuple[str, PublicKey]] = {}
        self._asked = self._got = float("-inf")
        self._lock = asyncio.Lock()

    async def find(self, kid: str) -> tuple[str, PublicKey] | None:
        """The algorithm and the key of ``kid``, None if the issuer has none or cannot be asked."""
        if kid not in self._keys or time.monotonic() - self._got > FRESH_SECONDS:
            async with self._lock:
                if time.monotonic() - self._asked > AGAIN_SECONDS:
                    await self._fetch()
        if time.monotonic() - self._got > _STALE_SECONDS:
            return None
        return self._keys.get(kid)

    async def _fetch(self) -> None:
        self._asked = time.monotonic()
        try:
            async with asyncio.timeout(2 * _TIMEOUT_SECONDS):
                content = await asyncio.to_thread(_download, self._uri)
            self._keys = parse(content)
            self._got = self._asked
        except (OSError, HTTPException, ValueError, RecursionError, TimeoutError) as error:
            log.warning("issuer.unreachable", error=type(error).__name__)


class KeySets:
    """A key set for each address of each tenant: what one tenant has made be fetched is not used for another."""

    def __init__(self) -> None:
        self._sets: dict[tuple[object, str], KeySet] = {}

    def of(self, tenant: object, uri: str) -> KeySet:
        """The key set at ``uri`` as ``tenant`` knows it."""
        if len(self._sets) >= _MAX_ISSUERS:
            self._sets.clear()
        return self._sets.setdefault((tenant, uri), KeySet(uri))


def _download(uri: str) -> bytes:
    """What a GET answers; a redirect is no answer: it could lead out of HTTPS, or into a network that is not meant."""
    parts = urlsplit(uri)
    if parts.scheme != "https":
        raise ValueError
    # Not kept from one fetch to the next: the trust store may have changed.
    connection = HTTPSConnection(parts.netloc, timeout=_TIMEOUT_SECONDS, context=ssl.create_default_context())
    try:
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        connection.request("GET", target, headers={"accept": "application/json"})
        answer = connection.getresponse()
        content = b""
        deadline = time.monotonic() + _TIMEOUT_SECONDS
        while len(content) <= _MAX_BYTES and (part := answer.read1(_MAX_BYTES)):
            content += part
            if time.monotonic() > deadline:
                raise TimeoutError
    finally:
        connection.close()
    if answer.status != HTTPStatus.OK or len(content) > _MAX_BYTES:
        raise ValueError
    return content


def parse(content: bytes) -> dict[str, tuple[str, PublicKey]]:
    """The keys in a JWK set that may sign tokens, by their id; raises ValueError if it is none.

    What a key may be used for follows from its kind, never from the token: so no public key is ever taken for a shared secret.
    """
    document = json.loads(content)
    if not isinstance(document, dict) or not isinstance(document.get("keys"), list):
        raise ValueError  # noqa: TRY004 - what json raises, too
    keys: dict[str, tuple[str, PublicKey]] = {}
    for one in document["keys"][:_MAX_KEYS]:
        if not isinstance(one, dict) or not isinstance(one.get("kid"), str) or one.get("use", "sig") != "sig":
            continue
        if one.get("kty") not in {"RSA", "EC", "OKP"}:
            continue
        try:
            key = jwt.PyJWK(one).key
        except (jwt.PyJWTError, ValueError, TypeError):
            continue
        algorithm = _algorithm(key)
        if algorithm and one.get("alg", algorithm) == algorithm:
            keys[one["kid"]] = (algorithm, key)
    return keys


def _algorithm(key: object) -> str | None:
    match key:
        case RSAPublicKey() if key.key_size >= _MIN_RSA_BITS:
            return "RS256"
        case EllipticCurvePublicKey() if isinstance(key.curve, SECP256R1):
            return "ES256"
        case Ed25519PublicKey():
            return "EdDSA"
        case _:
            return None
