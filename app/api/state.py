"""``/v1/state/{collection}/{key}``: documents over HTTP."""

from typing import Annotated

import msgspec

from app.api import body, preconditions, writing
from app.api.messages import Request, Response
from app.api.problems import INVALID_DOCUMENT, ProblemError
from app.state import json, patch
from app.state.document import KEEP_TTL, MAX_REVISION, Document, Write, digest
from app.state.documents import Documents
from app.state.lists import Lists
from app.state.store import KeyReusedError, QuotaExceededError


class VersionQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Which version to read."""

    revision: Annotated[
        Annotated[int, msgspec.Meta(ge=1, le=MAX_REVISION)] | None,
        msgspec.Meta(description="Read this version instead of the current one."),
    ] = None


class StateHandlers:
    """The handlers of the state routes."""

    def __init__(self, documents: Documents, lists: Lists) -> None:
        self._documents = documents
        self._lists = lists

    async def get(self, request: Request) -> Response:
        """The document's exact bytes, or 304."""
        name = writing.name_of(request)
        document: Document | None
        if request.query.revision is None:
            document = await self._documents.get(name)
        else:
            document = await self._lists.version(name, request.query.revision)
        if document is None:
            raise writing.not_found()
        if preconditions.not_modified(request.headers, document.etag):
            return Response(status=304, headers=[("etag", document.etag)])
        headers = [("content-type", "application/json"), ("etag", document.etag)]
        if document.expires_ms is not None:
            headers.append(("vanta-expires-at", writing.rfc3339(document.expires_ms)))
        return Response(status=200, headers=headers, body=document.value)

    async def put(self, request: Request) -> Response:
        """Create (201) or replace (200) the document."""
        name = writing.name_of(request)
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
        written, replayed = await writing.write(self._documents, write, writing.once_of(request, value))
        return writing.answer(name, written, checksum, replayed=replayed)

    async def patch(self, request: Request) -> Response:
        """Merge the document with the body, or create it (201)."""
        name = writing.name_of(request)
        condition, etags = preconditions.of_write(request.headers)
        ttl = writing.ttl_of(request)
        change = await body.document(request, "application/merge-patch+json")
        write = Write(
            name=name,
            value=change,
            ttl=KEEP_TTL if ttl is None else ttl,
            condition=condition,
            etags=etags,
            traceparent=request.traceparent,
        )
        try:
            done = await patch.patch(self._documents, write, writing.once_of(request, change))
        except (KeyReusedError, QuotaExceededError) as error:
            raise writing.refusal(error) from None
        except patch.TooLargeError:
            raise ProblemError(
                INVALID_DOCUMENT, f"Patched, the document would have more than {json.MAX_BYTES} bytes."
            ) from None
        return writing.answer(name, done.written[0], done.digests[0] or "", replayed=done.replayed)

    async def delete(self, request: Request) -> Response:
        """Delete the document (204)."""
        name = writing.name_of(request)
        condition, etags = preconditions.of_write(request.headers)
        write = Write(name=name, condition=condition, etags=etags, traceparent=request.traceparent)
        written, replayed = await writing.write(self._documents, write, writing.once_of(request, ""))
        writing.revision_of(written)
        return Response(status=204, headers=[writing.REPLAYED] if replayed else [])
