"""What an operation has done, in a bucket of the region that takes over: its memory, its lock, and its evidence in one object.

Each change is a conditional write, so of two shells one alone goes on. Who stops for longer than :data:`LEASE_SECONDS` is taken for
dead; if it wakes up, its next write is refused before its next step.
"""

import datetime as dt
from typing import Any, Literal

import msgspec
from botocore.exceptions import ClientError

from app.recovery import aws
from app.recovery.errors import RecoveryError
from app.recovery.stacks import Stack

LEASE_SECONDS = 60
_REFUSED = {"PreconditionFailed", "ConditionalRequestConflict"}

Kind = Literal["switchover", "failover", "failback", "swap"]


class Done(msgspec.Struct, kw_only=True, rename="camel"):
    """A step that came to its end, in ``seconds``; ``said`` is what there is to tell of it."""

    step: str
    started: dt.datetime
    seconds: float
    said: str
    skipped: bool = False


class Operation(msgspec.Struct, kw_only=True, rename="camel"):
    """A change of the region that serves, from ``other`` to ``target``, or of its database; it is over when ``ended`` says so."""

    id: str
    kind: Kind
    target: str
    other: str
    by: str
    started: dt.datetime
    alive: dt.datetime
    steps: list[Done] = []
    ended: Literal["", "done", "refused"] = ""
    interrupted: bool = False
    loss_accepted: bool = False
    healthy_accepted: bool = False

    @property
    def held(self) -> bool:
        """Whether somebody is at work on it."""
        age = now() - self.alive
        return not self.ended and not self.interrupted and age < dt.timedelta(seconds=LEASE_SECONDS)


def now() -> dt.datetime:
    """The time of day."""
    return dt.datetime.now(dt.UTC)


class Journal:
    """The object of the operation ``of`` something that changes ``stack``, or last did: by default, of its global cluster."""

    def __init__(self, stack: Stack, of: str = "") -> None:
        self._s3 = aws.client("s3", stack.region)
        self._stack = stack
        self._where = {"Bucket": stack.archive_bucket, "Key": f"recovery/{of or stack.global_cluster}.json"}
        self._etag: str | None = None
        self._written = now()

    def read(self) -> Operation | None:
        """The last operation, if there was one."""
        try:
            with aws.asking(f"The journal in {self._where['Bucket']} cannot be read"):
                answer = self._s3.get_object(**self._where)
        except RecoveryError as error:
            cause = error.__cause__
            if isinstance(cause, ClientError) and cause.response["Error"]["Code"] == "NoSuchKey":
                return None
            raise
        self._etag = answer["ETag"]
        return msgspec.json.decode(answer["Body"].read(), type=Operation)

    def write(self, operation: Operation) -> None:
        """Keep ``operation``, unless somebody else has written since :meth:`read` or the last write.

        Raises:
            RecoveryError: somebody has, and goes on with it.
        """
        operation.alive = self._written = now()
        condition: dict[str, Any] = {"IfMatch": self._etag} if self._etag else {"IfNoneMatch": "*"}
        try:
            with aws.asking(f"The journal in {self._where['Bucket']} cannot be written"):
                answer = self._s3.put_object(**self._where, Body=_encoded(operation), **condition)
        except RecoveryError as error:
            cause = error.__cause__
            if isinstance(cause, ClientError) and cause.response["Error"]["Code"] in _REFUSED:
                raise RecoveryError(
                    f"Another shell works on {self._stack.name} as well and was faster: leave it to that one."
                ) from None
            raise
        self._etag = answer["ETag"]

    def renew(self, operation: Operation) -> None:
        """Show that somebody is at work, if that was not shown lately."""
        if now() - self._written > dt.timedelta(seconds=LEASE_SECONDS / 4):
            self.write(operation)

    def seal(self, operation: Operation) -> str:
        """Put the finished ``operation`` where nobody can change it any more, and return its key."""
        key = f"recovery/{operation.id}.json"
        with aws.asking(f"The record of the operation cannot be put into {self._stack.audit_bucket}"):
            self._s3.put_object(Bucket=self._stack.audit_bucket, Key=key, Body=_encoded(operation))
        return key


def _encoded(operation: Operation) -> bytes:
    return msgspec.json.format(msgspec.json.encode(operation), indent=1)
