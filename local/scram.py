"""Passwords as PostgreSQL keeps them, so that the engine and its logs never see one."""

import base64
import hashlib
import hmac
import secrets


def verifier(password: str) -> str:
    """Return the SCRAM-SHA-256 verifier of ``password`` (RFC 5802, RFC 7677), as ``ALTER ROLE ... PASSWORD`` takes it."""
    salt, iterations = secrets.token_bytes(16), 4096
    salted = hashlib.pbkdf2_hmac("sha256", password.encode(), salt, iterations)
    stored = hashlib.sha256(hmac.digest(salted, b"Client Key", "sha256")).digest()
    server = hmac.digest(salted, b"Server Key", "sha256")
    salt64, stored64, server64 = (base64.b64encode(part).decode() for part in (salt, stored, server))
    return f"SCRAM-SHA-256${iterations}:{salt64}${stored64}:{server64}"
