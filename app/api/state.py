"""``/v1/state/{collection}/{key}``: documents over HTTP."""

from datetime import UTC, datetime
from urllib.parse import quote

from app.api import body, preconditions, problems
from app.api.messages import Request, Response, header
from app.api.problems import ProblemError
from app.state import names
from app.state.document import Name, Write, Written, digest, etag
from app.state.documents import Documents

MAX_TTL = 10 * 365 * 24 * 3600


class StateHandlers:
    """The handlers of the state routes."""

    def __init__(self, documents: Documents) -> None:
        self._documents = documents

    async def get(self, request: Request) -> Response:
        """The document's exact bytes, or 304."""
        document = await self._documents.get(_name(request))
        if document is None:
            raise _not_found()
        if preconditions.not_modified(request.headers, document.etag):
            return Response(status=304, headers=[("etag", document.etag)])
        headers = [("content-type", "application/json"), ("etag", document.etag)]
        if document.expires_ms is not None:
            headers.append(("vanta-expires-at", _rfc3339(document.expires_ms)))
        return Response(status=200, headers=headers, body=document.value)

    async def put(self, request: Request) -> Response:
        """Create (201) or replace (200) the document."""
        name = _name(request)
        condition, etags = preconditions.of_write(request.headers)
        ttl = _ttl(request)
        value = await body.document(request)
        checksum = digest(value.encode())
        written = await self._documents.write(
            Write(
                name=name,
                value=value,
                digest=checksum,
                ttl=ttl,
                condition=condition,
                etags=etags,
                traceparent=request.traceparent,
            )
        )
        headers = [("etag", etag(_revision(written), checksum))]
        if written.expires_ms is not None:
            headers.append(("vanta-expires-at", _rfc3339(written.expires_ms)))
        if written.outcome == "created":
            path = quote(f"/v1/state/{name.collection}/{name.key}", safe="/~!$&'()*+,;=:@")
            return Response(status=201, headers=[*headers, ("location", path)])
        return Response(status=200, headers=headers)

    async def delete(self, request: Request) -> Response:
        """Delete the document (204)."""
        name = _name(request)
        condition, etags = preconditions.of_write(request.headers)
        written = await self._documents.write(
            Write(name=name, condition=condition, etags=etags, traceparent=request.traceparent)
        )
        _revision(written)
        return Response(status=204)


def _name(request: Request) -> Name:
    assert request.tenant is not None  # noqa: S101 - the routes of this module require a tenant
    collection, key = request.parameters
    if error := names.collection_error(collection):
        raise ProblemError(problems.INVALID_COLLECTION, error)
    if error := names.key_error(key):
        raise ProblemError(problems.INVALID_KEY, error)
    return Name(request.tenant, collection, key)


def _ttl(request: Request) -> int | None:
    text = header(request.headers, "vanta-ttl")
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= 9 and 1 <= int(text) <= MAX_TTL):
        raise ProblemError(
            problems.INVALID_TTL, f"Vanta-TTL is a whole number of seconds from 1 to {MAX_TTL}."
        )
    return int(text)


def _revision(written: Written) -> int:
    """The revision of what was written; the refusal if nothing was."""
    if written.revision is not None:
        return written.revision
    match written.outcome:
        case "not_found":
            raise _not_found()
        case "precondition_failed":
            raise ProblemError(
                problems.PRECONDITION_FAILED,
                "Read the document again, and repeat the change on what it is now.",
            )
        case "precondition_required":
            raise ProblemError(
                problems.PRECONDITION_REQUIRED,
                "Send If-Match with the ETag last read, If-Match: * for any version, "
                "or Vanta-Concurrency: last-write-wins.",
            )
        case outcome:
            raise RuntimeError(f"a write without a revision is {outcome}")


def _not_found() -> ProblemError:
    return ProblemError(problems.NOT_FOUND, "There is no document of this collection and key.")


def _rfc3339(milliseconds: int) -> str:
    return (
        datetime.fromtimestamp(milliseconds / 1000, UTC)
        .isoformat(timespec="milliseconds")
        .replace("+00:00", "Z")
    )
