"""Clients that do not wait for a lost region."""

from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from app.recovery.errors import LostError


def client(service: str, region: str, *, patient: bool = False) -> Any:
    """A client of ``service`` in ``region``; a ``patient`` one waits for the answer to a change, and never asks for it twice."""
    import boto3  # noqa: PLC0415 - it takes half a second, and other commands need it not
    from botocore.config import Config  # noqa: PLC0415 - as above

    # A region that answers does so well within this; each second more is one of the budget.
    seconds, attempts = (60, 1) if patient else (10, 2)
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
