"""What every route of a tenant may be refused with."""

from app.api import problems

ALWAYS = (problems.INVALID_QUERY, problems.UNAUTHENTICATED, problems.INTERNAL, problems.UNAVAILABLE)
