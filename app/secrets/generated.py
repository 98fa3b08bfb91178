"""Values nobody chose."""

import secrets
import string
from typing import Literal

MIN_LENGTH, MAX_LENGTH = 16, 1024

Alphabet = Literal["alphanumeric", "base64url", "hex", "printable"]

_CHARACTERS: dict[Alphabet, str] = {
    "alphanumeric": string.ascii_letters + string.digits,
    "base64url": string.ascii_letters + string.digits + "-_",
    "hex": string.digits + "abcdef",
    "printable": string.ascii_letters + string.digits + string.punctuation,
}


def generate(length: int, alphabet: Alphabet) -> str:
    """``length`` characters from the system's random source, each of them independent."""
    characters = _CHARACTERS[alphabet]
    return "".join(secrets.choice(characters) for _ in range(length))
