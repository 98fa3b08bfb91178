"""``/v1/state/{collection}/{key}``: documents over HTTP."""

from typing import Annotated

import msgspec

from app.api import body, documents, preconditions, writing
from app.api.messages import Request, Response
from app.api.problems import INVALID_DOCUMENT, ProblemError
from app.state import json, patch
from app.state.document import KEEP_TTL, MAX_REVISION, Document, Write
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
        return documents.shown(request, document)

    async def put(self, request: Request) -> Response:
        """Create (201) or replace (200) the document."""
        return await documents.put(request, self._documents, writing.name_of(request), located=True)

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
        return writing.answer(
            done.written[0],
            done.digests[0] or "",
            located=name,
            replayed=done.replayed,
        )

    async def delete(self, request: Request) -> Response:
        """Delete the document (204)."""
        return await documents.delete(request, self._documents, writing.name_of(request))
