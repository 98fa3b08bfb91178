"""The role of the app in the database: two users take turns, so that the one in use is never touched.

Statements go through the RDS Data API, so that the function needs no way into the network.
Source: AWS Secrets Manager User Guide, "Lambda function rotation strategies", "Alternating users"; Amazon Aurora User Guide,
"Using the Amazon RDS Data API".
"""

import base64
import hashlib
import hmac
import re
import secrets
from datetime import datetime
from typing import Any

from infra.rotation.secret import Document, RotationError, password

# PostgreSQL's own default, which is what it asks of its clients.
ITERATIONS = 4096
LENGTH = 40
SECOND = "_2"
_NAME = re.compile(r"[a-z_][a-z0-9_]{0,60}")


class Database:
    """The users of one Aurora cluster that are members of ``group``."""

    def __init__(
        self, data: Any, *, cluster_arn: str, master_secret_arn: str, database: str, group: str
    ) -> None:
        self._data = data
        self._where = {"resourceArn": cluster_arn, "secretArn": master_secret_arn, "database": database}
        self._group = group

    def successor(self, current: Document) -> Document:
        """The other user, with a new password."""
        name = current["username"]
        other = name.removesuffix(SECOND) if name.endswith(SECOND) else name + SECOND
        return {**current, "username": other, "password": password(LENGTH)}

    def accept(self, current: Document, pending: Document, _: datetime) -> None:
        """Make the other user, or give it its new password; the current one is left alone.

        A statement about a role takes no parameters: the name is checked, and the verifier has nothing to quote.
        """
        name = pending["username"]
        if name == current["username"] or not _NAME.fullmatch(name):
            raise RotationError("The pending version does not name the other user: cancel the rotation.")
        verb = "alter" if self._roles(name) else "create"
        verifier = scram_verifier(pending["password"], secrets.token_bytes(16))
        self._execute(f"{verb} role {name} login password '{verifier}'")
        self._execute(f"grant {self._group} to {name}")

    def check(self, pending: Document) -> None:
        """That the user may log in and is a member; the Data API logs in by current versions only, so not with this one."""
        member = "select 1 from pg_roles where rolname = :name and rolcanlogin and pg_has_role(rolname, :group, 'member')"
        if not self._execute(member, name=pending["username"], group=self._group):
            raise RotationError("The other user cannot log in, or is no member of its group.")

    def _roles(self, name: str) -> list[Any]:
        return self._execute("select 1 from pg_roles where rolname = :name", name=name)

    def _execute(self, sql: str, **values: str) -> list[Any]:
        parameters = [{"name": name, "value": {"stringValue": value}} for name, value in values.items()]
        answer = self._data.execute_statement(**self._where, sql=sql, parameters=parameters)
        return answer.get("records", [])


def scram_verifier(text: str, salt: bytes) -> str:
    """What PostgreSQL stores of a password (RFC 5803), so that the password itself is in no statement and no log."""
    salted = hashlib.pbkdf2_hmac("sha256", text.encode(), salt, ITERATIONS)
    stored = hashlib.sha256(hmac.digest(salted, b"Client Key", "sha256")).digest()
    server = hmac.digest(salted, b"Server Key", "sha256")
    salt64, stored64, server64 = (base64.b64encode(part).decode() for part in (salt, stored, server))
    return f"SCRAM-SHA-256${ITERATIONS}:{salt64}${stored64}:{server64}"
