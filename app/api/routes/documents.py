"""Documents: ``/v1/state``."""

from app.api import problems
from app.api.lists import DocumentPage, ListQuery
from app.api.routes import headers
from app.api.routes.always import ALWAYS
from app.api.routes.route import Answer, Route
from app.api.state import VersionQuery

_NAME = (problems.INVALID_COLLECTION, problems.INVALID_KEY)
_DOCUMENT = "/v1/state/{collection}/{+key}"
#: What a write of a document may be refused with.
WRITE = (
    *_NAME,
    problems.INVALID_PRECONDITION,
    problems.INVALID_TTL,
    problems.INVALID_IDEMPOTENCY_KEY,
    problems.MALFORMED_JSON,
    problems.QUOTA_EXCEEDED,
    problems.BODY_TIMEOUT,
    problems.PRECONDITION_FAILED,
    problems.BODY_TOO_LARGE,
    problems.UNSUPPORTED_MEDIA_TYPE,
    problems.INVALID_DOCUMENT,
    problems.IDEMPOTENCY_KEY_REUSED,
    problems.PRECONDITION_REQUIRED,
    *ALWAYS,
)
#: What a write of a document answers.
WRITTEN = {
    200: Answer(description="Replaced.", headers=(headers.ETAG, headers.EXPIRES, headers.REPLAYED)),
    201: Answer(
        description="Created.", headers=(headers.ETAG, headers.EXPIRES, headers.LOCATION, headers.REPLAYED)
    ),
}
#: What a write of a document may say.
SAID = (headers.IF_MATCH, headers.IF_NONE_MATCH, headers.CONCURRENCY, headers.TTL, headers.ONCE)

ROUTES = (
    Route(
        method="GET",
        path="/v1/state/{collection}",
        handler="lists.documents",
        summary="List documents",
        description=(
            "Documents whose key starts with a prefix, in the order of their keys. A page has at most 4 MiB of values; "
            "documents written meanwhile may be in a later page or not, all others are listed once."
        ),
        answers={200: Answer(description="A page.", body=DocumentPage)},
        problems=(problems.INVALID_COLLECTION, problems.INVALID_CURSOR, *ALWAYS),
        query=ListQuery,
        verb="read",
    ),
    Route(
        method="GET",
        path=_DOCUMENT,
        handler="state.get",
        summary="Read a document",
        description="Returns the exact bytes that were put, as of the last acknowledged write, or those of an earlier version.",
        answers={
            200: Answer(
                description="The document.", body="document", headers=(headers.ETAG, headers.EXPIRES)
            ),
            304: Answer(description="It is one the caller has.", headers=(headers.ETAG,)),
        },
        problems=(*_NAME, problems.INVALID_PRECONDITION, problems.NOT_FOUND, *ALWAYS),
        headers=(headers.CACHED,),
        query=VersionQuery,
        verb="read",
    ),
    Route(
        method="HEAD",
        path=_DOCUMENT,
        handler="state.get",
        summary="Read a document's headers",
        description="What GET would answer, without the body.",
        answers={
            200: Answer(description="The document exists.", headers=(headers.ETAG, headers.EXPIRES)),
            304: Answer(description="It is one the caller has.", headers=(headers.ETAG,)),
        },
        problems=(*_NAME, problems.INVALID_PRECONDITION, problems.NOT_FOUND, *ALWAYS),
        headers=(headers.CACHED,),
        query=VersionQuery,
        verb="read",
    ),
    Route(
        method="PUT",
        path=_DOCUMENT,
        handler="state.put",
        summary="Create or replace a document",
        description=(
            "Acknowledged once PostgreSQL has the new version, its history and its event durably. "
            "Over an existing document it needs a precondition or Vanta-Concurrency, unless its collection says last-write-wins."
        ),
        answers=WRITTEN,
        problems=WRITE,
        headers=SAID,
        body="document",
        verb="write",
    ),
    Route(
        method="PATCH",
        path=_DOCUMENT,
        handler="state.patch",
        summary="Change a part of a document",
        description=(
            "Merges the body into the document (RFC 7396), or into nothing if there is none; what the patch does not name stays "
            "byte for byte. Needs what PUT needs; with last-write-wins no update in between is lost either."
        ),
        answers=WRITTEN,
        problems=WRITE,
        headers=SAID,
        body="merge-patch",
        verb="write",
    ),
    Route(
        method="DELETE",
        path=_DOCUMENT,
        handler="state.delete",
        summary="Delete a document",
        description="Like any write over an existing document it needs a precondition or Vanta-Concurrency.",
        answers={204: Answer(description="Deleted.", headers=(headers.REPLAYED,))},
        problems=(
            *_NAME,
            problems.INVALID_PRECONDITION,
            problems.INVALID_IDEMPOTENCY_KEY,
            problems.NOT_FOUND,
            problems.PRECONDITION_FAILED,
            problems.IDEMPOTENCY_KEY_REUSED,
            problems.PRECONDITION_REQUIRED,
            *ALWAYS,
        ),
        headers=(headers.IF_MATCH, headers.IF_NONE_MATCH, headers.CONCURRENCY, headers.ONCE),
        verb="write",
    ),
)
