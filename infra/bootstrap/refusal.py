"""How the bootstrap refuses: one sentence that says what, why and what to do."""

from collections.abc import Callable
from typing import TypeVar

from botocore.exceptions import ClientError

T = TypeVar("T")

_DENIED = {"AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "403"}
_STALE = {"ExpiredToken", "ExpiredTokenException", "InvalidClientTokenId", "UnrecognizedClientException"}


class BootstrapError(Exception):
    """The bootstrap stopped; the message names the reason and the remedy. What was made before stays, and a next run goes on from it."""


def code(error: ClientError) -> str:
    """AWS's short name of what went wrong, such as ``NoSuchBucket``."""
    return error.response.get("Error", {}).get("Code", "")


def found(call: Callable[[], T], *absent: str) -> T | None:
    """What ``call`` answers, or None when AWS says with one of the codes in ``absent`` that there is nothing."""
    try:
        return call()
    except ClientError as error:
        if code(error) in absent:
            return None
        raise


def explained(error: ClientError, doing: str) -> BootstrapError:
    """AWS's refusal as ours; ``doing`` names the step, such as ``bucket vanta-state-… in eu-west-1``."""
    if code(error) in _DENIED:
        return BootstrapError(
            f"{doing}: these credentials may not call {error.operation_name}. "
            "Take an administrator's role of this account, or have the action allowed, and run the command again."
        )
    if code(error) in _STALE:
        return BootstrapError(f"{doing}: the credentials are expired or unknown. Sign in again.")
    said = error.response.get("Error", {}).get("Message", "").rstrip(".")
    return BootstrapError(
        f"{doing}: AWS refused {error.operation_name} with {code(error)}: {said}. Mend that and run the command again."
    )
