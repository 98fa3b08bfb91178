"""What must never be in a log, however much is asked for."""

import logging
import logging.config
from collections.abc import Iterator

import pytest

from app import logs


@pytest.fixture
def debugging() -> Iterator[None]:
    """The process logs all it can."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    logging.config.dictConfig(dict(logs.configuration("debug")))
    yield
    root.handlers[:] = handlers
    root.setLevel(level)


@pytest.mark.usefixtures("debugging")
@pytest.mark.parametrize(
    "name", ["botocore.parsers", "botocore.endpoint", "boto3.resources", "urllib3.connectionpool"]
)
def test_what_aws_is_asked_and_answers_is_never_logged(name: str) -> None:
    """KMS answers with data keys in the clear."""
    assert not logging.getLogger(name).isEnabledFor(logging.INFO)
    assert logging.getLogger("anything.else").isEnabledFor(logging.DEBUG)
