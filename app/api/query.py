"""The query string, checked against the schema of its route."""

from functools import cache
from typing import TypeVar
from urllib.parse import parse_qsl

import msgspec

from app.api import mismatch, problems
from app.api.problems import ProblemError

Query = TypeVar("Query", bound=msgspec.Struct)

_MAX_PARAMETERS = 16


def parse(text: str, schema: type[Query] | None) -> Query | None:
    """``text`` as a ``schema``, None where there is none; raises :class:`ProblemError` for what does not fit.

    A parameter that nobody reads is refused: who misspells one would otherwise get the answer to another question.
    """
    if schema is None:
        if text:
            raise _invalid("Nothing is read from a query string here: leave it out")
        return None
    if not text:
        return _defaults(schema)
    try:
        pairs = parse_qsl(
            text,
            keep_blank_values=True,
            strict_parsing=True,
            max_num_fields=_MAX_PARAMETERS,
            errors="strict",
        )
    except ValueError:
        raise _invalid("It is not name=value pairs in UTF-8, separated by &") from None
    values = dict(pairs)
    if len(values) != len(pairs):
        raise _invalid("It has a parameter twice")
    if unknown := values.keys() - {field.encode_name for field in msgspec.structs.fields(schema)}:
        known = ", ".join(field.encode_name for field in msgspec.structs.fields(schema))
        raise _invalid(f"It has {len(unknown)} unknown parameters; {known} are read here")
    return _convert(values, schema)


@cache
def _defaults(schema: type[Query]) -> Query:
    """What no query string says: the same each time, and most requests have none."""
    return _convert({}, schema)


def _convert(values: dict[str, str], schema: type[Query]) -> Query:
    try:
        return msgspec.convert(values, schema, strict=False)
    except msgspec.ValidationError as error:
        raise _invalid(mismatch.sentence(error, schema).removesuffix(".")) from None


def _invalid(detail: str) -> ProblemError:
    return ProblemError(problems.INVALID_QUERY, f"{detail}.")
