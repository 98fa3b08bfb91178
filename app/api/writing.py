"""What all writes over HTTP have in common: names, times to live, Idempotency-Keys, refusals, answers."""

import hashlib
import re
from datetime import UTC, datetime
from urllib.parse import quote
from uuid import UUID

from app.api import problems
from app.api.messages import Request, Response, callers_tenant, header
from app.api.preconditions import CONCURRENCY
from app.api.problems import ProblemError
from app.state import names
from app.state.document import Name, Once, Outcome, Transacted, Write, Written, etag
from app.state.documents import Documents
from app.state.store import KeyReusedError, QuotaExceededError

MAX_TTL = 10 * 365 * 24 * 3600

_TTL = "vanta-ttl"
ONCE = "idempotency-key"
TTL_FORM = "[1-9][0-9]{0,8}"
_ttl_form = re.compile(TTL_FORM)
# The draft's quoted string, and the bare one that most clients send.
ONCE_FORM = r'"([\x20\x21\x23-\x5b\x5d-\x7e]{1,255})"|([\x21\x23-\x7e][\x21-\x7e]{0,254})'
_once_form = re.compile(ONCE_FORM)
#: What a request says besides its method, path, query and body, and what another request would say otherwise.
SAID = ("if-match", "if-none-match", CONCURRENCY, _TTL)


def name_of(request: Request) -> Name:
    """The document that the path names; raises :class:`ProblemError`."""
    collection, key = request.parameters
    check_name(collection, key)
    return Name(callers_tenant(request), collection, key)


def check_name(collection: str, key: str | None = None, place: str = "") -> None:
    """Raise :class:`ProblemError`, its detail after ``place``, for a name that is not allowed."""
    if error := names.collection_error(collection):
        raise ProblemError(problems.INVALID_COLLECTION, place + error)
    if key is not None and (error := names.key_error(key)):
        raise ProblemError(problems.INVALID_KEY, place + error)


def ttl_of(request: Request) -> int | None:
    """The seconds of Vanta-TTL, None if it was not sent; raises :class:`ProblemError`."""
    text = header(request.headers, _TTL)
    if text is None:
        return None
    if not (_ttl_form.fullmatch(text) and int(text) <= MAX_TTL):
        raise ProblemError(
            problems.INVALID_TTL, f"Vanta-TTL is a whole number of seconds from 1 to {MAX_TTL}."
        )
    return int(text)


def once_of(request: Request, body: str) -> Once | None:
    """The Idempotency-Key with the fingerprint of this request, None if it was not sent; raises :class:`ProblemError`."""
    text = header(request.headers, ONCE)
    if text is None:
        return None
    match = _once_form.fullmatch(text)
    if match is None:
        raise ProblemError(
            problems.INVALID_IDEMPOTENCY_KEY,
            "Idempotency-Key is 1 to 255 visible ASCII characters, best a UUID.",
        )
    said = [request.method, request.path, request.query_string, body]
    said += [header(request.headers, name) or "" for name in SAID]
    fingerprint = hashlib.blake2b(digest_size=16)
    for part in said:
        fingerprint.update(f"{len(part)}:{part}".encode())
    return Once(key=match[1] or match[2], fingerprint=fingerprint.hexdigest())


async def write(documents: Documents, write: Write, once: Once | None) -> tuple[Written, bool]:
    """What became of one write, and whether that was before; raises :class:`ProblemError` for a limit and a reused key.

    With an Idempotency-Key it is a transaction of its own, because its answer has to be remembered in it.
    """
    if once is None:
        return await documents.write(write), False
    try:
        done = await documents.transact([write], once)
    except (KeyReusedError, QuotaExceededError) as error:
        raise refusal(error) from None
    return done.written[0], done.replayed


async def answered(documents: Documents, tenant: UUID, once: Once) -> Transacted | None:
    """What was answered before; raises :class:`ProblemError` for a reused key, and for a limit if that was the answer."""
    try:
        return await documents.answered(tenant, once)
    except (KeyReusedError, QuotaExceededError) as error:
        raise refusal(error) from None


def refusal(error: KeyReusedError | QuotaExceededError) -> ProblemError:
    """What to answer when a transaction raised ``error``."""
    if isinstance(error, QuotaExceededError):
        return problem_of("quota_exceeded", replayed=error.replayed)
    return ProblemError(
        problems.IDEMPOTENCY_KEY_REUSED,
        "Another request was sent under this key: use a new key for each change.",
    )


def answer(written: Written, digest: str, *, located: Name | None, replayed: bool = False) -> Response:
    """201, with the path of ``located`` where clients name it themselves, or 200 for what put a document there.

    Raises :class:`ProblemError` if nothing was written.
    """
    headers = [("etag", etag(revision_of(written, replayed=replayed), digest))]
    if written.expires_ms is not None:
        headers.append(("vanta-expires-at", rfc3339(written.expires_ms)))
    if replayed:
        headers.append(REPLAYED)
    if written.outcome != "created":
        return Response(status=200, headers=headers)
    if located is not None:
        path = quote(f"/v1/state/{located.collection}/{located.key}", safe="/~!$&'()*+,;=:@")
        headers.append(("location", path))
    return Response(status=201, headers=headers)


REPLAYED = ("idempotency-replayed", "true")


def revision_of(written: Written, *, replayed: bool = False) -> int:
    """The revision of what was written; raises :class:`ProblemError` if nothing was."""
    if written.revision is not None:
        return written.revision
    raise problem_of(written.outcome, replayed=replayed)


def problem_of(outcome: Outcome, *, replayed: bool = False) -> ProblemError:
    """The refusal that an outcome without a revision is."""
    problem = _REFUSALS[outcome]()
    if replayed:
        problem.headers += (REPLAYED,)
    return problem


def not_found() -> ProblemError:
    """There is no such document."""
    return ProblemError(problems.NOT_FOUND, "There is no document of this collection and key.")


def _precondition_failed() -> ProblemError:
    return ProblemError(
        problems.PRECONDITION_FAILED, "Read it again, and repeat the change on what it is now."
    )


def _precondition_required() -> ProblemError:
    return ProblemError(
        problems.PRECONDITION_REQUIRED,
        "Send If-Match with the ETag last read, If-Match: * for any version, "
        "or Vanta-Concurrency: last-write-wins.",
    )


def _quota_exceeded() -> ProblemError:
    return ProblemError(
        problems.QUOTA_EXCEEDED, "Delete documents, keep fewer versions, or ask for a higher limit."
    )


def _unknown_tenant() -> ProblemError:
    # Erased within the seconds that its key is remembered.
    return ProblemError(
        problems.UNAUTHENTICATED,
        "The tenant of this key is no more.",
        (("www-authenticate", 'Bearer realm="vanta"'),),
    )


_REFUSALS = {
    "not_found": not_found,
    "precondition_failed": _precondition_failed,
    "precondition_required": _precondition_required,
    "quota_exceeded": _quota_exceeded,
    "unknown_tenant": _unknown_tenant,
}


def rfc3339(milliseconds: int) -> str:
    """Unix milliseconds as RFC 3339 in UTC."""
    return (
        datetime.fromtimestamp(milliseconds / 1000, UTC)
        .isoformat(timespec="milliseconds")
        .replace("+00:00", "Z")
    )
