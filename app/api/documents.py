"""One document over HTTP, whichever room it belongs to: read, put, deleted."""

from app.api import body, preconditions, writing
from app.api.messages import Request, Response
from app.state.document import Document, Name, Write, digest
from app.state.documents import Documents


def shown(request: Request, document: Document | None) -> Response:
    """The document's exact bytes, or 304; raises :class:`ProblemError` if there is none."""
    if document is None:
        raise writing.not_found()
    etag = document.etag
    if preconditions.not_modified(request.headers, etag):
        return Response(status=304, headers=[("etag", etag)])
    headers = [("content-type", "application/json"), ("etag", etag)]
    if document.expires_ms is not None:
        headers.append(("vanta-expires-at", writing.rfc3339(document.expires_ms)))
    return Response(status=200, headers=headers, body=document.value)


async def put(request: Request, documents: Documents, name: Name, *, located: bool) -> Response:
    """Create (201, with its path if ``located``) or replace (200) it; raises :class:`ProblemError`."""
    condition, etags = preconditions.of_write(request.headers)
    ttl = writing.ttl_of(request)
    value = await body.document(request)
    checksum = digest(value.encode())
    write = Write(
        name=name,
        value=value,
        digest=checksum,
        ttl=ttl,
        condition=condition,
        etags=etags,
        traceparent=request.traceparent,
    )
    written, replayed = await writing.write(documents, write, writing.once_of(request, value))
    return writing.answer(written, checksum, located=name if located else None, replayed=replayed)


async def delete(request: Request, documents: Documents, name: Name) -> Response:
    """Delete it (204); raises :class:`ProblemError`."""
    condition, etags = preconditions.of_write(request.headers)
    write = Write(name=name, condition=condition, etags=etags, traceparent=request.traceparent)
    written, replayed = await writing.write(documents, write, writing.once_of(request, ""))
    writing.revision_of(written, replayed=replayed)
    return Response(status=204, headers=[writing.REPLAYED] if replayed else [])
