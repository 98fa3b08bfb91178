"""What a rotated secret holds, and how its next password is made."""

import secrets
import string

ALPHABET = string.ascii_letters + string.digits

Document = dict[str, str]


class RotationError(Exception):
    """The secret is not in a state that can be rotated; one sentence, without its content."""


def password(length: int) -> str:
    """Letters and digits only, of each kind at least one: every service accepts them, and nothing has to quote them."""
    while True:
        made = "".join(secrets.choice(ALPHABET) for _ in range(length))
        if any(map(str.islower, made)) and any(map(str.isupper, made)) and any(map(str.isdigit, made)):
            return made
