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
                refused = await _refused(documents, write, once)
                if refused is None:
                    continue
                return refused
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
                open_ended = msgspec.structs.replace(once, open="precondition_failed")
                done = await documents.transact([attempt], open_ended)
            else:
                done = Transacted(written=[await documents.write(attempt)], digests=[attempt.digest])
            if done.replayed or done.written[0].outcome != "precondition_failed":
                return done


async def _refused(documents: Documents, write: Write, once: Once | None) -> Transacted | None:
    """The refusal of a patch of a document that is not what the caller expects, remembered where it must be; None if it is by now."""
    if once is None:
        failed = Written(outcome="precondition_failed", revision=None, expires_ms=None)
        return Transacted(written=[failed], digests=[None])
    check = msgspec.structs.replace(write, value=None, digest=None, ttl=None)
    done = await documents.transact([check], msgspec.structs.replace(once, open="checked"))
    return done if done.replayed or done.written[0].outcome != "checked" else None


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
