"""What every route of a tenant may be refused with."""

from app.api import problems

ALWAYS = (
    problems.INVALID_QUERY,
    problems.UNAUTHENTICATED,
    problems.FORBIDDEN,
    problems.SUSPENDED,
    problems.RATE_LIMITED,
    problems.INTERNAL,
    problems.UNAVAILABLE,
)

#: What every route that reads a body of a schema may be refused with besides.
BODY = (
    problems.MALFORMED_JSON,
    problems.BODY_TIMEOUT,
    problems.BODY_TOO_LARGE,
    problems.UNSUPPORTED_MEDIA_TYPE,
    problems.INVALID_DOCUMENT,
    problems.INVALID_BODY,
)
