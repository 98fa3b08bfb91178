"""The envelope: AES-256-GCM under a tenant's data key, bound to the one place where the value belongs.

A sealed value is a format byte, a salt, a nonce, then ciphertext and tag. The salt makes a key of its own for each value (HKDF-SHA256),
because random nonces under one and the same key are safe for 2^32 values only (NIST SP 800-38D, 8.3), which nobody here counts.
"""

import os
from uuid import UUID

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from app.secrets.data_keys import DataKeys
from app.secrets.errors import DamagedError

_FORMAT = b"\x01"
_SALT, _NONCE = 16, 12
_HEAD = len(_FORMAT) + _SALT + _NONCE
#: How many bytes longer a sealed value is: its head, and the tag of GCM.
OVERHEAD = _HEAD + 16


class Sealed(msgspec.Struct, frozen=True, kw_only=True):
    """A value that only its own place can open, with the data key of ``generation``."""

    generation: int
    ciphertext: bytes


class Envelope:
    """Seals the values of one ``room``, such as "secrets"; no other room can open them."""

    def __init__(self, keys: DataKeys, room: str) -> None:
        self._keys = keys
        self._room = room

    async def encrypt(self, tenant: UUID, name: str, version: int, plaintext: bytes) -> Sealed:
        """Seal ``plaintext`` as version ``version`` of ``name``; raises a :class:`~app.secrets.errors.SealingError`."""
        key = await self._keys.newest(tenant)
        place = self._place(tenant, name, version)
        return Sealed(generation=key.generation, ciphertext=seal(key.key, place, plaintext))

    async def decrypt(self, tenant: UUID, name: str, version: int, sealed: Sealed) -> bytes:
        """What was sealed there; raises :class:`DamagedError` for anything else, :class:`~app.secrets.errors.SealingError`."""
        key = await self._keys.find(tenant, sealed.generation)
        return unseal(key.key, self._place(tenant, name, version), sealed.ciphertext)

    def _place(self, tenant: UUID, name: str, version: int) -> bytes:
        """The associated data; JSON, so that no two places have the same."""
        return msgspec.json.encode([tenant, self._room, name, version])


def seal(key: bytes, place: bytes, plaintext: bytes) -> bytes:
    """``plaintext`` sealed for ``place`` under a data key of 32 bytes."""
    salt, nonce = os.urandom(_SALT), os.urandom(_NONCE)
    return _FORMAT + salt + nonce + _cipher(key, salt).encrypt(nonce, plaintext, place)


def unseal(key: bytes, place: bytes, ciphertext: bytes) -> bytes:
    """The opposite of :func:`seal`; raises :class:`DamagedError` if one bit of key, place or ciphertext is another."""
    if len(ciphertext) < OVERHEAD or not ciphertext.startswith(_FORMAT):
        raise DamagedError("The sealed value has not the form of one.")
    salt, nonce = ciphertext[len(_FORMAT) : _HEAD - _NONCE], ciphertext[_HEAD - _NONCE : _HEAD]
    try:
        return _cipher(key, salt).decrypt(nonce, ciphertext[_HEAD:], place)
    except InvalidTag:
        raise DamagedError("The sealed value does not open in this place.") from None


def _cipher(key: bytes, salt: bytes) -> AESGCM:
    return AESGCM(HKDF(algorithm=SHA256(), length=32, salt=salt, info=b"vanta envelope").derive(key))
