"""Every refusal: an RFC 9457 problem document with a stable type. docs/reference/errors.md lists them; a test compares."""

from dataclasses import dataclass
from typing import Annotated

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


class RefusedOperation(msgspec.Struct, frozen=True, kw_only=True):
    """One operation of a transaction that stood in its way: which, counted from 0, and the ``type`` of what it alone would get."""

    index: int
    type: str


class Problem(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """The body of a refusal; ``operations`` only where a transaction failed, ``after`` only where events are gone."""

    type: str
    title: str
    status: int
    detail: str
    request_id: str
    operations: tuple[RefusedOperation, ...] | msgspec.UnsetType = msgspec.UNSET
    after: (
        Annotated[
            str,
            msgspec.Meta(
                description="The id of the event after which to go on, as `after` of the query takes it."
            ),
        ]
        | msgspec.UnsetType
    ) = msgspec.UNSET


class ProblemError(Exception):
    """Raised wherever a request is refused; ``detail`` is one sentence for whoever sent it.

    ``after`` is the id of the event after which to go on, where those that were asked for are gone.
    """

    def __init__(
        self,
        kind: ProblemType,
        detail: str,
        headers: tuple[tuple[str, str], ...] = (),
        operations: tuple[RefusedOperation, ...] = (),
        after: str | None = None,
    ) -> None:
        super().__init__(detail)
        self.kind = kind
        self.detail = detail
        self.headers = headers
        self.operations = operations
        self.after = after


ALL: dict[str, ProblemType] = {}


def _kind(name: str, status: int, title: str) -> ProblemType:
    ALL[name] = kind = ProblemType(name=name, status=status, title=title)
    return kind


INVALID_COLLECTION = _kind("invalid-collection", 400, "The collection name is not allowed")
INVALID_CURSOR = _kind("invalid-cursor", 400, "The cursor is not of this listing")
INVALID_EVENT_ID = _kind("invalid-event-id", 400, "The last event id is none")
INVALID_IDEMPOTENCY_KEY = _kind("invalid-idempotency-key", 400, "The idempotency key is not allowed")
INVALID_KEY = _kind("invalid-key", 400, "The key is not allowed")
INVALID_PRECONDITION = _kind("invalid-precondition", 400, "The precondition cannot be understood")
INVALID_QUERY = _kind("invalid-query", 400, "The query string cannot be understood")
INVALID_TTL = _kind("invalid-ttl", 400, "The time to live is not allowed")
MALFORMED_JSON = _kind("malformed-json", 400, "The body is not JSON")
UNREAD_HEADER = _kind("unread-header", 400, "A header says what nobody reads here")
UNAUTHENTICATED = _kind("unauthenticated", 401, "A valid API key or token is needed")
FORBIDDEN = _kind("forbidden", 403, "The key may not do this")
QUOTA_EXCEEDED = _kind("quota-exceeded", 403, "The tenant's limit would be exceeded")
SUSPENDED = _kind("suspended", 403, "The tenant is suspended")
TOO_MANY_KEYS = _kind("too-many-keys", 403, "The tenant has too many keys")
TOO_MANY_WEBHOOKS = _kind("too-many-webhooks", 403, "The tenant has too many webhooks")
API_KEY_NOT_FOUND = _kind("api-key-not-found", 404, "There is no such API key")
ISSUER_NOT_FOUND = _kind("issuer-not-found", 404, "The tenant does not trust this issuer")
TENANT_NOT_FOUND = _kind("tenant-not-found", 404, "There is no such tenant")
COLLECTION_NOT_FOUND = _kind("collection-not-found", 404, "The collection has no settings")
NO_ROUTE = _kind("no-route", 404, "There is nothing at this path")
NOT_FOUND = _kind("not-found", 404, "There is no such document")
SECRET_NOT_FOUND = _kind("secret-not-found", 404, "There is no such secret to read")
SESSION_NOT_FOUND = _kind("session-not-found", 404, "There is no such session")
THREAD_NOT_FOUND = _kind("thread-not-found", 404, "There is no such thread")
CHECKPOINT_NOT_FOUND = _kind("checkpoint-not-found", 404, "There is no such checkpoint")
WEBHOOK_NOT_FOUND = _kind("webhook-not-found", 404, "There is no such webhook")
DEAD_LETTER_NOT_FOUND = _kind("dead-letter-not-found", 404, "There is no such dead letter")
METHOD_NOT_ALLOWED = _kind("method-not-allowed", 405, "The method is not allowed here")
BODY_TIMEOUT = _kind("body-timeout", 408, "The body did not arrive in time")
ISSUER_TAKEN = _kind("issuer-taken", 409, "The issuer and audience open another tenant")
NAME_MISMATCH = _kind("name-mismatch", 409, "The tenant has another name")
TENANT_EXISTS = _kind("tenant-exists", 409, "The name is taken")
REVISION_GONE = _kind("revision-gone", 410, "Events after this revision are not all there")
CHANNEL_MISSING = _kind("channel-missing", 409, "The parent has not what the checkpoint takes from it")
THREAD_EXISTS = _kind("thread-exists", 409, "There is such a thread already")
PRECONDITION_FAILED = _kind(
    "precondition-failed", 412, "What is to be changed is not in the state the request expects"
)
TRANSACTION_FAILED = _kind("transaction-failed", 412, "Operations of the transaction were refused")
BODY_TOO_LARGE = _kind("body-too-large", 413, "The body is too large")
UNSUPPORTED_MEDIA_TYPE = _kind("unsupported-media-type", 415, "The body must be JSON")
INVALID_DOCUMENT = _kind("invalid-document", 422, "The JSON is not a document")
INVALID_BODY = _kind("invalid-body", 422, "The JSON is not what is expected here")
INVALID_URL = _kind("invalid-url", 422, "Nothing is sent to this URL")
IDEMPOTENCY_KEY_REUSED = _kind("idempotency-key-reused", 422, "The idempotency key is of another request")
PRECONDITION_REQUIRED = _kind("precondition-required", 428, "It exists: say what to do about it")
RATE_LIMITED = _kind("rate-limited", 429, "The tenant sends too many requests")
TOO_MANY_WATCHES = _kind("too-many-watches", 429, "The tenant has too many watches")
DAMAGED = _kind("damaged", 500, "What is stored does not open")
INTERNAL = _kind("internal", 500, "The server made a mistake")
DELIVERY_FAILED = _kind("delivery-failed", 502, "The webhook did not take it")
KMS_UNAVAILABLE = _kind("kms-unavailable", 503, "The key service cannot be used now")
SECRETS_NOT_CONFIGURED = _kind("secrets-not-configured", 503, "This process has no key to seal with")
WATCH_CAPACITY = _kind("watch-capacity", 503, "This process takes no more watches")
UNAVAILABLE = _kind("unavailable", 503, "The database cannot be reached")


def response(error: ProblemError, request_id: str) -> Response:
    """The answer that says ``error``."""
    kind = error.kind
    body = Problem(
        type=kind.uri,
        title=kind.title,
        status=kind.status,
        detail=error.detail,
        request_id=request_id,
        operations=error.operations or msgspec.UNSET,
        after=error.after or msgspec.UNSET,
    )
    return Response(
        status=kind.status,
        headers=[("content-type", "application/problem+json"), *error.headers],
        body=msgspec.json.encode(body),
    )
