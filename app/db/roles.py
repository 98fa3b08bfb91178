"""The role the application logs in with: a member of vanta_api, never more."""

import base64
import hashlib
import hmac
import os

import asyncpg

from app.settings import Login

GROUP = "vanta_api"
ITERATIONS = 4096


class RoleError(Exception):
    """The login of the application cannot be used."""


def scram_verifier(password: str, salt: bytes) -> str:
    """What PostgreSQL stores of ``password`` (RFC 5803), so that the password itself is in no statement and no log."""
    salted = hashlib.pbkdf2_hmac("sha256", password.encode(), salt, ITERATIONS)
    stored = hashlib.sha256(hmac.digest(salted, b"Client Key", "sha256")).digest()
    server = hmac.digest(salted, b"Server Key", "sha256")
    salt64, stored64, server64 = (base64.b64encode(part).decode() for part in (salt, stored, server))
    return f"SCRAM-SHA-256${ITERATIONS}:{salt64}${stored64}:{server64}"


async def ensure_login(connection: asyncpg.Connection, login: Login) -> bool:
    """Create the login or give it the password of ``login``; whether it is new.

    Raises :class:`RoleError` if a role of that name could see through row-level security or owns the schema.
    """
    if login.username == GROUP:
        raise RoleError(
            f'The login of the application is called "{GROUP}" like its group: choose another name.'
        )
    found = await connection.fetchrow(
        """
        select rolsuper or rolbypassrls or rolname = current_user
               or oid = (select nspowner from pg_namespace where nspname = 'vanta') as too_strong
        from pg_roles where rolname = $1
        """,
        login.username,
    )
    if found and found["too_strong"]:
        raise RoleError(
            f'The role "{login.username}" is an owner, a superuser or bypasses row-level security: '
            "give the application (secret database-app) a user name of its own."
        )
    name = '"' + login.username.replace('"', '""') + '"'
    verifier = scram_verifier(login.password, os.urandom(16))
    verb = "alter" if found else "create"
    # A role statement takes no parameters; the verifier is base64 and the name is quoted.
    await connection.execute(f"{verb} role {name} login password '{verifier}'")
    await connection.execute(f"grant {GROUP} to {name}")
    return found is None
