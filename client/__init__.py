"""What speaks to the state API from outside: it needs neither the application nor the infrastructure."""

from client.document import Check, Delete, Put
from client.expect import ETag, Expect
from client.problem import (
    NotFound,
    PreconditionFailed,
    PreconditionRequired,
    Problem,
    RateLimited,
    RevisionGone,
    Unavailable,
)
from client.vanta import AsyncVanta, Vanta

__all__ = [
    "AsyncVanta",
    "Check",
    "Delete",
    "ETag",
    "Expect",
    "NotFound",
    "PreconditionFailed",
    "PreconditionRequired",
    "Problem",
    "Put",
    "RateLimited",
    "RevisionGone",
    "Unavailable",
    "Vanta",
]
