"""Session tokens: ``vses_`` and 43 characters, 256 random bits; as with API keys one SHA-256 is as safe to keep as a slow hash."""

import hashlib
import re
import secrets

_FORM = re.compile(r"vses_[A-Za-z0-9_-]{43}")


def generate() -> str:
    """A new token from the system's random source."""
    return f"vses_{secrets.token_urlsafe(32)}"


def digest(text: str) -> str | None:
    """What is kept of the token ``text``, None if it has not the form of one."""
    return hashlib.sha256(text.encode()).hexdigest() if _FORM.fullmatch(text) else None
