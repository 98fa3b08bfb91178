"""The body of a request: any document, or JSON of a schema."""

from typing import TypeVar

import msgspec

from app.api import mismatch, problems
from app.api.messages import BodyIncompleteError, BodyTooLargeError, Request, header
from app.api.problems import ProblemError
from app.state import json

BODY_SECONDS = 10.0

Schema = TypeVar("Schema", bound=msgspec.Struct)


async def document(
    request: Request, media_type: str = "application/json", limit: int = json.MAX_BYTES
) -> str:
    """The body as text, if it is a document of up to ``limit`` bytes announced as ``media_type``; raises :class:`ProblemError`."""
    kind, _, parameter = (header(request.headers, "content-type") or "").partition(";")
    if kind.strip().lower() != media_type or parameter.strip().lower() not in {"", "charset=utf-8"}:
        raise ProblemError(
            problems.UNSUPPORTED_MEDIA_TYPE, f"Send the document with Content-Type: {media_type}."
        )
    if (header(request.headers, "content-encoding") or "identity").lower() != "identity":
        raise ProblemError(problems.UNSUPPORTED_MEDIA_TYPE, "Send the document without a Content-Encoding.")
    try:
        text = json.check(await request.body(limit, BODY_SECONDS))
    except BodyTooLargeError:
        raise ProblemError(
            problems.BODY_TOO_LARGE,
            f"The body has at most {limit} bytes.",
            (("connection", "close"),),
        ) from None
    except TimeoutError:
        raise ProblemError(
            problems.BODY_TIMEOUT, f"The body must arrive within {BODY_SECONDS:g} seconds."
        ) from None
    except BodyIncompleteError:
        raise ProblemError(problems.MALFORMED_JSON, "The body ended before its Content-Length.") from None
    except json.MalformedError as error:
        raise ProblemError(problems.MALFORMED_JSON, str(error)) from None
    except json.UnacceptableError as error:
        raise ProblemError(problems.INVALID_DOCUMENT, str(error)) from None
    # The beginning of a number is a number, and where the chunks of a client that died end, nobody sees.
    if text.lstrip()[0] in "-0123456789" and request.announced is None:
        raise ProblemError(problems.MALFORMED_JSON, "Send a lone number with its Content-Length.")
    return text


async def read(request: Request, schema: type[Schema], limit: int = json.MAX_BYTES) -> Schema:
    """The body as a ``schema``; raises :class:`ProblemError`, with the place of what is wrong and never its value."""
    return decode(await document(request, limit=limit), schema)


def decode(text: str, schema: type[Schema]) -> Schema:
    """:func:`read` for a body that has been read already."""
    try:
        return msgspec.json.decode(text, type=schema)
    except msgspec.ValidationError as error:
        raise ProblemError(problems.INVALID_BODY, mismatch.sentence(error, schema)) from None
