"""What to answer when something cannot be sealed or opened, whichever room asked."""

import structlog

from app.api import problems
from app.api.problems import ProblemError
from app.secrets.errors import KmsUnavailableError, NotConfiguredError, SealingError

_RETRY_SECONDS = "5"

log = structlog.get_logger()


def refusal(error: SealingError, request_id: str) -> ProblemError:
    """The refusal that ``error`` is."""
    if isinstance(error, NotConfiguredError):
        return ProblemError(
            problems.SECRETS_NOT_CONFIGURED,
            "Have the operator set VANTA_KMS_KEY_ARN; all else works without.",
        )
    if isinstance(error, KmsUnavailableError):
        return ProblemError(
            problems.KMS_UNAVAILABLE, "Nothing was written; try again.", (("retry-after", _RETRY_SECONDS),)
        )
    log.error("sealed.damaged", request_id=request_id, reason=str(error))
    return ProblemError(problems.DAMAGED, "It was logged under this request id; nothing of it was shown.")
