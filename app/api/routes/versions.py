"""Versions of documents: ``/v1/versions``."""

from app.api import problems
from app.api.lists import Restore, VersionPage, VersionsQuery
from app.api.routes.always import ALWAYS
from app.api.routes.documents import SAID, WRITE, WRITTEN
from app.api.routes.route import Answer, Route

_VERSIONS = "/v1/versions/{collection}/{+key}"

ROUTES = (
    Route(
        method="GET",
        path=_VERSIONS,
        handler="lists.versions",
        summary="List versions",
        description=(
            "The versions of a document that are kept, the newest first, deletions included; of a deleted document too. "
            "Read one with GET /v1/state/{collection}/{key}?revision=."
        ),
        answers={200: Answer(description="A page.", body=VersionPage)},
        problems=(
            problems.INVALID_COLLECTION,
            problems.INVALID_KEY,
            problems.INVALID_CURSOR,
            problems.NOT_FOUND,
            *ALWAYS,
        ),
        query=VersionsQuery,
        verb="metadata",
    ),
    Route(
        method="POST",
        path=_VERSIONS,
        handler="lists.restore",
        summary="Restore a version",
        description=(
            "Writes the value of an earlier version as a new one, of a deleted document too. "
            "Over an existing document it needs what PUT needs."
        ),
        answers=WRITTEN,
        problems=(*WRITE, problems.INVALID_BODY, problems.NOT_FOUND),
        headers=SAID,
        body=Restore,
        verb="write",
    ),
)
