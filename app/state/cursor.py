"""Cursors: a position in one listing, of use for that listing only.

A cursor is bound to its tenant and query by a digest over both and the position. The digest has no secret: whoever computes
one for a query of their own starts that query somewhere else, which is no more than a prefix lets them do.
"""

import base64
import binascii
import hashlib
import re

_DIGEST_BYTES = 8
# What positions are made of: names, numbers, and the DEL after a folded prefix.
_POSITION = re.compile(r"[!-\x7f]{1,600}")


class CursorError(Exception):
    """The text is no cursor of this listing."""


def encode(listing: tuple[str, ...], position: str) -> str:
    """The cursor after ``position`` in ``listing``: the tenant, and all that decides what is listed."""
    return base64.urlsafe_b64encode(_digest(listing, position) + position.encode()).decode().rstrip("=")


def decode(listing: tuple[str, ...], cursor: str) -> str:
    """The position; raises :class:`CursorError`."""
    try:
        raw = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        position = raw[_DIGEST_BYTES:].decode()
    except (binascii.Error, ValueError):
        raise CursorError from None
    if not _POSITION.fullmatch(position) or raw[:_DIGEST_BYTES] != _digest(listing, position):
        raise CursorError
    return position


def _digest(listing: tuple[str, ...], position: str) -> bytes:
    # No part can contain the separator.
    return hashlib.blake2b("\n".join((*listing, position)).encode(), digest_size=_DIGEST_BYTES).digest()
