"""RFC 9110 preconditions, as far as a store of documents needs them."""

import re

from app.api.messages import Headers, header_lines
from app.api.problems import INVALID_PRECONDITION, ProblemError
from app.state.document import Condition

CONCURRENCY = "vanta-concurrency"
LAST_WRITE_WINS = "last-write-wins"
_MAX_TAGS = 32

# A list of entity tags; a weak one is well-formed but never matches strongly.
_TAG = re.compile(r'\s*(W/)?"([\x21\x23-\x7e]*)"\s*(,|$)')


def of_write(headers: Headers) -> tuple[Condition, tuple[str, ...]]:
    """What a write expects of the document: the condition, and for "match" the unquoted tags, one of which must match.

    Raises :class:`ProblemError` for what cannot be understood, or says two things.
    """
    return decide(
        header_lines(headers, "if-match"),
        header_lines(headers, "if-none-match"),
        header_lines(headers, CONCURRENCY),
    )


def decide(
    if_match: list[str], if_none_match: list[str], concurrency: list[str]
) -> tuple[Condition, tuple[str, ...]]:
    """:func:`of_write` for the lines of the three headers, none where one was not sent."""
    if bool(if_match) + bool(if_none_match) + bool(concurrency) > 1:
        raise _invalid("Send only one of If-Match, If-None-Match and Vanta-Concurrency.")
    if if_match:
        tags = _tags("If-Match", if_match)
        return ("exists", ()) if tags is None else ("match", tags)
    if if_none_match:
        if _tags("If-None-Match", if_none_match) is not None:
            raise _invalid("On a write, If-None-Match can only be *.")
        return "absent", ()
    if concurrency:
        if concurrency != [LAST_WRITE_WINS]:
            raise _invalid(f"Vanta-Concurrency can only be {LAST_WRITE_WINS}.")
        return "unconditional", ()
    return "none", ()


def not_modified(headers: Headers, etag: str) -> bool:
    """Whether ``If-None-Match`` of a read names ``etag`` (weak comparison, as for all reads) or is ``*``."""
    if_none_match = header_lines(headers, "if-none-match")
    if not if_none_match:
        return False
    tags = _tags("If-None-Match", if_none_match, weak=True)
    return tags is None or etag[1:-1] in tags


def _tags(name: str, lines: list[str], *, weak: bool = False) -> tuple[str, ...] | None:
    """The unquoted tags of a header, without the weak ones unless ``weak``; None for ``*``."""
    text = ",".join(lines)
    if text.strip() == "*":
        return None
    tags: list[str] = []
    at = count = 0
    while at < len(text):
        match = _TAG.match(text, at)
        if match is None:
            raise _invalid(
                f'{name} must be * or a list of entity tags such as "1f-9ae0c2d1b7f33c05", quotes included.'
            )
        count += 1
        if weak or not match[1]:
            tags.append(match[2])
        at = match.end()
    if not count or count > _MAX_TAGS or text.rstrip().endswith(","):
        raise _invalid(f"{name} must have 1 to {_MAX_TAGS} entity tags, separated by commas.")
    return tuple(tags)


def _invalid(detail: str) -> ProblemError:
    return ProblemError(INVALID_PRECONDITION, detail)
