"""How long recovery waits for AWS: a change may take its time, and the side that may be lost costs seconds."""

from typing import Any

import pytest

from app.recovery import aws
from app.recovery.database import GlobalDatabase

from .test_journal import PAIR


class Rds:
    """Knows every cluster."""

    def describe_db_clusters(self, **_: str) -> Any:
        return {"DBClusters": [{"DBClusterMembers": ["one"], "Status": "available"}]}


def test_the_side_that_may_be_lost_is_asked_at_a_glance_and_the_target_is_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: dict[str, str] = {}

    def client(_: str, region: str, *, patience: aws.Patience = "usual") -> Rds:
        asked[region] = patience
        return Rds()

    monkeypatch.setattr(aws, "client", client)
    database = GlobalDatabase(PAIR)
    assert [database.status(stack) for stack in (PAIR.target, PAIR.other)] == ["available", "available"]
    assert asked == {PAIR.target.region: "usual", PAIR.other.region: "glance"}


@pytest.mark.parametrize(("patience", "most"), [("change", 60), ("glance", 3)])
def test_what_may_not_be_repeated_or_waited_for_is_asked_once(patience: aws.Patience, most: int) -> None:
    config = aws.client("rds", "eu-west-1", patience=patience).meta.config
    assert config.read_timeout == most
    assert config.retries["total_max_attempts"] == 1
