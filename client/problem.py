"""Refusals: what the API answers instead of doing what it was asked."""

from http import HTTPStatus

import httpx
import msgspec


class RefusedOperation(msgspec.Struct, frozen=True, kw_only=True):
    """One operation of a transaction that stood in its way: which, counted from 0, and the ``type`` of what it alone would get."""

    index: int
    type: str


class _Body(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """RFC 9457, as far as it is needed here; a proxy in between may know less of it."""

    type: str = "about:blank"
    title: str = ""
    detail: str = ""
    request_id: str = ""
    operations: tuple[RefusedOperation, ...] = ()
    after: str | None = None


class Problem(Exception):  # noqa: N818 - the word of RFC 9457
    """The API refused. ``type`` is stable, docs/reference/errors.md lists them; ``request_id`` is in the server's log.

    Its subclasses are what a caller decides by. Where no answer came at all, httpx says why (``httpx.TransportError``).
    """

    def __init__(
        self,
        status: int,
        type_: str,
        title: str,
        detail: str,
        request_id: str,
        operations: tuple[RefusedOperation, ...] = (),
        after: str | None = None,
    ) -> None:
        super().__init__(status, type_, title, detail, request_id, operations, after)
        self.status = status
        self.type = type_
        self.title = title
        self.detail = detail
        self.request_id = request_id
        self.operations = operations
        self.after = after

    def __str__(self) -> str:
        return f"{self.title}: {self.detail}" if self.detail else self.title


class NotFound(Problem):
    """404: it is not there, or not anymore."""


class RevisionGone(Problem):
    """410: events are no longer kept, or the last one read was lost; read the state again, and go on after the event ``after``."""


class PreconditionFailed(Problem):
    """412: somebody else was faster; read again. Of a transaction, ``operations`` names which were refused."""


class PreconditionRequired(Problem):
    """428: it exists; say what is expected of it."""


class RateLimited(Problem):
    """429, again and again: the tenant sends too many requests, or has too many watches."""


class Unavailable(Problem):
    """503: it cannot be done now. What was to be written may have been."""


_KINDS: dict[int, type[Problem]] = {
    404: NotFound,
    410: RevisionGone,
    412: PreconditionFailed,
    428: PreconditionRequired,
    429: RateLimited,
    503: Unavailable,
}


def problem(response: httpx.Response) -> Problem:
    """The refusal that ``response`` is."""
    said = _body(response)
    return _KINDS.get(response.status_code, Problem)(
        response.status_code,
        said.type,
        said.title or _phrase(response.status_code),
        said.detail,
        said.request_id or response.headers.get("x-request-id", ""),
        said.operations,
        said.after,
    )


def _body(response: httpx.Response) -> _Body:
    if response.headers.get("content-type", "").partition(";")[0] != "application/problem+json":
        return _Body()
    try:
        return msgspec.json.decode(response.content, type=_Body)
    except msgspec.DecodeError:
        return _Body()


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return f"Status {status}"
