"""Documents: ``/v1/state``."""

from app.api import problems
from app.api.routes.always import ALWAYS
from app.api.routes.route import Answer, Header, Route

_ETAG = Header(
    name="ETag", description="Strong validator of this version; opaque.", example='"1f-9ae0c2d1b7f33c05"'
)
_EXPIRES = Header(
    name="Vanta-Expires-At",
    description="When the document will be gone; only with a time to live.",
    example="2026-01-31T12:00:00.000Z",
)
_LOCATION = Header(
    name="Location", description="Path of the new document.", example="/v1/state/agents/planner/7"
)
_IF_MATCH = Header(
    name="If-Match",
    description="Entity tags, one of which the document must have; `*`: it must exist.",
    example='"1f-9ae0c2d1b7f33c05"',
)
_IF_NONE_MATCH = Header(
    name="If-None-Match", description="Only `*`: the document must not exist yet.", example="*"
)
_CONCURRENCY = Header(
    name="Vanta-Concurrency",
    description="Only `last-write-wins`: write whatever is there, lost updates included.",
    example="last-write-wins",
)
_TTL = Header(
    name="Vanta-TTL",
    description="Seconds after which the document is gone. A PUT without it makes the document stay.",
    example="3600",
)
_CACHED = Header(
    name="If-None-Match",
    description="Entity tags the caller has; 304 if one is current.",
    example='"1f-9ae0c2d1b7f33c05"',
)

_NAME = (problems.INVALID_COLLECTION, problems.INVALID_KEY)
_DOCUMENT = "/v1/state/{collection}/{+key}"

ROUTES = (
    Route(
        method="GET",
        path=_DOCUMENT,
        handler="state.get",
        summary="Read a document",
        description="Returns the exact bytes that were put, as of the last acknowledged write.",
        answers={
            200: Answer(description="The document.", body="document", headers=(_ETAG, _EXPIRES)),
            304: Answer(description="It is one the caller has.", headers=(_ETAG,)),
        },
        problems=(*_NAME, problems.INVALID_PRECONDITION, problems.NOT_FOUND, *ALWAYS),
        headers=(_CACHED,),
        verb="read",
    ),
    Route(
        method="HEAD",
        path=_DOCUMENT,
        handler="state.get",
        summary="Read a document's headers",
        description="What GET would answer, without the body.",
        answers={
            200: Answer(description="The document exists.", headers=(_ETAG, _EXPIRES)),
            304: Answer(description="It is one the caller has.", headers=(_ETAG,)),
        },
        problems=(*_NAME, problems.INVALID_PRECONDITION, problems.NOT_FOUND, *ALWAYS),
        headers=(_CACHED,),
        verb="read",
    ),
    Route(
        method="PUT",
        path=_DOCUMENT,
        handler="state.put",
        summary="Create or replace a document",
        description=(
            "Acknowledged once PostgreSQL has the new version, its history and its event durably. "
            "Over an existing document it needs a precondition or Vanta-Concurrency."
        ),
        answers={
            200: Answer(description="Replaced.", headers=(_ETAG, _EXPIRES)),
            201: Answer(description="Created.", headers=(_ETAG, _EXPIRES, _LOCATION)),
        },
        problems=(
            *_NAME,
            problems.INVALID_PRECONDITION,
            problems.INVALID_TTL,
            problems.MALFORMED_JSON,
            problems.BODY_TIMEOUT,
            problems.PRECONDITION_FAILED,
            problems.BODY_TOO_LARGE,
            problems.UNSUPPORTED_MEDIA_TYPE,
            problems.INVALID_DOCUMENT,
            problems.PRECONDITION_REQUIRED,
            *ALWAYS,
        ),
        headers=(_IF_MATCH, _IF_NONE_MATCH, _CONCURRENCY, _TTL),
        body="document",
        verb="write",
    ),
    Route(
        method="DELETE",
        path=_DOCUMENT,
        handler="state.delete",
        summary="Delete a document",
        description="Like any write over an existing document it needs a precondition or Vanta-Concurrency.",
        answers={204: Answer(description="Deleted.")},
        problems=(
            *_NAME,
            problems.INVALID_PRECONDITION,
            problems.NOT_FOUND,
            problems.PRECONDITION_FAILED,
            problems.PRECONDITION_REQUIRED,
            *ALWAYS,
        ),
        headers=(_IF_MATCH, _CONCURRENCY),
        verb="write",
    ),
)
