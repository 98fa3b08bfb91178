"""Changing a part of a document: read, merge, write what was read; again when somebody else was faster."""

import asyncio

import msgspec

from app.state import json, merge
from app.state.document import Condition, Document, Once, Transacted, Write, Written, digest
from app.state.documents import WRITE_SECONDS, Documents


class TooLargeError(Exception):
    """The document would be larger than a document may be; nothing was written."""


async def patch(documents: Documents, write: Write, once: Once | None) -> Transacted:
    """Merge the document with ``write.value``, a merge patch (RFC 7396), if it is as ``write.condition`` expects.

    No update is lost: what is written replaces exactly what was merged. Unless the condition names that, a write in between
    makes it start again, for up to ``WRITE_SECONDS``. Raises :class:`TooLargeError` and what ``Documents.transact`` raises.
    """
    if once and (before := await documents.answered(write.name.tenant, once)):
        return before
    assert write.value is not None  # noqa: S101 - a patch has one
    change = write.value.encode()
    async with asyncio.timeout(WRITE_SECONDS):
        while True:
            current = await documents.get(write.name)
            condition = _condition(write, current)
            if condition is None:
                refused = Written(outcome="precondition_failed", revision=None, expires_ms=None)
                return Transacted(written=[refused], digests=[None])
            value = merge.apply(current.value if current else None, change)
            if len(value) > json.MAX_BYTES:
                raise TooLargeError
            attempt = msgspec.structs.replace(
                write,
                value=value.decode(),
                digest=digest(value),
                condition=condition,
                etags=(current.etag[1:-1],) if current else (),
            )
            if once:
                done = await documents.transact([attempt], once)
            else:
                done = Transacted(written=[await documents.write(attempt)], digests=[attempt.digest])
            if done.written[0].outcome != "precondition_failed":
                return done


def _condition(write: Write, current: Document | None) -> Condition | None:
    """What to write ``current``'s successor under; None if ``current`` is not what the caller expects."""
    match write.condition:
        case "absent":
            return None if current else "absent"
        case "exists":
            return "match" if current else None
        case "match":
            return "match" if current and current.etag[1:-1] in write.etags else None
        case "none":
            return "merge" if current else "absent"
        case _:
            return "match" if current else "absent"
