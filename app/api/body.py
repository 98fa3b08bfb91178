"""The body of a request."""

from app.api import problems
from app.api.messages import BodyTooLargeError, Request, header
from app.api.problems import ProblemError
from app.state import json

BODY_SECONDS = 10.0


async def document(request: Request) -> str:
    """The body as text, if it is a document of the media type JSON; raises :class:`ProblemError`."""
    kind, _, parameter = (header(request.headers, "content-type") or "").partition(";")
    if kind.strip().lower() != "application/json" or parameter.strip().lower() not in {"", "charset=utf-8"}:
        raise ProblemError(
            problems.UNSUPPORTED_MEDIA_TYPE, "Send the document with Content-Type: application/json."
        )
    if (header(request.headers, "content-encoding") or "identity").lower() != "identity":
        raise ProblemError(problems.UNSUPPORTED_MEDIA_TYPE, "Send the document without a Content-Encoding.")
    try:
        return json.check(await request.body(json.MAX_BYTES, BODY_SECONDS))
    except BodyTooLargeError:
        raise ProblemError(
            problems.BODY_TOO_LARGE,
            f"A document has at most {json.MAX_BYTES} bytes.",
            (("connection", "close"),),
        ) from None
    except TimeoutError:
        raise ProblemError(
            problems.BODY_TIMEOUT, f"The body must arrive within {BODY_SECONDS:g} seconds."
        ) from None
    except json.MalformedError as error:
        raise ProblemError(problems.MALFORMED_JSON, str(error)) from None
    except json.UnacceptableError as error:
        raise ProblemError(problems.INVALID_DOCUMENT, str(error)) from None
