"""Clients that do not wait for a lost region."""

from collections.abc import Generator, Mapping
from contextlib import contextmanager
from typing import Any, Literal

from botocore.exceptions import BotoCoreError, ClientError

from app.recovery.errors import LostError

Patience = Literal["usual", "change", "glance"]
# Seconds for an answer, and how often it is asked for. A change may take its time, and is never asked for twice; at a glance
# silence is an answer as well.
_PATIENCE: Mapping[Patience, tuple[int, int]] = {"usual": (10, 2), "change": (60, 1), "glance": (3, 1)}


def client(service: str, region: str, *, patience: Patience = "usual") -> Any:
    """A client of ``service`` in ``region``; each second more than it answers well in is one of the budget."""
    import boto3  # noqa: PLC0415 - it takes half a second, and other commands need it not
    from botocore.config import Config  # noqa: PLC0415 - as above

    seconds, attempts = _PATIENCE[patience]
    config = Config(connect_timeout=3, read_timeout=seconds, retries={"total_max_attempts": attempts})
    return boto3.client(service, region_name=region, config=config)


@contextmanager
def asking(what: str) -> Generator[None]:
    """Turn a failed request into one sentence about ``what``."""
    try:
        yield
    except ClientError as error:
        details = error.response["Error"]
        raise LostError(f"{what}: AWS answered {details['Code']} ({details['Message']}).") from error
    except BotoCoreError as error:
        raise LostError(f"{what}: {error}.") from error
