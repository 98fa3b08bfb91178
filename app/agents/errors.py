"""What a change of a thread can be refused with; nothing was written then."""

import asyncpg
import msgspec


class QuotaExceededError(Exception):
    """The tenant's limit of bytes would be exceeded."""


class UnknownTenantError(Exception):
    """The tenant has been erased."""


class ChannelMissingError(Exception):
    """The parent does not have ``channels`` in the versions given."""

    def __init__(self, channels: list[str]) -> None:
        super().__init__()
        self.channels = channels


def refusal(error: asyncpg.PostgresError) -> Exception:
    """What ``error`` says of the request, or ``error`` itself."""
    if isinstance(error, asyncpg.ForeignKeyViolationError):
        return UnknownTenantError()
    match getattr(error, "sqlstate", None):
        case "VA002":
            return QuotaExceededError()
        case "VA071":
            return ChannelMissingError(msgspec.json.decode(getattr(error, "detail", "[]"), type=list[str]))
        case _:
            return error
