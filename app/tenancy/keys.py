"""API keys: ``vanta_<16 hex digits: the id>_<43 characters: the secret>``.

The secret is 256 random bits, so one SHA-256 of it is as safe to store as a slow hash: nobody guesses it, with or
without bcrypt, which only helps where people choose the secret and would cost 100 ms of CPU on each request.
"""

import hashlib
import re
import secrets

import msgspec

_ID = r"[0-9a-f]{16}"
_FORM = re.compile(rf"vanta_({_ID})_([A-Za-z0-9_-]{{43}})")
_id = re.compile(_ID)


class ApiKey(msgspec.Struct, frozen=True, kw_only=True):
    """A key as its holder has it; ``id`` may be shown and logged, the secret never."""

    id: str
    secret: str

    def __repr__(self) -> str:
        return f"ApiKey(id={self.id!r})"

    @property
    def text(self) -> str:
        """What goes after ``Authorization: Bearer``."""
        return f"vanta_{self.id}_{self.secret}"

    @property
    def secret_sha256(self) -> bytes:
        """What is stored."""
        return hashlib.sha256(self.secret.encode()).digest()


def generate() -> ApiKey:
    """A new key from the system's random source."""
    return ApiKey(id=secrets.token_hex(8), secret=secrets.token_urlsafe(32))


def is_id(text: str) -> bool:
    """Whether ``text`` has the form of a key's id."""
    return _id.fullmatch(text) is not None


def parse(text: str) -> ApiKey | None:
    """The key in ``text``, or None if it has not the form of one."""
    match = _FORM.fullmatch(text)
    return ApiKey(id=match[1], secret=match[2]) if match else None
