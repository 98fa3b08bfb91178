"""Which names a document may have.

ASCII only: Unicode has several spellings of one text, and a proxy or a file system in between may change one into another.
Whoever needs more encodes it (base64url, percent-encoding twice). Limits can be widened later, never narrowed.
"""

import re

MAX_KEY = 512

# Python's $ lets a newline follow, which the lookahead refuses; in a JSON Schema it changes nothing.
COLLECTION_PATTERN = r"^[a-z0-9][a-z0-9._-]{0,62}$(?!\n)"
# The characters RFC 3986 allows in a path, but for "%"; "/" separates segments.
KEY_PATTERN = r"^[A-Za-z0-9._~!$&'()*+,;=:@-]+(/[A-Za-z0-9._~!$&'()*+,;=:@-]+)*$(?!\n)"
PREFIX_PATTERN = r"^[A-Za-z0-9._~!$&'()*+,;=:@/-]*$(?!\n)"

_collection = re.compile(COLLECTION_PATTERN)
_key = re.compile(KEY_PATTERN)
# A client or a proxy resolves these before we could see them.
_dots = re.compile(r"(^|/)\.{1,2}(/|$)")


def collection_error(name: str) -> str | None:
    """Why ``name`` is no collection name, or None."""
    if _collection.fullmatch(name):
        return None
    return "A collection is named by 1 to 63 lower-case letters, digits, '.', '_' and '-', a letter or digit first."


def key_error(key: str) -> str | None:
    """Why ``key`` is no key, or None."""
    if len(key) > MAX_KEY:
        return f"The key has {len(key)} characters; at most {MAX_KEY} are allowed."
    if not _key.fullmatch(key):
        return (
            "A key is made of letters, digits and -._~!$&'()*+,;=:@ in segments separated by single slashes: "
            "encode anything else, for example as base64url."
        )
    if "." in key and _dots.search(key):
        return 'A segment of a key cannot be "." or "..".'
    return None
