"""Every refusal: an RFC 9457 problem document with a stable type. docs/reference/errors.md lists them; a test compares."""

from dataclasses import dataclass

import msgspec

from app.api.messages import Response

TYPE_PREFIX = "urn:vanta:problem:"


@dataclass(frozen=True, kw_only=True)
class ProblemType:
    """One kind of refusal: the same for the same cause everywhere."""

    name: str
    status: int
    title: str

    @property
    def uri(self) -> str:
        """The problem's ``type``."""
        return TYPE_PREFIX + self.name


class Problem(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """The body of a refusal."""

    type: str
    title: str
    status: int
    detail: str
    request_id: str


class ProblemError(Exception):
    """Raised wherever a request is refused; ``detail`` is one sentence for whoever sent it."""

    def __init__(self, kind: ProblemType, detail: str, headers: tuple[tuple[str, str], ...] = ()) -> None:
        super().__init__(detail)
        self.kind = kind
        self.detail = detail
        self.headers = headers


ALL: dict[str, ProblemType] = {}


def _kind(name: str, status: int, title: str) -> ProblemType:
    ALL[name] = kind = ProblemType(name=name, status=status, title=title)
    return kind


INVALID_COLLECTION = _kind("invalid-collection", 400, "The collection name is not allowed")
INVALID_KEY = _kind("invalid-key", 400, "The key is not allowed")
INVALID_PRECONDITION = _kind("invalid-precondition", 400, "The precondition cannot be understood")
INVALID_QUERY = _kind("invalid-query", 400, "The query string cannot be understood")
INVALID_TTL = _kind("invalid-ttl", 400, "The time to live is not allowed")
MALFORMED_JSON = _kind("malformed-json", 400, "The body is not JSON")
UNAUTHENTICATED = _kind("unauthenticated", 401, "A valid API key is needed")
NO_ROUTE = _kind("no-route", 404, "There is nothing at this path")
NOT_FOUND = _kind("not-found", 404, "There is no such document")
METHOD_NOT_ALLOWED = _kind("method-not-allowed", 405, "The method is not allowed here")
BODY_TIMEOUT = _kind("body-timeout", 408, "The body did not arrive in time")
PRECONDITION_FAILED = _kind(
    "precondition-failed", 412, "The document is not in the state the request expects"
)
BODY_TOO_LARGE = _kind("body-too-large", 413, "The body is too large")
UNSUPPORTED_MEDIA_TYPE = _kind("unsupported-media-type", 415, "The body must be JSON")
INVALID_DOCUMENT = _kind("invalid-document", 422, "The JSON is not a document")
PRECONDITION_REQUIRED = _kind("precondition-required", 428, "The document exists: say what to do about it")
INTERNAL = _kind("internal", 500, "The server made a mistake")
UNAVAILABLE = _kind("unavailable", 503, "The database cannot be reached")


def response(error: ProblemError, request_id: str) -> Response:
    """The answer that says ``error``."""
    kind = error.kind
    body = Problem(
        type=kind.uri, title=kind.title, status=kind.status, detail=error.detail, request_id=request_id
    )
    return Response(
        status=kind.status,
        headers=[("content-type", "application/problem+json"), *error.headers],
        body=msgspec.json.encode(body),
    )
